use crate::bed::{Bed, alive, eventually, site};

#[test]
fn the_first_open_launches_a_browser_and_the_second_uses_it() {
    let (bed, site) = (Bed::new(), site());
    let said = bed.ok(["open", &site.url("/title/First")]);
    assert!(said.contains("/title/First - First ["), "{said}");
    assert_eq!(bed.title("default"), "First");
    bed.ok(["open", &site.url("/title/Second")]);
    assert_eq!(
        bed.title("default"),
        "Second",
        "the new tab is the active one"
    );
    let (_, tabs) = bed.json(["tab"]);
    assert_eq!(
        tabs["data"]["tabs"].as_array().unwrap().len(),
        2,
        "no blank tab in between: {tabs}"
    );
    let (_, sessions) = bed.json(["sessions"]);
    assert_eq!(sessions["data"]["sessions"].as_array().unwrap().len(), 1);
}

#[test]
fn no_port_is_opened_for_a_launched_browser() {
    let bed = Bed::new();
    bed.ok(["open"]);
    assert!(
        !bed.home()
            .join("data/profiles/default/DevToolsActivePort")
            .exists()
    );
    let (_, status) = bed.json(["status"]);
    assert_eq!(status["data"]["launched"], true);
}

#[test]
fn what_a_profile_remembers_is_there_for_the_next_session_of_the_name() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/")]);
    bed.page("default", "localStorage.setItem('login', 'ada')");
    bed.ok(["close"]);
    bed.ok(["open", &site.url("/")]);
    assert_eq!(bed.page("default", "localStorage.getItem('login')"), "ada");
    bed.ok(["close", "--discard"]);
    bed.ok(["open", &site.url("/")]);
    assert_eq!(bed.page("default", "localStorage.getItem('login')"), "");
}

#[test]
fn an_address_that_cannot_be_reached_is_an_error_and_leaves_no_tab() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Good")]);
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let said = bed.fails(1, ["open", &format!("http://{closed}/")]);
    assert!(said.contains("ERR_CONNECTION_REFUSED"), "{said}");
    assert_eq!(
        bed.title("default"),
        "Good",
        "the tab that was active still is"
    );
    eventually("the tab is gone", || {
        bed.json(["tab"]).1["data"]["tabs"]
            .as_array()
            .unwrap()
            .len()
            == 1
    });
}

#[test]
fn addresses_beyond_the_web_are_refused() {
    let bed = Bed::new();
    for address in [
        "file:///etc/passwd",
        "chrome://settings",
        "http://169.254.169.254/",
    ] {
        let said = bed.fails(7, ["open", address]);
        assert!(said.contains("refused"), "{said}");
    }
    assert_eq!(
        bed.run(["status"]).code,
        6,
        "and nothing was launched for it"
    );
}

#[test]
fn a_browser_that_dies_is_an_error_and_never_replaced_in_silence() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Alive")]);
    let pid = browser_pid(&bed);
    assert!(
        std::process::Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
    eventually("it is noticed", || bed.run(["status"]).code == 8);
    let said = bed.fails(8, ["open", &site.url("/")]);
    assert!(said.contains("keeptab close"), "{said}");
    let said = bed.fails(
        8,
        ["js", "await session.Runtime.evaluate({expression: '1'})"],
    );
    assert!(said.contains("default"), "{said}");
    bed.ok(["close"]);
    bed.ok(["open", &site.url("/title/New")]);
    assert_eq!(bed.title("default"), "New");
}

/// The main process of the browser that uses the default session's profile.
pub(crate) fn browser_pid(bed: &Bed) -> u32 {
    let profile = bed.home().join("data/profiles/default");
    let flag = format!("--user-data-dir={}", profile.display());
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let line = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        let args: Vec<&str> = line.split('\0').collect();
        let main =
            args.contains(&flag.as_str()) && !args.iter().any(|arg| arg.starts_with("--type="));
        // The keeper names the profile as well, but is not the browser.
        if main && !args.contains(&"keeper") && alive(pid) {
            return pid;
        }
    }
    panic!("no browser uses {}", profile.display());
}

#[test]
fn a_browser_program_that_is_none_is_named() {
    let bed = Bed::new();
    let said = bed.fails(1, ["open", "--program", "/no/such/chrome"]);
    assert!(said.contains("/no/such/chrome"), "{said}");
}

#[test]
fn a_browser_that_never_answers_is_given_up_in_time() {
    let bed = Bed::new();
    // A program that starts, says nothing and stays.
    let sleeper = bed.home().join("chrome");
    std::fs::write(&sleeper, "#!/bin/sh\nexec sleep 600\n").unwrap();
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(&sleeper, mode).unwrap();
    let ran = bed.run([
        "--timeout",
        "3s",
        "open",
        "--program",
        sleeper.to_str().unwrap(),
    ]);
    assert!(
        ran.code == 1 || ran.code == 124,
        "{} {}",
        ran.code,
        ran.stderr
    );
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    assert_eq!(bed.run(["status"]).code, 6, "no session came about");
}

#[test]
fn a_profile_locked_by_a_dead_process_is_used_all_the_same() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/One")]);
    let profile = bed.home().join("data/profiles/default");
    bed.ok(["close"]);
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let _ = std::fs::remove_file(profile.join("SingletonLock"));
    let owner = format!("{}-{}", host.trim(), child.id());
    std::os::unix::fs::symlink(owner, profile.join("SingletonLock")).unwrap();
    bed.ok(["open", &site.url("/title/Two")]);
    assert_eq!(bed.title("default"), "Two");
}

#[test]
fn a_page_that_is_there_at_once_is_not_waited_for() {
    let bed = Bed::new();
    for number in 0..5 {
        let page = format!("data:text/html,<title>Page {number}</title>");
        let ran = bed.run(["open", &page]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stderr.contains("still loading"), "{}", ran.stderr);
        assert!(
            ran.stdout.contains(&format!("Page {number} [")),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn a_page_that_never_comes_is_given_up_at_the_deadline() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open"]);
    bed.fails(
        124,
        ["--timeout", "2s", "open", &site.url("/slow?ms=60000")],
    );
    assert_eq!(bed.ok(["js", "1"]), "1");
}

#[test]
fn a_running_daemon_launches_the_browser_that_the_callers_environment_names() {
    let bed = Bed::new();
    bed.ok(["daemon", "start"]);
    let mut command = bed.command();
    let output = command
        .args(["open"])
        .env("KEEPTAB_CHROMIUM", "/no/such/chrome")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("/no/such/chrome"), "{said}");
    bed.ok(["open"]);
}

/// Starts an `open` and kills it while its browser is being started.
fn open_and_go_away(bed: &Bed) {
    let mut opening = bed
        .command()
        .arg("open")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let profile = bed.home().join("data/profiles/default");
    eventually("it is being started", || profile.exists());
    opening.kill().unwrap();
    opening.wait().unwrap();
}

#[test]
fn an_open_whose_caller_goes_away_leaves_no_browser_without_a_session() {
    let bed = Bed::new();
    bed.ok(["daemon", "start"]);
    open_and_go_away(&bed);
    bed.ok(["open", "about:blank"]);
    assert_eq!(bed.ok(["sweep", "--dry-run"]), "", "nothing is left behind");
    bed.ok(["close", "--discard"]);

    open_and_go_away(&bed);
    bed.ok(["daemon", "stop"]);
    assert_eq!(bed.ok(["sweep", "--dry-run"]), "", "nothing is left behind");
    eventually("the next daemon has it", || bed.run(["status"]).code == 0);
}
