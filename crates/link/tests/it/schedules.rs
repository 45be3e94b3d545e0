//! Random schedules of everything at once.
use std::collections::BTreeMap;
use std::time::Duration;

use keeptab_link::{AttachPolicy, Cause, Config, DialError, Settlement, State, Token};
use proptest::prelude::*;

use crate::world::{Dialing, World};

const TABS: [&str; 3] = ["A", "B", "C"];
const UA: &str = r#"{"userAgent":"U"}"#;

#[derive(Debug, Clone)]
enum Op {
    Effect(usize),
    Read,
    Set(usize),
    Script(usize),
    Navigate(usize),
    Alert(usize),
    AnswerDialog(usize),
    Crash(usize),
    Reload(usize),
    Hang(usize),
    Wake(usize),
    CloseTab(usize),
    OpenTab(usize),
    Lose(bool),
    CutAfter(usize),
    Stall,
    BlackHole,
    Unstall,
    Dials(Option<u8>),
    Accept,
    Advance(u64),
    Cancel(u64),
    Reconnect,
    Garbage,
}

fn op() -> impl Strategy<Value = Op> {
    let tab = 0..TABS.len();
    prop_oneof![
        6 => tab.clone().prop_map(Op::Effect),
        3 => Just(Op::Read),
        2 => tab.clone().prop_map(Op::Set),
        1 => tab.clone().prop_map(Op::Script),
        2 => tab.clone().prop_map(Op::Navigate),
        1 => tab.clone().prop_map(Op::Alert),
        2 => tab.clone().prop_map(Op::AnswerDialog),
        1 => tab.clone().prop_map(Op::Crash),
        2 => tab.clone().prop_map(Op::Reload),
        1 => tab.clone().prop_map(Op::Hang),
        2 => tab.clone().prop_map(Op::Wake),
        1 => tab.clone().prop_map(Op::CloseTab),
        1 => tab.prop_map(Op::OpenTab),
        4 => any::<bool>().prop_map(Op::Lose),
        3 => (1usize..30).prop_map(Op::CutAfter),
        2 => Just(Op::Stall),
        1 => Just(Op::BlackHole),
        2 => Just(Op::Unstall),
        2 => proptest::option::of(0u8..3).prop_map(Op::Dials),
        2 => Just(Op::Accept),
        6 => (1u64..12_000).prop_map(Op::Advance),
        1 => (0u64..40).prop_map(Op::Cancel),
        1 => Just(Op::Reconnect),
        1 => Just(Op::Garbage),
    ]
}

struct Run {
    world: World,
    effects: u32,
    /// Submission of the last setting of each tab, and what came of it.
    cancelled: BTreeMap<u64, ()>,
}

