//! What a loss means for commands, and what is tried after it.
use std::time::Duration;

use keeptab_link::{
    Cause, Config, DialError, Epoch, Identity, NotSent, ReplacedPolicy, Settlement, State,
    Transport,
};

use crate::world::{Dialing, World};

fn unreachable() -> Dialing {
    Dialing::Fail(DialError::Unreachable {
        reason: "connection refused".into(),
    })
}

#[test]
fn reads_are_repeated_and_effects_are_not() {
    let mut world = World::open(&["A"]);
    world.stalled = true;
    let read = world.post(None, "Browser.getVersion", "{}");
    let effect = world.post(Some("A"), "Runtime.evaluate", r#"{"expression":"effect"}"#);
    let navigation = world.post(Some("A"), "Page.navigate", r#"{"url":"http://x/"}"#);
    world.run();
    world.drop_socket();
    world.reply(read);
    for token in [effect, navigation] {
        assert_eq!(
            world.end(token),
            Some(&Settlement::OutcomeUnknown { cause: Cause::Eof })
        );
    }
    assert_eq!(world.runs("effect"), 1);
    let gap = &world.gaps[0];
    assert_eq!(gap.unknown.len(), 2);
    assert_eq!(gap.repeated, 1);
    world.finish();
}

#[test]
fn fifty_pending_effects_settle_and_none_is_sent_again() {
    let mut world = World::open(&["A"]);
    world.stalled = true;
    let tokens: Vec<u64> = (0..50)
        .map(|n| world.evaluate("A", &format!("e{n}")))
        .collect();
    world.lose(Cause::Reset);
    world.run();
    for (n, token) in tokens.iter().enumerate() {
        assert_eq!(
            world.end(*token),
            Some(&Settlement::OutcomeUnknown {
                cause: Cause::Reset
            })
        );
        assert_eq!(world.runs(&format!("e{n}")), 1);
    }
    world.finish();
}

#[test]
fn commands_submitted_while_down_run_after_the_reconnect_in_their_order() {
    let mut world = World::open(&["A"]);
    world.dialing = unreachable();
    world.drop_socket();
    let tokens: Vec<u64> = (0..3)
        .map(|n| world.evaluate("A", &format!("n{n}")))
        .collect();
    world.dialing = Dialing::Open;
    world.advance(Duration::from_secs(2));
    for token in tokens {
        world.reply(token);
    }
    let ran: Vec<String> = world
        .model
        .done
        .iter()
        .filter_map(|done| done.params["expression"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(ran, ["n0", "n1", "n2"]);
    world.finish();
}

/// The session of the tab had ended when the second was asked for: it waited, with the first still in flight.
#[test]
fn what_was_asked_for_first_is_sent_first_although_only_the_later_waited() {
    const AGENT: &str = "Emulation.setUserAgentOverride";
    let mut world = World::open(&["A"]);
    let session = world.model.sessions_of("A").remove(0);
    world.stalled = true;
    let first = world.call(Some("A"), AGENT, r#"{"userAgent":"first"}"#);
    let detached = serde_json::json!({
        "method": "Target.detachedFromTarget",
        "params": {"sessionId": session, "targetId": "A"},
    });
    world.inject(detached.to_string());
    let second = world.call(Some("A"), AGENT, r#"{"userAgent":"second"}"#);
    world.drop_socket();
    world.reply(first);
    world.reply(second);
    let token = world.evaluate("A", "x");
    world.reply(token);
    let ran = world.model.done.last().map(|done| done.agent.as_str());
    assert_eq!(ran, Some("second"), "the last one wins");
    world.finish();
}

#[test]
fn the_first_retry_is_at_once_and_then_five_more_are_made_within_31_seconds() {
    let mut world = World::open(&["A"]);
    world.dialing = unreachable();
    let start = world.now;
    world.drop_socket();
    world.advance(Duration::from_secs(60));
    let after: Vec<f64> = world.dials[1..]
        .iter()
        .map(|at| at.duration_since(start).as_secs_f64())
        .collect();
    assert_eq!(after.len(), 6, "{after:?}");
    for (at, middle) in after.iter().zip([0.0, 1.0, 3.0, 7.0, 15.0, 31.0]) {
        assert!((at - middle).abs() <= 0.11 * middle, "{after:?}");
    }
    assert!(matches!(
        world.link.state(),
        State::Disconnected {
            cause: Cause::Unreachable(_)
        }
    ));
    assert_eq!(world.gaps.len(), 1);
    assert_eq!(world.gaps[0].to, None);
    world.finish();
}

#[test]
fn a_manual_reconnect_after_giving_up_brings_everything_back() {
    let mut world = World::open(&["A"]);
    world.call(
        Some("A"),
        "Emulation.setUserAgentOverride",
        r#"{"userAgent":"U"}"#,
    );
    world.dialing = unreachable();
    world.drop_socket();
    world.advance(Duration::from_secs(60));
    let refused = world.evaluate("A", "while down");
    assert!(matches!(
        world.end(refused),
        Some(Settlement::NotSent(NotSent::Disconnected(_)))
    ));
    world.dialing = Dialing::Open;
    world.link.reconnect(world.now);
    world.run();
    let token = world.evaluate("A", "x");
    world.reply(token);
    assert_eq!(
        world.model.done.last().map(|done| done.agent.as_str()),
        Some("U")
    );
    assert_eq!(
        world.gaps.last().map(|gap| (gap.from, gap.to)),
        Some((Epoch(1), Some(Epoch(2))))
    );
    world.finish();
}

/// The keeper's socket was lost before it could tell, and the next dial heard how the browser had ended.
#[test]
fn how_a_browser_ended_is_known_also_when_only_the_next_dial_hears_it() {
    let mut world = World::open(&["A"]);
    world.dialing = Dialing::Fail(DialError::Exited {
        status: "signal 9".into(),
    });
    world.drop_socket();
    world.run();
    assert!(matches!(
        world.link.state(),
        State::Disconnected {
            cause: Cause::ProcessExited { status }
        } if &**status == "signal 9"
    ));
    world.finish();
}

#[test]
fn refusals_are_final() {
    for cause in [
        Cause::CloseFrame {
            code: 1008,
            reason: "policy".into(),
        },
        Cause::CloseFrame {
            code: 4001,
            reason: "expired".into(),
        },
    ] {
        let mut world = World::open(&["A"]);
        let dials = world.dials.len();
        world.lose(cause);
        world.run();
        world.advance(Duration::from_secs(120));
        assert!(matches!(
            world.link.state(),
            State::Disconnected {
                cause: Cause::Refused { .. }
            }
        ));
        assert_eq!(world.dials.len(), dials);
        world.finish();
    }
    let mut world = World::open(&["A"]);
    world.dialing = Dialing::Fail(DialError::Refused {
        status: 401,
        reason: "who are you".into(),
    });
    world.drop_socket();
    world.advance(Duration::from_secs(120));
    assert_eq!(world.dials.len(), 2);
    assert!(matches!(
        world.link.state(),
        State::Disconnected {
            cause: Cause::Refused { status: 401, .. }
        }
    ));
    world.finish();
}

#[test]
fn close_codes_of_a_restarting_edge_reconnect() {
    for code in [1000, 1001, 1011, 1012] {
        let mut world = World::open(&["A"]);
        world.lose(Cause::CloseFrame {
            code,
            reason: "".into(),
        });
        world.run();
        world.advance(Duration::from_secs(2));
        assert_eq!(
            world.link.state(),
            &State::Connected { epoch: Epoch(2) },
            "{code}"
        );
        world.finish();
    }
}

#[test]
fn a_peer_that_says_not_now_is_not_dialed_at_once() {
    for code in [1011, 1012, 1013] {
        let mut world = World::open(&["A"]);
        let reason = "".into();
        world.lose(Cause::CloseFrame { code, reason });
        world.run();
        assert_eq!(world.dials.len(), 1, "{code}");
        world.advance(Duration::from_secs(2));
        assert_eq!(world.dials.len(), 2, "{code}");
        world.finish();
    }
}

#[test]
fn a_busy_endpoint_is_given_the_time_it_asks_for() {
    let mut world = World::open(&["A"]);
    world.dialing = Dialing::Fail(DialError::Busy {
        retry_after: Some(Duration::from_secs(8)),
    });
    world.drop_socket();
    let from = world.dials.len();
    world.advance(Duration::from_secs(7));
    assert_eq!(world.dials.len(), from);
    world.dialing = Dialing::Open;
    world.advance(Duration::from_secs(2));
    assert_eq!(world.link.state(), &State::Connected { epoch: Epoch(2) });
    world.finish();
}

#[test]
fn the_death_of_the_process_ends_it_at_once() {
    let mut world = World::open(&["A"]);
    world.stalled = true;
    let sent = world.evaluate("A", "1");
    world.kill();
    assert!(matches!(
        world.end(sent),
        Some(Settlement::OutcomeUnknown {
            cause: Cause::ProcessExited { .. }
        })
    ));
    let Some(State::Disconnected { cause }) = world.states.last().cloned() else {
        panic!("{:?}", world.states)
    };
    assert_eq!(cause.code(), "browser_gone");
    assert_eq!(world.dials.len(), 1);
    world.finish();
}

#[test]
fn the_death_of_the_process_is_known_after_the_socket_went() {
    let mut world = World::open(&["A"]);
    world.dialing = Dialing::Hang;
    world.drop_socket();
    let waiting = world.evaluate("A", "1");
    world.kill();
    assert!(matches!(
        world.end(waiting),
        Some(Settlement::NotSent(NotSent::Disconnected(
            Cause::ProcessExited { .. }
        )))
    ));
    // The dial that hung comes through after all, and is not used.
    world.accept();
    world.finish();
}

#[test]
fn a_browser_that_was_asked_to_close_is_not_looked_for() {
    let mut world = World::open(&["A"]);
    let token = world.call(None, "Browser.close", "{}");
    world.reply(token);
    world.drop_socket();
    assert!(matches!(
        world.link.state(),
        State::Disconnected {
            cause: Cause::BrowserClosed
        }
    ));
    assert_eq!(world.dials.len(), 1);
    world.finish();
}

#[test]
fn the_end_of_a_pipe_is_the_end_of_its_browser() {
    let mut world = World::new(&["A"]);
    world.info.transport = Transport::Pipe;
    world.start();
    world.drop_socket();
    assert!(matches!(
        world.link.state(),
        State::Disconnected {
            cause: Cause::ProcessExited { .. }
        }
    ));
    world.finish();
}

#[test]
fn another_browser_at_the_address_is_not_taken_for_ours() {
    let mut world = World::open(&["A"]);
    world.dialing = Dialing::Hang;
    world.drop_socket();
    let waiting = world.evaluate("A", "effect");
    world.model = crate::model::Model::with_tabs(&["Z"]);
    world.info.endpoint_identity = Some("uuid-2".to_owned());
    world.accept();
    world.run();
    assert!(matches!(
        world.end(waiting),
        Some(Settlement::NotSent(NotSent::Disconnected(
            Cause::BrowserReplaced
        )))
    ));
    assert_eq!(world.runs("effect"), 0);
    assert_eq!(world.gaps[0].identity, Identity::Replaced);
    assert!(!world.is_connected());
    world.finish();
}

#[test]
fn another_browser_is_taken_when_the_policy_says_so() {
    let config = Config {
        identity_policy: ReplacedPolicy::Accept,
        ..Config::default()
    };
    let mut world = World::with(&["A"], config);
    world.start();
    let set = world.call(
        None,
        "Browser.setDownloadBehavior",
        r#"{"behavior":"deny"}"#,
    );
    world.reply(set);
    world.dialing = Dialing::Hang;
    world.drop_socket();
    let waiting = world.evaluate("A", "effect");
    world.model = crate::model::Model::with_tabs(&["Z"]);
    world.info.endpoint_identity = Some("uuid-2".to_owned());
    world.accept();
    world.run();
    assert!(matches!(
        world.end(waiting),
        Some(Settlement::TargetGone(_))
    ));
    assert_eq!(world.gaps[0].gone.len(), 1);
    assert_eq!(world.gaps[0].new.len(), 1);
    assert!(
        world
            .model
            .browser_set
            .contains_key("Browser.setDownloadBehavior")
    );
    world.finish();
}

#[test]
fn the_same_address_without_a_known_tab_is_the_same_browser() {
    let mut world = World::open(&["A"]);
    world.dialing = Dialing::Hang;
    world.drop_socket();
    world.model.close("A");
    world.model.open("B", "about:blank");
    world.accept();
    world.run();
    assert_eq!(world.gaps[0].identity, Identity::SameEndpoint);
    assert_eq!(world.link.state(), &State::Connected { epoch: Epoch(2) });
    world.finish();
}

#[test]
fn a_person_who_does_not_click_is_not_asked_again() {
    let mut world = World::new(&["A"]);
    world.dialing = Dialing::Hang;
    world.link.open(world.now);
    world.run();
    world.link.dial_waits_for_human(world.now);
    world.run();
    assert!(matches!(world.link.state(), State::WaitingForHuman { .. }));
    world.link.dial_failed(
        world.now,
        DialError::Unreachable {
            reason: "timed out".into(),
        },
    );
    world.advance(Duration::from_secs(300));
    assert_eq!(world.dials.len(), 1);
    assert!(matches!(
        world.link.state(),
        State::Disconnected {
            cause: Cause::NotAllowed
        }
    ));
    world.finish();
}

#[test]
fn a_manual_reconnect_replaces_a_good_connection() {
    let mut world = World::open(&["A"]);
    world.link.reconnect(world.now);
    world.run();
    assert_eq!(world.link.state(), &State::Connected { epoch: Epoch(2) });
    assert_eq!(world.gaps[0].cause, Cause::Requested);
    world.finish();
}

#[test]
fn an_endpoint_that_accepts_and_drops_is_not_dialed_in_a_loop() {
    let mut world = World::open(&["A"]);
    for _ in 0..200 {
        world.drop_socket();
    }
    assert!(
        world.dials.len() < 10,
        "{} dials in no time",
        world.dials.len()
    );
    world.advance(Duration::from_secs(5));
    assert!(matches!(world.link.state(), State::Connected { .. }));
    world.finish();
}

#[test]
fn ids_of_the_old_connection_are_refused_and_ids_of_the_new_one_are_not() {
    let mut world = World::open(&["A"]);
    let old = world.call(Some("A"), "DOM.getDocument", "{}");
    assert!(
        world.reply(old).contains("\"nodeId\":1"),
        "as Chromium made it"
    );
    world.drop_socket();
    let stale = world.call(Some("A"), "DOM.focus", r#"{"nodeId":1}"#);
    assert!(
        matches!(
            world.end(stale),
            Some(Settlement::NotSent(NotSent::StaleHandle(_)))
        ),
        "{:?}",
        world.end(stale)
    );
    let fresh = world.call(Some("A"), "DOM.getDocument", "{}");
    let fresh: serde_json::Value = serde_json::from_str(world.reply(fresh)).expect("JSON");
    let node = fresh["root"]["nodeId"].clone();
    let used = world.call(Some("A"), "DOM.focus", &format!(r#"{{"nodeId":{node}}}"#));
    world.reply(used);
    assert_eq!(
        world
            .model
            .done
            .last()
            .map(|done| done.params["nodeId"].clone()),
        Some(1.into())
    );
    world.finish();
}
