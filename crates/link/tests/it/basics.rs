//! Commands and events on a connection that holds.
use std::time::Duration;

use keeptab_link::{
    Config, Limits, NotSent, Route, Settlement, State, Str, Submit, TargetEnd, TargetId, Token,
};
use keeptab_protocol::Raw;

use crate::world::World;

#[test]
fn a_command_is_answered_by_the_target_it_was_meant_for() {
    let mut world = World::open(&["A", "B"]);
    let (a, b) = (world.evaluate("A", "'a'"), world.evaluate("B", "'b'"));
    assert!(world.reply(a).contains("'a'"));
    assert!(world.reply(b).contains("'b'"));
    let on = |expression: &str| {
        world
            .model
            .done
            .iter()
            .find(|done| done.params["expression"] == expression)
            .and_then(|done| done.tab.clone())
    };
    assert_eq!(on("'a'").as_deref(), Some("A"));
    assert_eq!(on("'b'").as_deref(), Some("B"));
    world.finish();
}

#[test]
fn a_browser_error_is_an_error_with_its_words() {
    let mut world = World::open(&["A"]);
    let token = world.call(Some("A"), "Page.handleJavaScriptDialog", "{}");
    let Some(Settlement::Error(error)) = world.end(token) else {
        panic!("{:?}", world.end(token))
    };
    assert_eq!(
        (error.code, error.message.as_str()),
        (-32000, "No dialog is showing")
    );
    world.finish();
}

#[test]
fn commands_before_the_connection_wait_for_it() {
    let mut world = World::new(&["A"]);
    let (browser, tab) = (
        world.post(None, "Browser.getVersion", "{}"),
        world.post(Some("A"), "Runtime.evaluate", "{}"),
    );
    world.start();
    world.reply(browser);
    world.reply(tab);
    world.finish();
}