impl Run {
    fn apply(&mut self, op: &Op) {
        let world = &mut self.world;
        match op {
            Op::Effect(tab) => {
                self.effects += 1;
                world.evaluate(TABS[*tab], &format!("effect {}", self.effects));
            }
            Op::Read => {
                world.call(None, "Browser.getVersion", "{}");
            }
            Op::Set(tab) => {
                world.call(Some(TABS[*tab]), "Emulation.setUserAgentOverride", UA);
            }
            Op::Script(tab) => {
                world.call(
                    Some(TABS[*tab]),
                    "Page.addScriptToEvaluateOnNewDocument",
                    r#"{"source":"1"}"#,
                );
            }
            Op::Navigate(tab) => {
                world.call(Some(TABS[*tab]), "Page.navigate", r#"{"url":"http://n/"}"#);
            }
            Op::Alert(tab) => {
                world.evaluate(TABS[*tab], "alert()");
            }
            Op::AnswerDialog(tab) => {
                world.call(
                    Some(TABS[*tab]),
                    "Page.handleJavaScriptDialog",
                    r#"{"accept":true}"#,
                );
            }
            Op::Crash(tab) => world.model.crash(TABS[*tab]),
            Op::Reload(tab) => {
                world.call(Some(TABS[*tab]), "Page.reload", "{}");
            }
            Op::Hang(tab) => {
                world.evaluate(TABS[*tab], "for(;;);");
            }
            Op::Wake(tab) => world.model.wake(TABS[*tab]),
            Op::CloseTab(tab) => world.model.close(TABS[*tab]),
            Op::OpenTab(tab) if !world.model.tabs.contains_key(TABS[*tab]) => {
                world.model.open(TABS[*tab], "u")
            }
            Op::OpenTab(_) => {}
            Op::Lose(reset) => world.lose(if *reset { Cause::Reset } else { Cause::Eof }),
            Op::CutAfter(sent) => world.cut_after = Some(*sent),
            Op::Stall => world.stalled = true,
            Op::BlackHole => {
                world.stalled = true;
                world.deaf = true;
            }
            // What a hole has swallowed does not come back; only a stall ends well.
            Op::Unstall if !world.deaf => world.stalled = false,
            Op::Unstall => {}
            Op::Dials(None) => world.dialing = Dialing::Open,
            Op::Dials(Some(0)) => world.dialing = Dialing::Hang,
            Op::Dials(Some(_)) => {
                world.dialing = Dialing::Fail(DialError::Unreachable {
                    reason: "refused".into(),
                });
            }
            Op::Accept => world.accept(),
            Op::Advance(ms) => world.advance(Duration::from_millis(*ms)),
            Op::Cancel(back) => {
                let token = world.submitted.saturating_sub(*back);
                world.link.cancel(Token(token));
                if !world.settled.contains_key(&token) {
                    self.cancelled.insert(token, ());
                }
            }
            Op::Reconnect => world.link.reconnect(world.now),
            Op::Garbage => world.inject("{\"id\":}"),
        }
        self.world.run();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_promises_hold_under_any_schedule(ops in proptest::collection::vec(op(), 1..80), seed in any::<u64>(), on_demand in any::<bool>()) {
        let attach = if on_demand { AttachPolicy::OnDemand } else { AttachPolicy::Pages };
        let mut world = World::with(&TABS, Config { seed, attach, ..Config::default() });
        world.start();
        // Set before anything else, and answered: it must be in force for every later command.
        for tab in TABS {
            let token = world.call(Some(tab), "Emulation.setUserAgentOverride", UA);
            world.reply(token);
        }
        let mut run = Run { world, effects: 0, cancelled: BTreeMap::new() };
        for op in &ops {
            run.apply(op);
        }
        let Run { mut world, effects, cancelled } = run;
        // Every deadline passes.
        world.advance(Duration::from_secs(120));
        let open: Vec<u64> = (1..=world.submitted)
            .filter(|token| !world.settled.contains_key(token) && !cancelled.contains_key(token))
            .collect();
        prop_assert!(open.is_empty(), "hanging: {open:?}");
        for token in cancelled.keys() {
            prop_assert!(!world.settled.contains_key(token), "told although its caller went away");
        }
        for effect in 1..=effects {
            let runs = world.runs(&format!("effect {effect}"));
            prop_assert!(runs <= 1, "effect {effect} ran {runs} times");
        }
        let mut reopened = std::collections::BTreeSet::new();
        for op in &ops {
            if let Op::OpenTab(tab) = op {
                reopened.insert(TABS[*tab]);
            }
        }
        for done in &world.model.done {
            let text = done.params["expression"].as_str().unwrap_or_default();
            let tab = done.tab.as_deref().unwrap_or_default();
            // A tab that was closed and opened anew is another tab to the browser, but not to this
            // model, which uses the name again.
            if text.starts_with("effect") && !reopened.contains(tab) {
                prop_assert_eq!(done.agent.as_str(), "U", "{} ran without what was set", text);
            }
        }
        // Done means done, here.
        let by_token = world.settled.values().filter(|end| matches!(end, Settlement::Reply(_))).count();
        prop_assert!(by_token >= TABS.len());
        if matches!(world.link.state(), State::Connected { .. }) {
            prop_assert!(world.is_connected());
        }
        settle_cancelled(&mut world, &cancelled);
        world.finish();
    }
}

/// Cancelled commands are not told; for the last check they count as settled.
fn settle_cancelled(world: &mut World, cancelled: &BTreeMap<u64, ()>) {
    for token in cancelled.keys() {
        world
            .settled
            .insert(*token, Settlement::Deadline { sent: false });
    }
}
