use crate::bed::Bed;

#[test]
fn a_healthy_machine_passes_and_nothing_is_started() {
    let bed = Bed::new();
    let said = bed.ok(["doctor"]);
    for word in [
        "browser:",
        "sandbox:",
        "directories:",
        "disk:",
        "daemon:",
        "version:",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(!bed.home().join("run/keeptab.sock").exists());
}

#[test]
fn without_a_browser_it_says_how_to_get_one() {
    let bed = Bed::new();
    let output = bed
        .command()
        .arg("doctor")
        .env("KEEPTAB_CHROMIUM", "/no/such/chrome")
        .env("PATH", "/nonexistent")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    // Some systems have a browser in a fixed place; then it is that one which is named.
    assert!(said.contains("browser:"), "{said}");
    assert!(
        output.status.code() == Some(1) || !said.contains("BAD"),
        "{said}"
    );
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let bed = Bed::new();
    let file = bed.home().join("file");
    std::fs::write(&file, "").unwrap();
    let output = bed
        .command()
        .arg("doctor")
        .env("KEEPTAB_HOME", &file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("BAD") && said.contains("KEEPTAB_HOME"),
        "{said}"
    );
}

#[test]
fn a_lock_without_a_daemon_behind_the_socket_is_found() {
    let bed = Bed::new();
    bed.ok(["daemon", "start"]);
    let pid = bed.daemon_pid();
    std::fs::remove_file(bed.home().join("run/keeptab.sock")).unwrap();
    let ran = bed.run(["doctor"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(
        ran.stdout.contains(&format!("kill {pid}")),
        "{}",
        ran.stdout
    );
    assert!(
        std::process::Command::new("kill")
            .arg(pid.to_string())
            .status()
            .unwrap()
            .success()
    );
}
