//! Code that does not want to end, or wants everything: stopped in time, from inside or outside, and the next call works.

use std::time::{Duration, Instant};

use keeptab_protocol::Raw;
use keeptab_script::{ErrorKind, EvalOutcome, EvalRequest, Limits};

use crate::support::{Rig, patient};

/// How much later than promised a loaded machine may be.
const SLACK: Duration = Duration::from_secs(30);

async fn attack(rig: &Rig, code: &str, timeout: Duration) -> EvalOutcome {
    let started = Instant::now();
    let outcome = rig
        .repl
        .eval(EvalRequest::new(code).with_timeout(timeout))
        .await;
    let took = started.elapsed();
    assert!(took < timeout + SLACK, "{code} took {took:?}");
    outcome
}

/// Code that the engine can interrupt: the scope survives.
#[tokio::test]
async fn what_the_engine_can_interrupt_keeps_its_globals() {
    let rig = Rig::with_limits(patient());
    rig.out("globalThis.kept = 'yes'").await;
    for code in [
        "for (;;) {}",
        "while (true) { try { for (;;) {} } catch {} finally { continue } }",
        "for (;;) await 0",
        "(function f() { Promise.resolve().then(f) })(); await new Promise(() => {})",
        "queueMicrotask(function f() { queueMicrotask(f) }); return new Promise(() => {})",
        "/(a+)+$/.test('a'.repeat(40) + 'b')",
        "new Proxy({}, { ownKeys() { for (;;) {} } })",
        "({ get x() { for (;;) {} } })",
        "({ toJSON() { for (;;) {} } })",
        "throw { toString() { for (;;) {} }, get message() { for (;;) {} } }",
        "[3, 2, 1].sort(() => { for (;;) {} })",
        "Array.from({ length: 1e9 }, (_, i) => i % 7).length = 0; for (;;) {}",
    ] {
        let outcome = attack(&rig, code, Duration::from_millis(300)).await;
        assert!(!outcome.ok, "{code}: {outcome:?}");
        let kind = outcome.error.as_ref().map(|e| e.kind);
        assert!(
            matches!(kind, Some(ErrorKind::Deadline | ErrorKind::OutOfMemory)),
            "{code}: {outcome:?}"
        );
        assert!(!outcome.scope_lost, "{code}: {outcome:?}");
        assert_eq!(rig.out("kept").await, "yes", "after {code}");
    }
}

/// Code inside one call of the engine's own functions: only killing helps, and it is said.
#[tokio::test]
async fn what_the_engine_cannot_interrupt_is_killed_and_says_so() {
    let rig = Rig::with_limits(Limits::default());
    for code in [
        "'a'.repeat(2e6).indexOf('a'.repeat(1e5) + 'b')",
        "new Array(1e9) + ''",
    ] {
        rig.out("globalThis.kept = 'yes'").await;
        let outcome = attack(&rig, code, Duration::from_millis(300)).await;
        assert!(!outcome.ok && outcome.scope_lost, "{code}: {outcome:?}");
        let error = outcome.error.expect("failed");
        assert_eq!(error.kind, ErrorKind::Deadline, "{code}: {error:?}");
        assert!(
            error.hint.is_some_and(|hint| hint.contains("globalThis")),
            "{code}"
        );
        assert_eq!(rig.out("typeof kept").await, "undefined", "after {code}");
    }
}

#[tokio::test]
async fn hogs_run_out_of_memory_and_nothing_else_happens() {
    let rig = Rig::new();
    rig.out("globalThis.kept = 'yes'").await;
    for code in [
        "const a = []; for (;;) a.push(new Array(1000).fill(1))",
        "let s = 'x'; for (;;) s += s",
        "'x'.repeat(2 ** 29)",
        "const b = []; for (;;) b.push(new ArrayBuffer(1 << 20))",
        "new Uint8Array(2 ** 31)",
        "let m = new Map(); for (let i = 0; ; i++) m.set(i, {})",
        "(2n ** 64n) ** (2n ** 24n)",
    ] {
        let outcome = attack(&rig, code, Duration::from_secs(20)).await;
        assert!(!outcome.ok, "{code}: {outcome:?}");
        assert!(!outcome.scope_lost, "{code}: {outcome:?}");
        assert_eq!(rig.out("kept").await, "yes", "after {code}");
    }
}

