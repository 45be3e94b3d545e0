//! The conformance suite, on SQLite.

use crate::conformance;
use crate::helpers::{block_on, temporary};

macro_rules! on_sqlite {
    ($($name:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            let (_dir, store) = temporary();
            block_on(conformance::$name(&store));
        }
    )*};
}

on_sqlite![
    an_empty_store_answers_with_nothing,
    sessions_come_back_as_they_went,
    rewriting_a_session_keeps_what_belongs_to_it,
    names_that_cannot_be_shown_are_refused,
    tabs_are_ordered_replaced_and_removed,
    a_batch_is_all_or_nothing,
    forgetting_takes_all_but_the_epoch,
    entries_are_paged_updated_and_pruned,
    one_holder_at_a_time,
    a_session_begins_anew_with_its_lease_or_not_at_all,
    an_expired_lease_can_be_taken_and_then_fences,
    a_released_lease_is_free_and_its_epoch_spent,
    a_fence_without_any_lease_refuses,
];
