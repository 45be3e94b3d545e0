//! One set of questions about what a browser keeps and what it drops, asked of the model and of a real Chromium. As long as
//! both give the answers written here, the simulation of the link runs against a browser that behaves like the real one.
#![allow(clippy::unwrap_used)]

mod peer;
mod questions;

use keeptab_testkit::{Chromium, block_on};
use peer::{ModelPeer, RealPeer};

macro_rules! asked_of_both {
    ($($question:ident),+ $(,)?) => {
        mod model {
            use super::*;
            $(#[test] fn $question() {
                block_on(async { questions::$question(&mut ModelPeer::new()).await });
            })+
        }
        mod chromium {
            use super::*;
            $(#[test] fn $question() {
                block_on(async {
                    let browser = Chromium::start().await;
                    questions::$question(&mut RealPeer::new(&browser.ws_url())).await
                });
            })+
        }
    };
}

asked_of_both!(
    a_targets_id_survives_and_a_sessions_id_does_not,
    overrides_end_with_their_connection,
    the_last_user_agent_wins_and_falls_back_when_it_leaves,
    the_last_viewport_wins_and_takes_the_others_along,
    init_scripts_are_gone_for_the_next_document,
    a_binding_stays_in_its_document_only,
    a_time_zone_has_one_owner,
    console_messages_are_replayed_with_their_times,
    a_navigation_clears_the_console_store,
    an_open_dialog_cannot_be_answered_after_a_drop,
    a_dialog_is_answered_by_who_was_told,
    a_command_sent_before_the_drop_still_runs,
    a_closed_tab_is_announced_and_gives_no_result,
    a_crashed_tab_is_announced_and_never_answers,
    a_newcomer_learns_of_an_old_crash,
    a_second_connection_sees_what_the_first_left_open,
);