#[tokio::test]
async fn a_result_that_does_not_fit_into_the_memory_is_said_to_be_that() {
    let mut limits = patient();
    limits.heap = 24 << 20;
    let rig = Rig::with_limits(limits);
    rig.host.state.lock().unwrap().connected = true;
    let node = r#"{"nodeId":"1","ignored":false,"role":{"type":"role","value":"generic"}}"#;
    let nodes = vec![node; 150_000].join(",");
    rig.host
        .answer_with("Accessibility.getFullAXTree", move |_| {
            Ok(Raw::from(format!(r#"{{"nodes":[{nodes}]}}"#)))
        });
    let ask = "cdp.send({method: 'Accessibility.getFullAXTree', sessionId: 'target:T1'})";
    let error = rig.error(&format!("await {ask}")).await;
    assert_eq!(error.kind, ErrorKind::OutOfMemory, "{error:?}");
    assert!(error.message.contains("memory"), "{error:?}");
    assert!(error.hint.is_some_and(|hint| hint.contains("in parts")));
    let caught = format!("try {{ await {ask} }} catch (e) {{ return e.kind }}");
    assert_eq!(rig.out(&caught).await, "out_of_memory");
}

#[tokio::test]
async fn recursion_without_end_is_an_error() {
    let rig = Rig::new();
    for code in [
        "(function f() { return f() + 1 })()",
        "const o = {}; o.toString = () => `${o}`; return `${o}`",
        "JSON.parse('['.repeat(1e6))",
        "eval('('.repeat(1e6))",
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x",
        "new RegExp('('.repeat(1e5))",
    ] {
        let outcome = attack(&rig, code, Duration::from_secs(20)).await;
        assert!(!outcome.ok && !outcome.scope_lost, "{code}: {outcome:?}");
        assert_eq!(rig.out("1").await, "1", "after {code}");
    }
    let outcome = attack(&rig, &"(".repeat(200_000), Duration::from_secs(20)).await;
    assert!(!outcome.ok && !outcome.scope_lost, "{outcome:?}");
}

#[tokio::test]
async fn an_ended_snippet_does_not_act_any_more() {
    let rig = Rig::on_a_tab();
    rig.host.delay("Page.enable", Duration::from_millis(600));
    let outcome = attack(
        &rig,
        "await session.Page.enable(); await session.Page.reload()",
        Duration::from_millis(200),
    )
    .await;
    let error = outcome.error.expect("failed");
    assert_eq!(error.kind, ErrorKind::Deadline);
    assert!(error.message.contains("Page.enable"), "{}", error.message);
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(rig.out("1").await, "1");
    assert_eq!(rig.host.commands(), ["Page.enable target:T1 {}"]);
}

#[tokio::test]
async fn a_timer_that_never_ends_does_not_take_the_next_eval_with_it() {
    let mut limits = patient();
    limits.background = Duration::from_millis(300);
    let rig = Rig::with_limits(limits);
    rig.out("globalThis.kept = 'yes'; setTimeout(() => { for (;;) {} }, 1); return 1")
        .await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let outcome = rig.eval("kept").await;
    assert_eq!(outcome.stdout, "yes", "{outcome:?}");
    assert!(outcome.stderr.contains("was stopped"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_timer_that_cannot_be_stopped_costs_the_scope_and_says_so() {
    let mut limits = Limits::default();
    limits.background = Duration::from_millis(300);
    let rig = Rig::with_limits(limits);
    rig.out("globalThis.kept = 1; setTimeout(() => 'a'.repeat(2e6).indexOf('a'.repeat(1e5) + 'b'), 1); return 1").await;
    let deadline = Instant::now() + SLACK;
    while rig.repl.has_scope() {
        assert!(Instant::now() < deadline, "the sandbox is not killed");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let outcome = rig.eval("typeof kept").await;
    assert_eq!(outcome.stdout, "undefined");
    assert!(
        outcome.scope_lost && outcome.stderr.contains("globalThis is gone"),
        "{outcome:?}"
    );
    assert!(!rig.eval("1").await.scope_lost, "said once");
}

#[tokio::test]
async fn an_innocent_neighbour_of_a_stuck_snippet_gets_its_own_answer() {
    let rig = Rig::with_limits(Limits::default());
    let (stuck, neighbour) = tokio::join!(
        attack(
            &rig,
            "await cdp.sleep(50); 'a'.repeat(2e6).indexOf('a'.repeat(1e5) + 'b')",
            Duration::from_millis(1500)
        ),
        attack(
            &rig,
            "await cdp.sleep(100); return 'done'",
            Duration::from_millis(400)
        ),
    );
    assert!(stuck.scope_lost, "{stuck:?}");
    assert_eq!(neighbour.error.expect("failed").kind, ErrorKind::Deadline);
    assert_eq!(rig.out("1").await, "1");
}

#[tokio::test]
async fn a_hundred_thousand_calls_at_once_are_capped() {
    let rig = Rig::on_a_tab();
    rig.host.delay("Page.enable", Duration::from_millis(50));
    let out = rig
        .out(
            "const r = await Promise.allSettled(Array.from({length: 1e5}, () => session.Page.enable()));
             const refused = r.filter(x => x.status === 'rejected');
             return [r.length - refused.length, refused[0].reason.kind]",
        )
        .await;
    assert_eq!(out, "[1024,\"not_sent\"]");
    assert_eq!(rig.host.commands().len(), 1024);
}

#[tokio::test]
async fn clobbered_builtins_hurt_only_the_snippet() {
    let rig = Rig::new();
    let clobber = "Array.prototype.map = Object.prototype.toString = JSON.stringify = JSON.parse = Promise.prototype.then = \
                   String.prototype.toWellFormed = Array.prototype[Symbol.iterator] = null; \
                   globalThis.console = globalThis.session = globalThis.Error = null";
    attack(&rig, clobber, Duration::from_millis(500)).await;
    let outcome = attack(&rig, "1 + 1", Duration::from_millis(500)).await;
    // Whatever it says, it says it in time; and a fresh scope is whole.
    let _ = outcome;
    rig.repl.reset();
    assert_eq!(rig.out("[1].map(x => x)").await, "[1]");
}
