//! A sandbox is lost in the middle of a snippet: what was sent by then decides whether the snippet may be repeated.
#![cfg(target_os = "linux")]

use std::time::Duration;

use keeptab_script::{ErrorKind, EvalOutcome, EvalRequest, Limits, ScriptError};

use crate::support::{Rig, kill_workers};

const LONG: Duration = Duration::from_secs(600);

/// Runs a snippet and kills its sandbox when this many commands have arrived.
async fn killed_after(rig: &Rig, commands: usize, code: &str) -> ScriptError {
    let killing = async {
        rig.host.received(commands).await;
        kill_workers();
    };
    let (outcome, ()) = tokio::join!(rig.eval(code), killing);
    lost(outcome)
}

fn lost(outcome: EvalOutcome) -> ScriptError {
    assert!(!outcome.ok && outcome.scope_lost, "{outcome:?}");
    let error = outcome.error.expect("failed");
    let hint = error.hint.as_deref().unwrap_or_default();
    assert!(hint.contains("globalThis is gone"), "{error:?}");
    let meant = match error.kind {
        ErrorKind::OutcomeUnknown => "look at the page",
        ErrorKind::SandboxLost => "safe to repeat",
        _ => "the next call starts afresh",
    };
    assert!(hint.contains(meant), "{error:?}");
    error
}

#[tokio::test]
async fn an_effect_that_was_sent_makes_the_outcome_unknown_and_is_named() {
    let rig = Rig::on_a_tab();
    rig.host.delay("Runtime.evaluate", LONG);
    let code = "await session.Page.getFrameTree(); await session.Page.reload(); \
                await session.Runtime.evaluate({expression: 'buy()'})";
    let error = killed_after(&rig, 3, code).await;
    assert_eq!(error.kind, ErrorKind::OutcomeUnknown, "{error:?}");
    let named = "(SIGKILL)); the snippet had sent Page.reload, Runtime.evaluate (not answered)";
    assert!(error.message.ends_with(named), "{error:?}");
    // The next snippet runs, and nothing was repeated.
    assert_eq!(rig.out("1").await, "1");
    assert_eq!(rig.host.commands().len(), 3);
}

#[tokio::test]
async fn reads_alone_may_be_repeated() {
    let rig = Rig::on_a_tab();
    rig.host.delay("DOM.getDocument", LONG);
    let code = "await session.Page.getFrameTree(); await session.DOM.getDocument()";
    let error = killed_after(&rig, 2, code).await;
    assert_eq!(error.kind, ErrorKind::SandboxLost, "{error:?}");
}

#[tokio::test]
async fn an_effect_that_never_left_does_not_count() {
    let rig = Rig::on_a_tab();
    rig.host.answer_with("Page.reload", |_| {
        Err(ScriptError::new(ErrorKind::NotSent, "the queue is full"))
    });
    rig.host.delay("DOM.getDocument", LONG);
    let code = "try { await session.Page.reload() } catch {} await session.DOM.getDocument()";
    let error = killed_after(&rig, 2, code).await;
    assert_eq!(error.kind, ErrorKind::SandboxLost, "{error:?}");
}

#[tokio::test]
async fn each_of_two_snippets_is_told_of_its_own_effects() {
    let rig = Rig::on_a_tab();
    rig.host.delay("DOM.getDocument", LONG);
    rig.host.delay("Page.reload", LONG);
    let killing = async {
        rig.host.received(2).await;
        kill_workers();
    };
    let (reads, acts, ()) = tokio::join!(
        rig.eval("await session.DOM.getDocument()"),
        rig.eval("await session.Page.reload()"),
        killing
    );
    assert_eq!(lost(reads).kind, ErrorKind::SandboxLost);
    let acts = lost(acts);
    assert_eq!(acts.kind, ErrorKind::OutcomeUnknown);
    assert!(!acts.message.contains("getDocument"), "{acts:?}");
}

/// Not interruptible from inside, and longer than any test.
const STUCK: &str = "'a'.repeat(2e6).indexOf('a'.repeat(1e5) + 'b')";

#[tokio::test]
async fn a_sandbox_that_we_kill_loses_outcomes_too() {
    let mut limits = Limits::default();
    limits.background = Duration::from_millis(300);
    let rig = Rig::on_a_tab_with(limits);
    // A listener of a snippet that has ended runs on nobody's account.
    rig.out(&format!("session.onEvent(() => {{ {STUCK} }}); return 1"))
        .await;
    rig.host.delay("Page.reload", LONG);
    let sticking = async {
        rig.host.received(1).await;
        rig.host.event("Page.loadEventFired", "{}");
    };
    let (outcome, ()) = tokio::join!(rig.eval("await session.Page.reload()"), sticking);
    let error = lost(outcome);
    assert_eq!(error.kind, ErrorKind::OutcomeUnknown, "{error:?}");
    assert!(
        error.message.contains("Page.reload (not answered)"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_deadline_stays_a_deadline_whatever_was_sent() {
    let rig = Rig::on_a_tab_with(Limits::default());
    let request = EvalRequest::new(format!("await session.Page.reload(); {STUCK}"));
    let outcome = rig
        .repl
        .eval(request.with_timeout(Duration::from_millis(500)))
        .await;
    assert_eq!(lost(outcome).kind, ErrorKind::Deadline);
}
