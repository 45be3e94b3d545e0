//! Several callers share the one session of a tab: none takes from another what that one needs.
use keeptab_link::{Settlement, TargetChange, TargetId, Transport};
use keeptab_protocol::Raw;

use crate::world::World;

const RUNTIME: &str = "Runtime.enable";

/// What the browser was told about domains since then.
fn domains(world: &World, from: usize) -> Vec<&str> {
    let methods = world.model.done[from..]
        .iter()
        .map(|done| done.method.as_str());
    methods
        .filter(|method| method.ends_with("able") && !method.starts_with("Inspector"))
        .collect()
}

/// The contexts that callers were told of since then.
fn contexts(world: &World, from: usize) -> Vec<u64> {
    let events = world.events[from..].iter();
    events
        .filter(|event| &*event.method == "Runtime.executionContextCreated")
        .map(|event| {
            let params: serde_json::Value = event.params.parse().expect("JSON");
            params["context"]["id"].as_u64().expect("an id")
        })
        .collect()
}

fn messages(world: &World) -> usize {
    let said = |method: &str| method == "Runtime.consoleAPICalled";
    world
        .events
        .iter()
        .filter(|event| said(&event.method))
        .count()
}

#[test]
fn a_domain_that_one_caller_needs_stays_on_when_another_disables_it() {
    let mut world = World::open(&["A"]);
    for domain in ["Runtime", "Log", "Network"] {
        world.stand("A", &format!("{domain}.enable"));
        let from = world.model.done.len();
        let token = world.call(Some("A"), &format!("{domain}.disable"), "{}");
        assert_eq!(world.reply(token), "{}");
        let burst = [format!("{domain}.disable"), format!("{domain}.enable")];
        assert_eq!(domains(&world, from), burst);
    }
    world.model.log("A", 1);
    world.run();
    assert_eq!(messages(&world), 1, "the page is still heard");
    world.finish();
}