#[test]
fn raw_session_ids_never_leave_and_a_handle_attaches_and_detaches() {
    let mut world = World::open(&["A"]);
    let token = world.call(
        None,
        "Target.attachToTarget",
        r#"{"targetId":"A","flatten":true}"#,
    );
    assert_eq!(world.reply(token), r#"{"sessionId":"target:A"}"#);
    let token = world.call(
        None,
        "Target.detachFromTarget",
        r#"{"sessionId":"target:A"}"#,
    );
    assert_eq!(world.reply(token), "{}");
    for event in &world.events {
        assert!(!event.params.as_str().contains("\"S1-"), "{event:?}");
    }
    assert!(
        world
            .events
            .iter()
            .any(|event| event.method == "Target.detachedFromTarget")
    );
    // The next command attaches again.
    let token = world.evaluate("A", "1");
    world.reply(token);
    world.finish();
}

#[test]
fn what_works_on_raw_sessions_is_refused_with_the_way_to_go() {
    let mut world = World::open(&["A"]);
    let token = world.call(None, "Target.sendMessageToTarget", r#"{"message":"{}"}"#);
    assert!(matches!(
        world.end(token),
        Some(Settlement::NotSent(NotSent::Unsupported { .. }))
    ));
    world.finish();
}

#[test]
fn a_target_that_does_not_exist_is_gone_and_no_other_is_touched() {
    let mut world = World::open(&["A"]);
    let before = world.model.done.len();
    let token = world.evaluate("NOPE", "1");
    assert_eq!(
        world.end(token),
        Some(&Settlement::TargetGone(TargetEnd::Unknown))
    );
    assert_eq!(world.runs("1"), 0);
    assert_eq!(
        world.model.done.len(),
        before + 1,
        "only the question whether it exists"
    );
    assert_eq!(world.link.targets().count(), 1);
    world.finish();
}

#[test]
fn time_runs_out_for_sent_and_unsent_commands_and_late_answers_are_dropped() {
    let mut world = World::open(&["A"]);
    world.stalled = true;
    let sent = world.evaluate("A", "1");
    // Something comes now and then, so the connection lives.
    for _ in 0..10 {
        world.advance(Duration::from_secs(4));
        world.link.alive(world.now);
    }
    assert_eq!(world.end(sent), Some(&Settlement::Deadline { sent: true }));
    world.stalled = false;
    world.run();
    assert_eq!(world.link.health(world.now).counters.late, 1);
    world.finish();

    let mut world = World::new(&["A"]);
    let unsent = world.post(Some("A"), "Runtime.evaluate", "{}");
    world.advance(Duration::from_secs(31));
    assert_eq!(
        world.end(unsent),
        Some(&Settlement::Deadline { sent: false })
    );
    world.finish();
}

#[test]
fn a_setting_that_is_answered_late_is_in_the_ledger_all_the_same() {
    let mut world = World::open(&["A"]);
    world.stalled = true;
    world.post(
        Some("A"),
        "Emulation.setUserAgentOverride",
        r#"{"userAgent":"U"}"#,
    );
    for _ in 0..10 {
        world.advance(Duration::from_secs(4));
        world.link.alive(world.now);
    }
    world.stalled = false;
    world.run();
    world.drop_socket();
    let token = world.evaluate("A", "x");
    world.reply(token);
    assert_eq!(
        world.model.done.last().map(|done| done.agent.as_str()),
        Some("U")
    );
    world.finish();
}

#[test]
fn too_large_too_many_and_not_json_are_refused_before_they_are_sent() {
    let limits = Limits {
        max_command: 100,
        per_target: 2,
        in_flight: 3,
        ..Limits::default()
    };
    let mut world = World::with(
        &["A"],
        Config {
            limits,
            ..Config::default()
        },
    );
    let large = world.post(None, "A.b", &format!("{{\"x\":\"{}\"}}", "y".repeat(100)));
    let broken = world.post(None, "Browser.getVersion", "{},\"sessionId\":\"X\"");
    let waiting: Vec<u64> = (0..3)
        .map(|_| world.post(Some("A"), "Runtime.evaluate", "{}"))
        .collect();
    world.run();
    assert!(matches!(
        world.end(large),
        Some(Settlement::NotSent(NotSent::TooLarge { .. }))
    ));
    assert_eq!(
        world.end(broken),
        Some(&Settlement::NotSent(NotSent::InvalidParams))
    );
    assert_eq!(world.end(waiting[1]), None);
    assert!(matches!(
        world.end(waiting[2]),
        Some(Settlement::NotSent(NotSent::Overloaded { limit: 2, .. }))
    ));
    world.start();
    world.stalled = true;
    for _ in 0..4 {
        world.evaluate("A", "1");
    }
    assert!(matches!(
        world.end(world.submitted),
        Some(Settlement::NotSent(NotSent::Overloaded { limit: 3, .. }))
    ));
    world.finish();
}

#[test]
fn a_cancelled_command_is_not_told_and_an_unsent_one_is_never_sent() {
    let mut world = World::new(&["A"]);
    let method = Str::from_static("Runtime.evaluate");
    let params = Raw::from_static(r#"{"expression":"effect"}"#);
    let route = Route::Target(TargetId::from("A"));
    world
        .link
        .submit(world.now, Submit::new(Token(900), route, method, params));
    world.link.cancel(Token(900));
    world.start();
    world.advance(Duration::from_secs(60));
    assert!(!world.settled.contains_key(&900));
    assert_eq!(world.runs("effect"), 0);
    world.finish();
}

#[test]
fn on_demand_attaches_to_nothing_by_itself() {
    let config = Config {
        attach: keeptab_link::AttachPolicy::OnDemand,
        ..Config::default()
    };
    let mut world = World::with(&["A", "B"], config);
    world.start();
    assert!(
        !world
            .model
            .done
            .iter()
            .any(|done| done.method == "Target.attachToTarget")
    );
    let token = world.evaluate("A", "1");
    world.reply(token);
    let attached = world
        .model
        .done
        .iter()
        .filter(|done| done.method == "Target.attachToTarget")
        .count();
    assert_eq!(attached, 1);
    world.finish();
}

#[test]
fn a_tab_opened_later_is_attached_by_itself() {
    let mut world = World::open(&["A"]);
    world.model.open("B", "http://b/");
    world.run();
    let info = world.link.target(&TargetId::from("B")).expect("known");
    assert!(info.attached);
    assert_eq!(info.url, "http://b/");
    world.finish();
}

#[test]
fn a_caller_that_asks_for_targets_is_told_of_all_of_them() {
    let mut world = World::open(&["A", "B"]);
    world.events.clear();
    let token = world.call(None, "Target.setDiscoverTargets", r#"{"discover":true}"#);
    world.reply(token);
    let told = world
        .events
        .iter()
        .filter(|event| event.method == "Target.targetCreated")
        .count();
    assert_eq!(told, 2);
    let token = world.call(None, "Target.setDiscoverTargets", r#"{"discover":false}"#);
    world.reply(token);
    world.model.open("C", "about:blank");
    world.run();
    assert!(
        world.link.target(&TargetId::from("C")).is_some(),
        "the link itself goes on"
    );
    world.finish();
}

#[test]
fn the_first_failure_to_connect_is_reported_at_once() {
    let mut world = World::new(&[]);
    world.dialing = crate::world::Dialing::Fail(keeptab_link::DialError::Unreachable {
        reason: "refused".into(),
    });
    let waiting = world.post(None, "Browser.getVersion", "{}");
    world.link.open(world.now);
    world.run();
    assert!(matches!(world.link.state(), State::Disconnected { .. }));
    assert!(matches!(
        world.end(waiting),
        Some(Settlement::NotSent(NotSent::Disconnected(_)))
    ));
    world.dialing = crate::world::Dialing::Open;
    world.link.reconnect(world.now);
    world.run();
    assert!(matches!(world.link.state(), State::Connected { .. }));
    world.finish();
}
