//! One process ends, and the next goes on with the same connection.
mod dialogs;
mod snapshots;

use std::time::Duration;

use keeptab_link::{
    Cause, DialInfo, Epoch, InFlight, Inheritance, Settlement, Snapshot, State, Stream, TargetId,
    Transport, Verdict,
};

use crate::world::World;

const UA: &str = "Emulation.setUserAgentOverride";
const SCRIPT: &str = "Page.addScriptToEvaluateOnNewDocument";

/// A browser behind a keeper.
fn kept(tabs: &[&str]) -> World {
    let mut world = World::new(tabs);
    world.info = by_keeper("12-1");
    world.start();
    world
}

fn by_keeper(connection: &str) -> DialInfo {
    DialInfo {
        endpoint_identity: Some(connection.to_owned()),
        transport: Transport::Keeper,
        inheritance: Inheritance {
            dropped: 2,
            in_flight: vec![InFlight::default()],
            ..Inheritance::default()
        },
    }
}

fn set(world: &mut World, tab: Option<&str>, method: &str, params: &str) {
    let token = world.call(tab, method, params);
    world.reply(token);
}

fn set_up(world: &mut World) {
    set(
        world,
        None,
        "Browser.grantPermissions",
        r#"{"permissions":["geolocation"]}"#,
    );
    set(world, Some("A"), UA, r#"{"userAgent":"U"}"#);
    set(world, Some("A"), SCRIPT, r#"{"source":"1"}"#);
    set(world, Some("A"), "Runtime.enable", "{}");
}

fn methods_since(world: &World, from: usize) -> Vec<String> {
    world.model.done[from..]
        .iter()
        .map(|done| done.method.clone())
        .collect()
}

fn condition(world: &World, tab: &str) -> &'static str {
    world
        .link
        .target(&TargetId::from(tab))
        .map_or("gone", |info| info.condition.name())
}

#[test]
fn the_same_connection_is_adopted_and_nothing_is_set_again() {
    let mut world = kept(&["A", "B"]);
    set_up(&mut world);
    let before = world.model.done.len();
    let left = world.die();
    world.succeed(&left);
    assert_eq!(world.link.state(), &State::Connected { epoch: Epoch(1) });
    let sent = methods_since(&world, before);
    let asks = [
        "Target.getTargets",
        "Inspector.enable",
        "Page.getFrameTree",
        "Runtime.evaluate",
        // Over a second session, which is given back.
        "Target.attachToTarget",
        "Runtime.enable",
        "Target.detachFromTarget",
    ];
    assert!(
        sent.iter().all(|method| asks.contains(&method.as_str())),
        "{sent:?}"
    );
    let token = world.evaluate("A", "after");
    world.reply(token);
    let ran = world.model.done.last().expect("ran");
    assert_eq!((ran.agent.as_str(), ran.scripts), ("U", 1));

    // The script is still known by its id, and goes once.
    set(
        &mut world,
        Some("A"),
        "Page.removeScriptToEvaluateOnNewDocument",
        r#"{"identifier":"1"}"#,
    );
    let token = world.evaluate("A", "without");
    world.reply(token);
    assert_eq!(world.model.done.last().expect("ran").scripts, 0);
    world.finish();
}

#[test]
fn the_gap_says_what_nobody_saw() {
    let mut world = kept(&["A", "B"]);
    set_up(&mut world);
    set(&mut world, Some("A"), "Network.enable", "{}");
    let left = world.die();
    world.model.close("B");
    world.model.open("C", "http://c/");
    world.succeed(&left);
    let [gap] = world.gaps.as_slice() else {
        panic!("{:?}", world.gaps)
    };
    assert_eq!((gap.from, gap.to), (Epoch(1), Some(Epoch(1))));
    assert_eq!(gap.cause, Cause::OwnerEnded);
    assert_eq!(gap.handover.map(|handover| handover.dropped), Some(2));
    assert!(!gap.nothing_missed() && !gap.zombie);
    assert_eq!(gap.duration(), Duration::from_secs(3));
    let verdict = |wanted: Stream| {
        let stream = gap.streams.iter().find(|stream| stream.stream == wanted);
        stream.expect("it was on").verdict
    };
    assert_eq!(verdict(Stream::Console), Verdict::Partial);
    assert_eq!(verdict(Stream::Network), Verdict::Unknown);
    let ids = |infos: &[keeptab_link::TargetInfo]| -> Vec<String> {
        infos.iter().map(|info| info.id.to_string()).collect()
    };
    assert_eq!(
        (ids(&gap.gone), ids(&gap.new)),
        (vec!["B".into()], vec!["C".into()])
    );
    assert!(gap.not_restored.is_empty() && gap.without_init_scripts.is_empty());
    let token = world.evaluate("C", "1");
    world.reply(token);
    world.finish();
}

#[test]
fn an_id_that_was_handed_out_before_is_accepted_after() {
    let mut world = kept(&["A"]);
    let left = world.die();
    world.succeed(&left);
    let token = world.call(
        Some("A"),
        "Runtime.callFunctionOn",
        r#"{"functionDeclaration":"f","objectId":"1.2.3"}"#,
    );
    world.reply(token);
    let done = world.model.done.last().expect("done");
    assert_eq!(done.params["objectId"], "1.2.3");
    world.finish();
}

#[test]
fn another_connection_to_the_same_browser_is_restored() {
    let mut world = kept(&["A"]);
    set_up(&mut world);
    let left = world.die();
    // The keeper that had the connection is gone; the tabs are not.
    world.model.connect();
    world.info = by_keeper("13-9");
    let before = world.model.done.len();
    world.succeed(&left);
    assert_eq!(world.link.state(), &State::Connected { epoch: Epoch(2) });
    let sent = methods_since(&world, before);
    for method in ["Browser.grantPermissions", UA, SCRIPT, "Runtime.enable"] {
        assert!(sent.iter().any(|sent| sent == method), "{method}: {sent:?}");
    }
    assert!(world.gaps[0].handover.is_none());
    let token = world.evaluate("A", "after");
    world.reply(token);
    let ran = world.model.done.last().expect("ran");
    assert_eq!((ran.agent.as_str(), ran.scripts), ("U", 1));
    // Ids of before are refused: they may mean something else now.
    let stale = world.call(
        Some("A"),
        "Runtime.callFunctionOn",
        r#"{"functionDeclaration":"f","objectId":"1.2.3"}"#,
    );
    assert!(matches!(world.end(stale), Some(Settlement::NotSent(_))));
    world.finish();
}

#[test]
fn another_browser_is_never_taken_for_the_old_one() {
    let mut world = kept(&["A"]);
    set_up(&mut world);
    let left = world.die();
    world.model.close("A");
    world.model.open("Z", "http://z/");
    world.model.connect();
    world.info = by_keeper("99-1");
    world.succeed(&left);
    assert_eq!(
        world.link.state(),
        &State::Disconnected {
            cause: Cause::BrowserReplaced
        }
    );
    world.finish();
}

#[test]
fn an_owner_that_lost_only_its_socket_goes_on_in_the_same_epoch() {
    let mut world = kept(&["A"]);
    set_up(&mut world);
    set(&mut world, Some("A"), "Profiler.start", "{}");
    let before = world.model.done.len();
    world.lose(Cause::Eof);
    world.run();
    assert_eq!(world.link.state(), &State::Connected { epoch: Epoch(1) });
    let sent = methods_since(&world, before);
    assert!(
        !sent.iter().any(|method| method == UA || method == SCRIPT),
        "{sent:?}"
    );
    assert!(
        world.gaps[0].not_restored.is_empty(),
        "the recording goes on"
    );
    world.finish();
}

#[test]
fn a_second_loss_while_taking_over_starts_over() {
    for cut in 1..8 {
        let mut world = kept(&["A", "B"]);
        set_up(&mut world);
        let left = world.die();
        world.cut_after = Some(cut);
        world.succeed(&left);
        world.advance(Duration::from_secs(5));
        assert_eq!(
            world.link.state(),
            &State::Connected { epoch: Epoch(1) },
            "cut after {cut}"
        );
        let token = world.evaluate("A", "after");
        world.reply(token);
        assert_eq!(world.model.done.last().expect("ran").scripts, 1);
        world.finish();
    }
}

#[test]
fn nobody_listens_where_the_browser_was() {
    let mut world = kept(&["A"]);
    let left = world.die();
    world.dialing = crate::world::Dialing::Fail(keeptab_link::DialError::Unreachable {
        reason: "refused".into(),
    });
    world.succeed(&left);
    assert!(
        matches!(world.link.state(), State::Disconnected { .. }),
        "a first dial that fails is reported at once: {:?}",
        world.link.state()
    );
}

#[test]
fn what_the_console_has_kept_is_told_to_the_first_who_listens() {
    let mut world = kept(&["A"]);
    set_up(&mut world);
    let left = world.die();
    world.succeed(&left);
    let before = world.model.done.len();
    set(&mut world, Some("A"), "Runtime.enable", "{}");
    let sent = methods_since(&world, before);
    let enabled = sent.iter().filter(|method| *method == "Runtime.enable");
    assert_eq!(enabled.count(), 2, "once over a second session: {sent:?}");
    assert!(
        sent.iter()
            .any(|method| method == "Target.detachFromTarget"),
        "which is given back: {sent:?}"
    );
    let before = world.model.done.len();
    set(&mut world, Some("A"), "Runtime.enable", "{}");
    assert_eq!(methods_since(&world, before), ["Runtime.enable"]);
    world.finish();
}

/// The times of the messages that were told.
fn told(world: &World) -> Vec<f64> {
    let messages = world
        .events
        .iter()
        .filter(|event| &*event.method == "Runtime.consoleAPICalled");
    messages
        .map(|event| {
            let params: serde_json::Value = event.params.parse().expect("JSON");
            params["timestamp"].as_f64().expect("a time")
        })
        .collect()
}

/// A message comes over the session that was adopted.
fn say(world: &mut World, session: &str, time: u32) {
    let mut event = crate::model::message(time);
    event["sessionId"] = session.into();
    world.inject(event.to_string());
}

#[test]
fn a_message_is_told_once_whichever_session_says_it_first() {
    let mut world = kept(&["A"]);
    set_up(&mut world);
    let ours = world.model.sessions_of("A").remove(0);
    world.model.log("A", 1);
    world.run();
    assert_eq!(told(&world), [1.0]);
    let left = world.die();
    world.model.log("A", 2);
    world.succeed(&left);
    // Nobody in this process listens yet, and the browser keeps it.
    world.model.log("A", 3);
    world.run();
    assert!(told(&world).is_empty());
    world.stalled = true;
    let enabled = world.call(Some("A"), "Runtime.enable", "{}");
    // The browser keeps no order between two sessions: one message is said by ours before the other
    // session tells it, one after, and one only by ours.
    say(&mut world, &ours, 3);
    say(&mut world, &ours, 9);
    world.stalled = false;
    world.model.log("A", 4);
    world.run();
    world.reply(enabled);
    say(&mut world, &ours, 2);
    assert_eq!(told(&world), [1.0, 2.0, 3.0, 4.0, 9.0]);
    world.model.log("A", 10);
    world.model.log("A", 11);
    world.run();
    assert_eq!(told(&world)[5..], [10.0, 11.0]);
    world.finish();
}

#[test]
fn what_was_in_flight_when_the_owner_died_is_named() {
    let mut world = kept(&["A"]);
    set_up(&mut world);
    let session = world.model.sessions_of("A").remove(0);
    let left = world.die();
    let command = |method: &str, session: Option<&str>| InFlight {
        method: Some(method.into()),
        session: session.map(Into::into),
    };
    world.info.inheritance.in_flight = vec![
        command("Page.navigate", Some(&session)),
        command("Runtime.getHeapUsage", Some(&session)),
        command("Browser.close", None),
        // Of a tab that nobody knows, and of a keeper that names nothing.
        command("Page.navigate", Some("FFFF")),
        InFlight::default(),
    ];
    world.succeed(&left);
    let gap = &world.gaps[0];
    let named: Vec<_> = gap
        .unknown
        .iter()
        .map(|unknown| {
            (
                &*unknown.method,
                unknown.target.as_ref().map(|id| id.as_str()),
            )
        })
        .collect();
    assert_eq!(
        named,
        [("Page.navigate", Some("A")), ("Browser.close", None)]
    );
    assert_eq!(gap.handover.map(|handover| handover.in_flight), Some(3));
    world.finish();
}

#[test]
fn settings_move_to_the_tabs_of_a_browser_that_was_started_anew() {
    let mut world = kept(&["A", "B"]);
    set_up(&mut world);
    set(&mut world, Some("B"), UA, r#"{"userAgent":"V"}"#);
    set(&mut world, Some("A"), "Profiler.start", "{}");
    let left = Snapshot::from_bytes(&world.die()).expect("a snapshot");
    for tab in ["A", "B"] {
        world.model.close(tab);
    }
    world.model.open("X", "http://a/");
    world.model.open("Y", "http://other/");
    world.model.connect();
    world.info = by_keeper("99-1");
    let moved = left.moved(&[("A".into(), "X".into())]);
    assert_eq!(moved.targets().map(|(id, _)| id).collect::<Vec<_>>(), ["X"]);
    let before = world.model.done.len();
    world.succeed(&moved.to_bytes());
    assert_eq!(world.link.state(), &State::Connected { epoch: Epoch(2) });
    let [gap] = world.gaps.as_slice() else {
        panic!("{:?}", world.gaps)
    };
    assert_eq!(gap.cause, Cause::BrowserReplaced);
    assert!(!gap.same_browser() && gap.handover.is_none());
    let lost: Vec<_> = gap.not_restored.iter().map(|lost| &*lost.method).collect();
    assert_eq!(lost, ["Profiler.start"], "a recording cannot be moved");
    let sent = methods_since(&world, before);
    assert!(
        sent.iter()
            .any(|method| method == "Browser.grantPermissions")
    );
    for (tab, agent, scripts) in [("X", "U", 1), ("Y", "", 0)] {
        let token = world.evaluate(tab, "after");
        world.reply(token);
        let ran = world.model.done.last().expect("ran");
        assert_eq!((ran.agent.as_str(), ran.scripts), (agent, scripts), "{tab}");
    }
    // Nothing of the old browser is taken for something of the new one.
    let gone = world.evaluate("A", "old");
    assert!(matches!(world.end(gone), Some(Settlement::TargetGone(_))));
    let stale = world.call(
        Some("X"),
        "Runtime.callFunctionOn",
        r#"{"functionDeclaration":"f","objectId":"1.2.3"}"#,
    );
    assert!(matches!(world.end(stale), Some(Settlement::NotSent(_))));
    world.finish();
}

#[test]
fn a_script_whose_answer_was_lost_with_the_keepers_socket_is_not_added_twice() {
    let mut world = kept(&["A"]);
    let token = world.evaluate("A", "before");
    world.reply(token);
    world.stalled = true;
    let added = world.call(Some("A"), SCRIPT, r#"{"source":"1"}"#);
    let read = world.call(Some("A"), "DOM.getDocument", "{}");
    world.lose(Cause::Eof);
    world.run();
    assert_eq!(world.link.state(), &State::Connected { epoch: Epoch(1) });
    assert!(matches!(
        world.end(added),
        Some(Settlement::OutcomeUnknown { .. })
    ));
    world.reply(read);
    let [gap] = world.gaps.as_slice() else {
        panic!("{:?}", world.gaps)
    };
    assert_eq!((gap.unknown.len(), &*gap.unknown[0].method), (1, SCRIPT));
    assert_eq!(gap.repeated, 1, "the read alone");
    let token = world.evaluate("A", "after");
    world.reply(token);
    assert_eq!(world.model.done.last().expect("ran").scripts, 1);
    world.finish();
}
