//! Called as browser-harness-js.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::bed::{Bed, chromium};

fn link(bed: &Bed) -> PathBuf {
    let link = bed.home().join("browser-harness-js");
    if !link.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_keeptab"), &link).unwrap();
    }
    link
}

fn harness(bed: &Bed, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(link(bed));
    for (name, value) in bed.command().get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut child = command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_examples_of_the_skill_work_unchanged() {
    let (bed, chromium) = (Bed::new(), chromium());
    let ok = |args: &[&str], input: &str| {
        let output = harness(&bed, args, input);
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        stdout(&output)
    };
    let profile = chromium.profile().display();
    ok(
        &[&format!(
            "await session.connect({{ profileDir: '{profile}' }})"
        )],
        "",
    );
    let tid = ok(
        &[],
        "const tabs = await listPageTargets();\nglobalThis.tid = tabs[0].targetId;\nawait session.use(globalThis.tid);\nreturn globalThis.tid;\n",
    );
    assert_eq!(tid.trim().len(), 32, "{tid}");
    ok(
        &["await session.Page.navigate({url:\"data:text/html,<title>Example</title><h1>x</h1>\"})"],
        "",
    );
    // The browser answers `Page.navigate` when the document is there, before it has read what is in it.
    let loaded = "document.readyState === \"complete\" || new Promise(done => addEventListener(\"load\", done))";
    ok(
        &[&format!(
            "await session.Runtime.evaluate({{expression: '{loaded}', awaitPromise: true}})"
        )],
        "",
    );
    let title = ok(
        &[
            "(await session.Runtime.evaluate({expression:\"document.title\",returnByValue:true})).result.value",
        ],
        "",
    );
    assert_eq!(title, "Example\n");
    ok(&["await session.DOM.enable()"], "");
    let name = ok(
        &[],
        "const { root } = await session.DOM.getDocument()\nconst { nodeId } = await session.DOM.querySelector({ nodeId: root.nodeId, selector: 'h1' })\nreturn typeof nodeId\n",
    );
    assert_eq!(name, "number\n");
    ok(
        &["(await listPageTargets()).forEach((t,i)=>globalThis[\"tab\"+i]=t.targetId)"],
        "",
    );
    assert_eq!(ok(&["tab0 === tid"], ""), "true\n");
}

#[test]
fn its_flags_do_what_they_did() {
    let bed = Bed::new();
    let down = harness(&bed, &["--status"], "");
    assert_eq!((down.status.code(), stdout(&down).as_str()), (Some(1), ""));
    assert_eq!(harness(&bed, &["--start"], "").status.code(), Some(0));
    let up = harness(&bed, &["--status"], "");
    let status: serde_json::Value = serde_json::from_slice(&up.stdout).unwrap();
    assert!(
        status["uptime"].is_u64() && status["connected"] == false,
        "{status}"
    );
    let first = bed.daemon_pid();
    harness(&bed, &["globalThis.x = 1"], "");
    assert_eq!(harness(&bed, &["--restart"], "").status.code(), Some(0));
    assert_ne!(bed.daemon_pid(), first);
    assert_eq!(
        stdout(&harness(&bed, &["typeof x"], "")),
        "undefined\n",
        "the scope is dropped"
    );
    assert_eq!(harness(&bed, &["--stop"], "").status.code(), Some(0));
    assert_eq!(harness(&bed, &["--status"], "").status.code(), Some(1));
    let help = harness(&bed, &["--help"], "");
    assert!(stdout(&help).contains("CDP_REPL_PORT"));
}

#[test]
fn errors_are_exit_one_on_standard_error() {
    let bed = Bed::new();
    let output = harness(&bed, &["throw new Error('boom')"], "");
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(1), "")
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("boom"));
    let refused = harness(&bed, &["await session.Browser.close()"], "");
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let output = harness(&bed, &["--sttaus"], "");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn variables_without_a_meaning_are_explained_once() {
    let bed = Bed::new();
    let run = || {
        let mut command = Command::new(link(&bed));
        let output = command
            .arg("1")
            .env("KEEPTAB_HOME", bed.home())
            .env("CDP_REPL_PORT", "9876")
            .output()
            .unwrap();
        assert_eq!(stdout(&output), "1\n");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(run().contains("CDP_REPL_PORT"));
    assert!(!run().contains("CDP_REPL_PORT"));
}
