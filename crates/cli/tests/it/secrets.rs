//! No secret stands readable in a file of ours.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::bed::{Bed, alive, chromium, eventually, site};

const IN_ADDRESS: &str = "CANARYaddress7f3a";
const IN_HEADER: &str = "CANARYheader9c2e";

/// Every file below `dir` that holds `secret`.
fn holding(secret: &str, dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            found.extend(holding(secret, &path));
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            let mut parts = bytes.windows(secret.len());
            if parts.any(|part| part == secret.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn a_key_in_an_address_and_a_header_that_was_set_are_sealed_and_outlive_the_daemon() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    let address = format!("{}?token={IN_ADDRESS}", chromium.ws_url());
    bed.ok(["attach", "--ws", &address]);
    let set = format!(
        "await session.Target.createTarget({{url: {page}}}).then(made => session.use(made.targetId));
         await session.Network.enable();
         await session.Network.setExtraHTTPHeaders({{headers: {{Authorization: 'Bearer {IN_HEADER}'}}}})",
        page = Value::from(site.url("/plain")),
    );
    bed.ok(["js", &set]);
    let killed = bed.daemon_pid();
    let sent = Command::new("kill")
        .args(["-9", &killed.to_string()])
        .status();
    assert!(sent.unwrap().success());
    eventually("it is gone", || !alive(killed));

    let asked =
        "const done = await session.Runtime.evaluate({awaitPromise: true, returnByValue: true,
            expression: \"fetch('/header?name=authorization').then(answer => answer.text())\"});
         return done.result.value";
    assert_eq!(bed.ok(["js", asked]), format!("Bearer {IN_HEADER}"));
    for secret in [IN_ADDRESS, IN_HEADER] {
        assert_eq!(holding(secret, bed.home()), [] as [String; 0], "{secret}");
    }
    for said in [bed.ok(["status"]), bed.ok(["sessions"]), bed.ok(["doctor"])] {
        assert!(!said.contains("CANARY"), "{said}");
    }
}
