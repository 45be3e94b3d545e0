//! Workers come and go: the pool, the reset, a death from outside.

use keeptab_script::{ErrorKind, EvalRequest, Limits, Pool, Program, Repl};

#[cfg(target_os = "linux")]
use crate::support::kill_workers;
use crate::support::{AMPLE, FakeHost, Rig, program};

use std::sync::Arc;

#[tokio::test]
async fn sessions_never_share_a_scope() {
    let pool = Pool::new(program(), Limits::default());
    pool.warm().await;
    let one = Repl::new(pool.clone(), Arc::new(FakeHost::default()));
    let two = Repl::new(pool, Arc::new(FakeHost::default()));
    let run = |repl: &Repl, code: &str| {
        let repl = repl.clone();
        let request = EvalRequest::new(code).with_timeout(AMPLE);
        async move { repl.eval(request).await.stdout }
    };
    assert_eq!(run(&one, "globalThis.secret = 1").await, "1");
    assert_eq!(run(&two, "typeof secret").await, "undefined");
    assert_eq!(run(&one, "secret").await, "1");
}

/// A worker rehearses a snippet that connects and takes a tab, before it is anybody's.
#[tokio::test]
async fn a_new_worker_shows_nothing_of_its_rehearsal() {
    let rig = Rig::new();
    let code = "[session.isConnected(), session.getActiveSession() ?? null, cdp.sleep(1) instanceof Promise]";
    assert_eq!(rig.out(code).await, "[false,null,true]");
    let error = rig.error("session.Page.enable()").await;
    assert_eq!(error.kind, ErrorKind::NotConnected);
    let state = rig.host.state.lock().unwrap();
    assert_eq!((state.connects.len(), state.commands.len()), (0, 0));
}

#[tokio::test]
async fn a_reset_gives_a_fresh_scope() {
    let rig = Rig::new();
    rig.out("globalThis.x = 1").await;
    assert!(rig.repl.has_scope());
    rig.repl.reset();
    assert_eq!(rig.out("typeof x").await, "undefined");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_worker_that_dies_is_replaced_and_its_loss_is_said() {
    let rig = Rig::new();
    rig.out("globalThis.x = 1").await;
    let running = rig.eval("await cdp.sleep(60000)");
    let killing = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        kill_workers();
    };
    let (outcome, ()) = tokio::join!(running, killing);
    assert!(outcome.scope_lost, "{outcome:?}");
    let error = outcome.error.expect("failed");
    assert_eq!(error.kind, ErrorKind::SandboxLost);
    assert!(error.message.contains("SIGKILL"), "{error:?}");
    assert_eq!(rig.out("typeof x").await, "undefined");
}

#[tokio::test]
async fn a_program_that_is_no_worker_is_an_error_and_not_a_hang() {
    let missing = Pool::new(
        Program::new("/nonexistent/worker", [""; 0]),
        Limits::default(),
    );
    let repl = Repl::new(missing, Arc::new(FakeHost::default()));
    let outcome = repl.eval(EvalRequest::new("1").with_timeout(AMPLE)).await;
    assert_eq!(
        outcome.error.expect("failed").kind,
        ErrorKind::SandboxUnavailable
    );

    let wrong = Pool::new(
        Program::new("/bin/echo", ["hello, this is not a frame"]),
        Limits::default(),
    );
    let repl = Repl::new(wrong, Arc::new(FakeHost::default()));
    let outcome = repl.eval(EvalRequest::new("1").with_timeout(AMPLE)).await;
    let error = outcome.error.expect("failed");
    assert_eq!(error.kind, ErrorKind::SandboxUnavailable, "{error:?}");
}

#[tokio::test]
async fn a_caller_who_goes_away_stops_its_snippet() {
    let rig = Rig::on_a_tab();
    rig.out("globalThis.steps = 0").await;
    let code = "for (;;) { steps++; await cdp.sleep(1) }";
    let left = tokio::time::timeout(std::time::Duration::from_millis(150), rig.eval(code)).await;
    assert!(left.is_err());
    // The driver notices at its next turn, which this eval is.
    let out = rig.out("await cdp.sleep(50); const then = steps; await cdp.sleep(100); return [then > 0, steps === then]").await;
    assert_eq!(out, "[true,true]");
}

#[tokio::test]
async fn a_deadline_while_waiting_says_what_for_and_keeps_the_scope() {
    let rig = Rig::new();
    rig.out("globalThis.x = 1").await;
    let request = EvalRequest::new("console.log('before'); await new Promise(() => {})");
    let outcome = rig
        .repl
        .eval(request.with_timeout(std::time::Duration::from_millis(100)))
        .await;
    assert_eq!(
        outcome.error.as_ref().map(|e| e.kind),
        Some(ErrorKind::Deadline)
    );
    assert!(outcome.stderr.starts_with("before\n"), "{}", outcome.stderr);
    assert!(!outcome.scope_lost);
    assert_eq!(rig.out("x").await, "1");
}