#[test]
fn nothing_else_is_sent_between_a_disable_and_what_keeps_the_domain_on() {
    let mut world = World::open(&["A"]);
    world.stand("A", RUNTIME);
    let from = world.model.done.len();
    world.post(Some("A"), "Runtime.disable", "{}");
    world.post(Some("A"), "Runtime.evaluate", r#"{"expression":"1"}"#);
    world.run();
    let sent: Vec<&str> = world.model.done[from..]
        .iter()
        .map(|done| done.method.as_str())
        .collect();
    assert_eq!(sent, ["Runtime.disable", RUNTIME, "Runtime.evaluate"]);
    world.finish();
}

#[test]
fn a_console_that_was_switched_on_again_says_that_it_tells_everything_once_more() {
    let mut world = World::open(&["A"]);
    world.stand("A", RUNTIME);
    world.changes.clear();
    world.call(Some("A"), "Runtime.disable", "{}");
    let id = TargetId::from("A");
    let told = [TargetChange::Retells(id.clone()), TargetChange::Ready(id)];
    assert_eq!(world.changes, told);
    world.finish();
}

#[test]
fn a_disable_takes_back_what_else_was_set_and_keeps_the_domain_through_a_loss() {
    let mut world = World::open(&["A"]);
    world.stand("A", RUNTIME);
    world.call(Some("A"), "Runtime.addBinding", r#"{"name":"b"}"#);
    world.call(Some("A"), "Runtime.disable", "{}");
    let from = world.model.done.len();
    world.drop_socket();
    world.run();
    assert_eq!(domains(&world, from), ["Page.enable", RUNTIME]);
    let bindings = |done: &crate::model::Done| done.method == "Runtime.addBinding";
    assert!(!world.model.done[from..].iter().any(bindings));
    world.finish();
}

#[test]
fn a_disable_that_nobody_objects_to_stays() {
    let mut world = World::open(&["A"]);
    world.call(Some("A"), RUNTIME, "{}");
    world.stand("A", "Network.enable");
    world.call(Some("A"), "Runtime.disable", "{}");
    let from = world.model.done.len();
    world.drop_socket();
    assert_eq!(domains(&world, from), ["Page.enable", "Network.enable"]);
    world.finish();
}

#[test]
fn the_next_process_knows_which_domains_are_needed() {
    let mut world = World::new(&["A"]);
    world.info.transport = Transport::Keeper;
    world.start();
    world.stand("A", RUNTIME);
    let kept = world.die();
    world.succeed(&kept);
    let from = world.model.done.len();
    let token = world.call(Some("A"), "Runtime.disable", "{}");
    world.reply(token);
    assert_eq!(domains(&world, from), ["Runtime.disable", RUNTIME]);
    world.finish();
}

#[test]
fn a_domain_that_cannot_be_switched_on_again_is_named() {
    let mut world = World::open(&["A"]);
    world.stand("A", RUNTIME);
    world.stalled = true;
    let token = world.call(Some("A"), "Runtime.disable", "{}");
    let session = world.model.sessions_of("A").remove(0);
    let ids = world.model.take();
    let id_of = |text: &String| {
        let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        value["id"].as_u64()
    };
    let id = ids.iter().filter_map(id_of).max().expect("the enable");
    world.inject(ids[0].clone());
    let error = serde_json::json!({"code": -32000, "message": "no"});
    let refusal = serde_json::json!({"id": id, "sessionId": session, "error": error});
    world.inject(refusal.to_string());
    world.reply(token);
    let named = world
        .changes
        .iter()
        .any(|change| matches!(change, TargetChange::NotRestored(lost) if lost.method == RUNTIME));
    assert!(named, "{:?}", world.changes);
    assert_eq!(lapses(&world), [(RUNTIME, true)]);
    world.stalled = false;
    world.finish();
}

#[test]
fn a_caller_who_enables_runtime_is_told_of_the_contexts_that_are_there() {
    let mut world = World::open(&["A"]);
    world.model.replace_contexts("A", &[1, 2]);
    world.stand("A", RUNTIME);
    assert_eq!(contexts(&world, 0), [1, 2]);
    for _ in 0..2 {
        let from = world.events.len();
        let token = world.call(Some("A"), RUNTIME, "{}");
        world.reply(token);
        assert_eq!(contexts(&world, from), [1, 2]);
    }
    world.model.log("A", 1);
    world.run();
    assert_eq!(messages(&world), 1, "no message is told twice");
    let from = world.events.len();
    world.stand("A", RUNTIME);
    assert_eq!(contexts(&world, from), [0; 0]);
    world.finish();
}

#[test]
fn only_contexts_that_are_still_there_are_told() {
    let mut world = World::open(&["A"]);
    world.model.replace_contexts("A", &[1, 2]);
    world.stand("A", RUNTIME);
    world.model.replace_contexts("A", &[3, 4]);
    world.run();
    let session = world.model.sessions_of("A").remove(0);
    let gone = serde_json::json!({
        "method": "Runtime.executionContextDestroyed",
        "sessionId": session,
        "params": {"executionContextId": 3},
    });
    world.inject(gone.to_string());
    let from = world.events.len();
    world.call(Some("A"), RUNTIME, "{}");
    assert_eq!(contexts(&world, from), [4]);
    world.model.replace_contexts("A", &[5]);
    world.drop_socket();
    let from = world.events.len();
    world.call(Some("A"), RUNTIME, "{}");
    assert_eq!(contexts(&world, from), [5]);
    world.finish();
}

#[test]
fn the_first_to_enable_runtime_is_told_once() {
    let mut world = World::open(&["A"]);
    world.model.replace_contexts("A", &[1]);
    world.call(Some("A"), RUNTIME, "{}");
    assert_eq!(contexts(&world, 0), [1]);
    world.call(Some("A"), "Runtime.disable", "{}");
    world.model.replace_contexts("A", &[2]);
    let from = world.events.len();
    world.call(Some("A"), RUNTIME, "{}");
    world.call(Some("A"), RUNTIME, "{}");
    assert_eq!(
        contexts(&world, from),
        [2, 2],
        "each call once, and nothing old"
    );
    world.finish();
}

#[test]
fn the_next_process_tells_of_contexts_that_the_one_before_was_told_of() {
    let mut world = World::new(&["A"]);
    world.info.transport = Transport::Keeper;
    world.start();
    world.model.replace_contexts("A", &[1, 2]);
    world.stand("A", RUNTIME);
    let kept = world.die();
    world.succeed(&kept);
    world.stand("A", RUNTIME);
    let from = world.events.len();
    world.call(Some("A"), RUNTIME, "{}");
    assert_eq!(contexts(&world, from), [1, 2]);
    world.finish();
}

#[test]
fn a_needed_domain_that_the_browser_refuses_is_not_switched_on_again() {
    let mut world = World::open(&["A"]);
    world.stalled = true;
    world.submitted += 1;
    let token = world.submitted;
    let route = keeptab_link::Route::Target(TargetId::from("A"));
    let name = keeptab_link::Token(token);
    let command = keeptab_link::Submit {
        standing: true,
        ..keeptab_link::Submit::new(name, route, RUNTIME, Raw::object_empty())
    };
    world.link.submit(world.now, command);
    world.run();
    let answer: serde_json::Value =
        serde_json::from_str(&world.model.take().remove(0)).expect("JSON");
    let error = serde_json::json!({"code": -32000, "message": "no"});
    let refusal = serde_json::json!({
        "id": answer["id"], "sessionId": answer["sessionId"], "error": error,
    });
    world.inject(refusal.to_string());
    assert!(matches!(world.end(token), Some(Settlement::Error(_))));
    world.stalled = false;
    let from = world.model.done.len();
    world.call(Some("A"), "Runtime.disable", "{}");
    assert_eq!(domains(&world, from), ["Runtime.disable"]);
    world.finish();
}

const AUTO: &str = r#"{"autoAttach":true,"waitForDebuggerOnStart":false,"flatten":true}"#;
const OFF: &str = r#"{"autoAttach":false,"waitForDebuggerOnStart":false}"#;

/// A page with a worker, to which one caller needs to be attached.
fn with_needed_worker() -> World {
    let mut world = World::open(&["A"]);
    world.model.start_worker("A", "W");
    world.stand_with("A", "Target.setAutoAttach", AUTO);
    world
}

fn asked_to_attach(world: &World, from: usize) -> Vec<bool> {
    let asked = world.model.done[from..].iter();
    asked
        .filter(|done| done.method == "Target.setAutoAttach")
        .map(|done| done.params["autoAttach"] == true)
        .collect()
}

#[test]
fn parts_of_a_page_that_one_caller_needs_stay_attached_when_another_lets_go() {
    let mut world = with_needed_worker();
    let from = world.model.done.len();
    let token = world.call(Some("A"), "Target.setAutoAttach", OFF);
    world.reply(token);
    assert_eq!(asked_to_attach(&world, from), [false, true]);
    let from = world.model.done.len();
    world.drop_socket();
    assert_eq!(asked_to_attach(&world, from), [true], "also after a loss");
    world.finish();
}

#[test]
fn who_asks_for_the_parts_of_a_page_is_told_of_those_that_another_needs() {
    let mut world = with_needed_worker();
    world.events.clear();
    let token = world.call(Some("A"), "Target.setAutoAttach", AUTO);
    world.reply(token);
    let told = world
        .events
        .iter()
        .filter(|event| &*event.method == "Target.attachedToTarget")
        .map(|event| event.params.parse::<serde_json::Value>().expect("JSON"));
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["sessionId"], "target:W");
    assert_eq!(told[0]["targetInfo"]["targetId"], "W");
    world.finish();
}

/// What was told of domains that were off for a moment: the method, and whether it stays off.
fn lapses(world: &World) -> Vec<(&str, bool)> {
    world
        .changes
        .iter()
        .filter_map(|change| match change {
            TargetChange::Lapsed(lapse) => Some((&*lapse.method, lapse.refused.is_some())),
            _ => None,
        })
        .collect()
}

#[test]
fn a_domain_that_tells_nothing_twice_and_was_off_for_a_moment_is_told() {
    let mut world = World::open(&["A"]);
    world.stand("A", "Network.enable");
    world.stand("A", RUNTIME);
    let before = world.now;
    world.call(Some("A"), "Runtime.disable", "{}");
    assert_eq!(lapses(&world), [], "it tells everything again");
    world.call(Some("A"), "Network.disable", "{}");
    assert_eq!(lapses(&world), [("Network.enable", false)]);
    let since = world.changes.iter().find_map(|change| match change {
        TargetChange::Lapsed(lapse) => Some(lapse.since),
        _ => None,
    });
    assert!(since.is_some_and(|since| since >= before && since <= world.now));
    world.finish();
}

#[test]
fn a_loss_before_a_domain_was_on_again_tells_that_it_was_off() {
    let mut world = World::open(&["A"]);
    world.stand("A", "Network.enable");
    world.stalled = true;
    world.post(Some("A"), "Network.disable", "{}");
    world.run();
    assert_eq!(lapses(&world), []);
    world.stalled = false;
    world.drop_socket();
    // The call is made again over the new connection, which is the second.
    assert_eq!(lapses(&world), [("Network.enable", false); 2]);
    world.finish();
}

#[test]
fn a_caller_who_detaches_from_what_another_needs_is_told_of() {
    let mut world = World::open(&["A", "B"]);
    world.stand("A", "Network.enable");
    for tab in ["A", "B"] {
        let params = format!(r#"{{"sessionId":"target:{tab}"}}"#);
        let token = world.call(None, "Target.detachFromTarget", &params);
        world.reply(token);
    }
    assert_eq!(lapses(&world), [("Target.detachFromTarget", true)]);
    world.finish();
}
