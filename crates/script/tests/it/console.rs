//! console.*, late errors, and whose output is whose.

use keeptab_script::EvalRequest;

use crate::support::{AMPLE, Rig};

#[tokio::test]
async fn the_console_goes_to_standard_error() {
    let rig = Rig::new();
    let code = r#"
        console.log('a', 1, {b: [2]}, undefined, null, {}, new Map([[1, 2]]), 5n, Symbol('s'));
        console.warn('careful'); console.error(new TypeError('bad'));
        console.log('%s is %d years, %i, %j %o %%, %c', 'Ann', 4.7, '12px', {a: 1}, [1], 'color: red', 'rest');
        console.group('g'); console.log('inside\nboth'); console.groupEnd(); console.log();
        console.assert(1 === 2, 'math'); console.count(); console.count(); console.table([1]); console.dir('d');
        console.log('half \ud83d');
        return 'result'"#;
    let outcome = rig.eval(code).await;
    assert_eq!(outcome.stdout, "result");
    insta::assert_snapshot!(outcome.stderr);
}

#[tokio::test]
async fn console_output_is_cut_and_said() {
    let rig = Rig::new();
    let outcome = rig
        .eval("for (let i = 0; i < 100; i++) console.log('x'.repeat(1e6)); return 'done'")
        .await;
    assert_eq!(outcome.stdout, "done");
    assert!(
        outcome.stderr.len() < (1 << 20) + 200,
        "{}",
        outcome.stderr.len()
    );
    assert!(
        outcome
            .stderr
            .ends_with("keeptab: console output cut at 1048576 bytes\n")
    );
    // The limit is per eval.
    assert_eq!(rig.eval("console.log('again')").await.stderr, "again\n");
}

#[tokio::test]
async fn two_evals_at_once_take_turns_and_keep_their_consoles() {
    let rig = Rig::new();
    let code = |name: &str| {
        format!(
            "for (let i = 0; i < 20; i++) {{ console.log('{name}' + i); globalThis.order = (globalThis.order ?? '') + '{name}'; \
             await cdp.sleep(1) }} return '{name} done'"
        )
    };
    let run = |name| {
        rig.repl
            .eval(EvalRequest::new(code(name)).with_timeout(AMPLE))
    };
    let (a, b) = tokio::join!(run("a"), run("b"));
    assert_eq!((a.stdout.as_str(), b.stdout.as_str()), ("a done", "b done"));
    let lines = |name: &str| (0..20).map(|i| format!("{name}{i}\n")).collect::<String>();
    assert_eq!(a.stderr, lines("a"));
    assert_eq!(b.stderr, lines("b"));
    let order = rig.out("order").await;
    assert!(order.contains("ab") && order.contains("ba"), "{order}");
}

#[tokio::test]
async fn an_eval_woken_by_another_keeps_its_own_console() {
    let rig = Rig::new();
    let waiting = async {
        rig.eval("await new Promise(go => globalThis.go = go); console.log('mine'); return 'woken'")
            .await
    };
    let waking = async {
        rig.out("while (!globalThis.go) await cdp.sleep(1); go(); console.log('theirs'); await cdp.sleep(20)").await
    };
    let (woken, _) = tokio::join!(waiting, waking);
    assert_eq!(
        (woken.stdout.as_str(), woken.stderr.as_str()),
        ("woken", "mine\n")
    );
}

#[tokio::test]
async fn late_throws_and_unhandled_rejections_are_reported_and_kill_nothing() {
    let rig = Rig::new();
    assert_eq!(
        rig.out(
            "globalThis.kept = 1; setTimeout(() => { throw new Error('late one') }, 5); return kept"
        )
        .await,
        "1"
    );
    let outcome = rig.eval("await cdp.sleep(100); return kept").await;
    assert_eq!(outcome.stdout, "1");
    assert!(
        outcome
            .stderr
            .contains("Uncaught in a timer: Error: late one"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("snippet.js:1:"),
        "{}",
        outcome.stderr
    );

    let outcome = rig
        .eval("Promise.reject(new Error('nobody cares')); return 2")
        .await;
    assert_eq!(outcome.stdout, "2");
    assert!(
        outcome
            .stderr
            .contains("Unhandled rejection: Error: nobody cares"),
        "{}",
        outcome.stderr
    );

    let outcome = rig
        .eval("const p = Promise.reject(new Error('cared for')); p.catch(() => {}); return 3")
        .await;
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("3", "")
    );

    let outcome = rig
        .eval("queueMicrotask(() => { throw new Error('micro') }); await cdp.sleep(1); return 4")
        .await;
    assert_eq!(outcome.stdout, "4");
}

#[tokio::test]
async fn timers_of_an_ended_eval_go_on_and_report_to_the_next() {
    let rig = Rig::new();
    assert_eq!(rig.out("globalThis.n = 0; globalThis.t = setInterval(() => { n++; console.log('tick') }, 1); return 'started'").await, "started");
    let outcome = rig.eval("while (n < 3) await cdp.sleep(5); clearInterval(t); const last = n; await cdp.sleep(20); return n === last").await;
    assert_eq!(outcome.stdout, "true");
    assert!(outcome.stderr.contains("tick"), "{}", outcome.stderr);
}
