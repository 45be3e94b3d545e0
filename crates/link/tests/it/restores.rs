//! What was set is in force again before the first command runs.
use std::time::Duration;

use keeptab_link::{Cause, Config, Settlement, State};

use crate::world::{Dialing, World};

const UA: &str = "Emulation.setUserAgentOverride";

fn set_up(world: &mut World) {
    for (tab, method, params) in [
        (
            None,
            "Browser.grantPermissions",
            r#"{"permissions":["geolocation"]}"#,
        ),
        (Some("A"), "Runtime.enable", "{}"),
        (Some("A"), UA, r#"{"userAgent":"U"}"#),
        (
            Some("A"),
            "Page.addScriptToEvaluateOnNewDocument",
            r#"{"source":"1"}"#,
        ),
        (Some("A"), "Runtime.addBinding", r#"{"name":"b"}"#),
        (Some("A"), "Fetch.enable", "{}"),
        (
            Some("B"),
            "Emulation.setTimezoneOverride",
            r#"{"timezoneId":"Asia/Tokyo"}"#,
        ),
    ] {
        let token = world.call(tab, method, params);
        world.reply(token);
    }
}

/// What the browser carried out over its present connection.
fn present(world: &World, tab: Option<&str>) -> Vec<String> {
    let of_connection = |done: &&crate::model::Done| {
        done.connection == world.model.connection && done.tab.as_deref() == tab
    };
    world
        .model
        .done
        .iter()
        .filter(of_connection)
        .map(|done| done.method.clone())
        .collect()
}

#[test]
fn everything_is_set_again_in_order_before_the_first_command() {
    let mut world = World::open(&["A", "B"]);
    set_up(&mut world);
    world.lose(Cause::Eof);
    let token = world.evaluate("A", "user");
    world.reply(token);
    assert_eq!(
        present(&world, Some("A")),
        [
            "Inspector.enable",
            "Fetch.enable",
            "Page.enable",
            "Page.getFrameTree",
            "Page.addScriptToEvaluateOnNewDocument",
            "Runtime.addBinding",
            UA,
            "Runtime.enable",
            "Runtime.evaluate",
            "Runtime.evaluate",
        ]
    );
    let browser = present(&world, None);
    assert_eq!(
        browser[..3],
        [
            "Target.getTargets",
            "Target.setDiscoverTargets",
            "Browser.grantPermissions"
        ]
    );
    let done = world.model.done.last().expect("ran");
    assert_eq!((done.agent.as_str(), done.scripts), ("U", 1));
    world.finish();
}

#[test]
fn a_second_loss_at_any_step_starts_over() {
    let mut steps = 0;
    for step in 1.. {
        let mut world = World::open(&["A", "B"]);
        set_up(&mut world);
        world.cut_after = Some(step);
        world.lose(Cause::Eof);
        let token = world.evaluate("A", "user");
        let survived = world.cut_after.is_some();
        world.advance(Duration::from_secs(3));
        world.cut_after = None;
        // The cut may have taken the answer of the effect itself.
        assert!(world.runs("user") <= 1, "step {step}");
        if world.runs("user") == 1 {
            let done = world
                .model
                .done
                .iter()
                .find(|done| done.params["expression"] == "user")
                .expect("ran");
            assert_eq!((done.agent.as_str(), done.scripts), ("U", 1), "step {step}");
        }
        assert!(world.end(token).is_some(), "step {step}");
        assert!(
            matches!(world.link.state(), State::Connected { .. }),
            "step {step}: {:?}",
            world.link.state()
        );
        let check = world.evaluate("A", "after");
        world.reply(check);
        assert_eq!(
            world.model.done.last().map(|done| done.agent.as_str()),
            Some("U"),
            "step {step}"
        );
        world.finish();
        if survived {
            break;
        }
        steps = step;
    }
    assert!(steps >= 12, "only {steps} steps were cut");
}

#[test]
fn what_was_taken_back_stays_away() {
    let mut world = World::open(&["A"]);
    world.call(Some("A"), UA, r#"{"userAgent":"U"}"#);
    world.call(
        Some("A"),
        "Network.setUserAgentOverride",
        r#"{"userAgent":""}"#,
    );
    world.call(Some("A"), "Network.enable", "{}");
    world.call(
        Some("A"),
        "Network.setExtraHTTPHeaders",
        r#"{"headers":{}}"#,
    );
    world.call(Some("A"), "Network.disable", "{}");
    world.drop_socket();
    assert_eq!(
        present(&world, Some("A")),
        ["Inspector.enable", "Page.enable", "Page.getFrameTree"]
    );
    world.finish();
}

#[test]
fn a_setting_in_flight_at_the_loss_is_made_once_more_and_answered() {
    let mut world = World::open(&["A"]);
    world.stalled = true;
    let token = world.call(Some("A"), UA, r#"{"userAgent":"U"}"#);
    world.drop_socket();
    world.reply(token);
    let check = world.evaluate("A", "x");
    world.reply(check);
    assert_eq!(
        world.model.done.last().map(|done| done.agent.as_str()),
        Some("U")
    );
    world.finish();
}

#[test]
fn a_setting_that_the_browser_refused_is_not_kept() {
    let mut world = World::open(&["A"]);
    world.model.zone_held = true;
    let token = world.call(
        Some("A"),
        "Emulation.setTimezoneOverride",
        r#"{"timezoneId":"Mars"}"#,
    );
    assert!(matches!(world.end(token), Some(Settlement::Error(_))));
    world.drop_socket();
    assert!(!present(&world, Some("A")).contains(&"Emulation.setTimezoneOverride".to_owned()));
    world.finish();
}

#[test]
fn an_init_script_keeps_the_id_that_its_caller_knows() {
    let mut world = World::open(&["A"]);
    let add = |world: &mut World| {
        world.call(
            Some("A"),
            "Page.addScriptToEvaluateOnNewDocument",
            r#"{"source":"1"}"#,
        )
    };
    add(&mut world);
    let second = add(&mut world);
    assert_eq!(world.reply(second), r#"{"identifier":"2"}"#);
    world.call(
        Some("A"),
        "Page.removeScriptToEvaluateOnNewDocument",
        r#"{"identifier":"1"}"#,
    );
    world.drop_socket();
    let gone = world.call(
        Some("A"),
        "Page.removeScriptToEvaluateOnNewDocument",
        r#"{"identifier":"2"}"#,
    );
    world.reply(gone);
    let check = world.evaluate("A", "x");
    world.reply(check);
    assert_eq!(world.model.done.last().map(|done| done.scripts), Some(0));
    world.finish();
}

#[test]
fn a_leftover_that_holds_another_zone_is_waited_for() {
    let mut world = World::open(&["A", "B"]);
    set_up(&mut world);
    world.model.zone_held = true;
    world.drop_socket();
    let blocked = world.evaluate("B", "in B");
    let free = world.evaluate("A", "in A");
    world.reply(free);
    assert_eq!(world.end(blocked), None);
    world.advance(Duration::from_secs(10));
    assert_eq!(world.runs("in B"), 0);
    world.model.zone_held = false;
    world.advance(Duration::from_secs(2));
    world.reply(blocked);
    world.finish();
}

#[test]
fn a_leftover_that_stays_is_named_and_the_tab_goes_on() {
    let mut world = World::open(&["B"]);
    world.call(
        Some("B"),
        "Emulation.setTimezoneOverride",
        r#"{"timezoneId":"Asia/Tokyo"}"#,
    );
    world.model.zone_held = true;
    world.drop_socket();
    world.advance(Duration::from_secs(60));
    let named = world.changes.iter().any(|change| {
        matches!(change, keeptab_link::TargetChange::NotRestored(lost) if lost.method == "Emulation.setTimezoneOverride")
    });
    assert!(named);
    let token = world.evaluate("B", "x");
    world.reply(token);
    world.finish();
}

#[test]
fn keys_and_buttons_that_were_down_are_released() {
    let mut world = World::open(&["A"]);
    world.call(
        Some("A"),
        "Input.dispatchKeyEvent",
        r#"{"type":"rawKeyDown","key":"Shift","code":"ShiftLeft"}"#,
    );
    world.call(
        Some("A"),
        "Input.dispatchMouseEvent",
        r#"{"type":"mousePressed","x":1,"y":2,"button":"left"}"#,
    );
    world.drop_socket();
    let released: Vec<String> = world
        .model
        .done
        .iter()
        .filter(|done| done.connection == 2 && done.method.starts_with("Input."))
        .map(|done| done.params["type"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(released, ["keyUp", "mouseReleased"]);
    world.finish();
}

#[test]
fn a_link_switches_its_own_domains_on_again() {
    let mut world = World::open(&["A"]);
    let token = world.call(Some("A"), "Page.disable", "{}");
    world.reply(token);
    let asked = world.evaluate("A", "alert()");
    world.advance_ms(200);
    assert!(matches!(
        world.end(asked),
        Some(Settlement::DialogOpen { .. })
    ));
    world.finish();
}

#[test]
fn a_thousand_losses_leave_nothing_behind() {
    let config = Config {
        seed: 9,
        ..Config::default()
    };
    let mut world = World::with(&["A", "B"], config);
    world.start();
    set_up(&mut world);
    for _ in 0..1000 {
        world.drop_socket();
        world.advance_ms(400);
    }
    assert_eq!(world.link.epoch().0, 1001);
    assert_eq!(world.link.health(world.now).in_flight, 0);
    assert_eq!(world.link.targets().count(), 2);
    let token = world.evaluate("A", "x");
    world.reply(token);
    assert_eq!(
        world
            .model
            .done
            .last()
            .map(|done| (done.agent.as_str(), done.scripts)),
        Some(("U", 1))
    );
    world.finish();
}

/// To the heartbeat it is a good one: bytes come.
#[test]
fn a_new_connection_that_talks_and_does_not_answer_is_left() {
    let mut world = World::open(&["A"]);
    world.dialing = Dialing::Hang;
    world.drop_socket();
    world.accept();
    world.stalled = true;
    for _ in 0..10 {
        assert_eq!(world.dials.len(), 2);
        world.link.alive(world.now);
        world.advance(Duration::from_secs(1));
    }
    assert_eq!(world.dials.len(), 3, "{:?}", world.states.last());
    world.accept();
    world.run();
    assert_eq!((world.gaps.len(), world.gaps[0].losses), (1, 2));
    world.finish();
}

#[test]
fn a_browser_wide_setting_that_is_refused_at_the_restore_is_named() {
    const GRANT: &str = "Browser.grantPermissions";
    let mut world = World::open(&["A", "B"]);
    set_up(&mut world);
    world.model.refused = Some(GRANT);
    world.drop_socket();
    let [gap] = world.gaps.as_slice() else {
        panic!("{:?}", world.gaps)
    };
    let [lost] = gap.not_restored.as_slice() else {
        panic!("{:?}", gap.not_restored)
    };
    assert_eq!((lost.target.as_ref(), &*lost.method), (None, GRANT));
    assert_eq!(lost.reason, "not any more");
    assert!(!gap.nothing_missed());
    assert!(
        gap.summary().contains("setting not restored"),
        "{}",
        gap.summary()
    );
    world.finish();
}
