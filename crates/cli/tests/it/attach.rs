use crate::bed::{Bed, chromium, eventually, site};

#[test]
fn by_port_by_address_and_by_profile_it_is_the_same_browser() {
    let (bed, chromium) = (Bed::new(), chromium());
    bed.ok([
        "--session",
        "port",
        "attach",
        "--port",
        &chromium.port().to_string(),
    ]);
    bed.ok(["--session", "ws", "attach", "--ws", &chromium.ws_url()]);
    bed.ok([
        "--session",
        "profile",
        "attach",
        "--profile",
        chromium.profile().to_str().unwrap(),
    ]);
    for session in ["port", "ws", "profile"] {
        let (code, status) = bed.json(["--session", session, "status"]);
        assert_eq!(
            (code, status["data"]["state"].as_str()),
            (0, Some("connected")),
            "{status}"
        );
        assert_eq!(status["data"]["launched"], false);
    }
}

#[test]
fn closing_the_session_leaves_the_browser_alone() {
    let (bed, chromium) = (Bed::new(), chromium());
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    let ran = bed.run(["close"]);
    assert!(ran.stderr.contains("the browser goes on"), "{}", ran.stderr);
    assert!(chromium.is_running());
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
}

#[test]
fn a_session_that_has_a_browser_keeps_it() {
    let (bed, chromium) = (Bed::new(), chromium());
    let port = chromium.port().to_string();
    bed.ok(["attach", "--port", &port]);
    let said = bed.fails(1, ["attach", "--port", &port]);
    assert!(
        said.contains("already") && said.contains("--session"),
        "{said}"
    );
}

#[test]
fn nobody_at_the_address_is_an_error_and_leaves_no_session() {
    let bed = Bed::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let said = bed.fails(8, ["attach", "--port", &free.to_string()]);
    assert!(said.contains(&free.to_string()), "{said}");
    assert_eq!(bed.run(["status"]).code, 6);
}

#[test]
fn a_second_attach_names_its_own_session_in_the_hint() {
    let (bed, chromium) = (Bed::new(), chromium());
    let port = chromium.port().to_string();
    let attach = ["--session", "work", "attach", "--port", &port];
    bed.ok(attach);
    let said = bed.fails(1, attach);
    assert!(said.contains("try: keeptab --session work close"), "{said}");
}

/// Chromium writes the file for port 0 only.
#[test]
fn a_profile_without_the_file_of_its_port_leads_to_the_port() {
    let bed = Bed::new();
    let profile = tempfile::tempdir().unwrap();
    let said = bed.fails(8, ["attach", "--profile", profile.path().to_str().unwrap()]);
    assert!(
        said.contains("DevToolsActivePort") && said.contains("keeptab attach --port N"),
        "{said}"
    );
    assert!(
        !said.contains("does not run") && !said.contains("reconnect"),
        "{said}"
    );

    // Nor is anything found where nothing says so.
    let run = |args: [&str; 1]| {
        let mut command = bed.command();
        command.args(args).env("HOME", profile.path());
        command.env_remove("XDG_CONFIG_HOME").output().unwrap()
    };
    bed.ok(["daemon", "stop"]);
    for command in ["browsers", "attach"] {
        let said = String::from_utf8(run([command]).stderr).unwrap();
        assert!(
            said.contains("keeptab attach --port N"),
            "{command}: {said}"
        );
    }
}

#[test]
fn what_is_no_browser_is_not_asked_for_credentials() {
    let (bed, site) = (Bed::new(), site());
    let address = site.url("/plain");
    let port = address
        .split(['/', ':'])
        .find(|part| part.parse::<u16>().is_ok());
    let said = bed.run(["attach", "--port", port.unwrap()]).stderr;
    assert!(
        !said.contains("credentials") && !said.contains("reconnect") && said.contains("address"),
        "{said}"
    );
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let said = bed.fails(8, ["attach", "--port", &port]);
    assert!(!said.contains("reconnect"), "{said}");
}

#[test]
fn closing_says_when_the_browser_was_gone_already() {
    let (bed, chromium) = (Bed::new(), chromium());
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    drop(chromium);
    eventually("the loss is known", || bed.run(["status"]).code == 8);
    let said = bed.run(["close"]).stderr;
    assert!(
        said.contains("not there any more") && !said.contains("goes on"),
        "{said}"
    );
}

#[test]
fn a_target_can_be_chosen_and_must_exist() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    let port = chromium.port().to_string();
    bed.ok(["--session", "maker", "attach", "--port", &port]);
    bed.ok([
        "--session",
        "maker",
        "js",
        "await session.Target.createTarget({url: 'about:blank'})",
    ]);
    let (_, tab) = bed.json([
        "--session",
        "maker",
        "tab",
        "new",
        &site.url("/title/Chosen"),
    ]);
    let id = tab["data"]["tab"]["id"].as_str().unwrap().to_owned();
    bed.ok(["--session", "maker", "close"]);
    let said = bed.fails(6, ["attach", "--port", &port, "--target", "FFFFFFFFFFFF"]);
    assert!(said.contains("FFFFFFFF"), "{said}");
    let said = bed.ok(["attach", "--port", &port, "--target", &id[..10]]);
    assert!(said.contains("Chosen"), "{said}");
    assert_eq!(bed.title("default"), "Chosen");
}

#[test]
fn an_unknown_browser_name_lists_those_that_run() {
    let (bed, chromium) = (Bed::new(), chromium());
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".config")).unwrap();
    std::os::unix::fs::symlink(chromium.profile(), home.path().join(".config/chromium")).unwrap();
    let run = |args: &[&str]| {
        let mut command = bed.command();
        command
            .args(args)
            .env("HOME", home.path())
            .env_remove("XDG_CONFIG_HOME")
            .output()
            .unwrap()
    };
    let output = run(&["attach", "--browser", "netscape"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(
        said.contains("netscape") && said.contains("hromium"),
        "{said}"
    );
    let output = run(&["attach", "--browser", "chromium"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(run(&["status"]).status.code(), Some(0));
}

#[test]
fn an_address_that_is_none_is_a_mistake_in_the_line() {
    let bed = Bed::new();
    for (args, word) in [
        (["attach", "--ws", "nonsense"], "ws://"),
        (["attach", "--ws", "ws://127.0.0.1:0/x"], "65535"),
        (["attach", "--port", "0"], "65535"),
    ] {
        let said = bed.fails(2, args);
        let first = said.lines().next().unwrap();
        assert!(first.contains(word), "{said}");
        assert_eq!(
            said.matches("address").count(),
            usize::from(args[1] == "--ws")
        );
        assert!(!said.contains("credentials"), "{said}");
    }
    assert_eq!(bed.run(["status"]).code, 6, "no session is left");
}
