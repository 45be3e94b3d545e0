use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::bed::{Bed, alive, eventually, site};

/// The daemon looks for temporary profiles only where nobody else has any.
fn bed() -> Bed {
    let bed = Bed::new();
    let started = bed
        .command()
        .args(["daemon", "start"])
        .env("TMPDIR", bed.home())
        .output()
        .unwrap();
    assert!(started.status.success());
    bed
}

/// As [`Bed::lose_the_records`], and the next daemon is there.
fn orphaned(bed: &Bed) {
    bed.lose_the_records();
    let started = bed
        .command()
        .args(["daemon", "start"])
        .env("TMPDIR", bed.home())
        .output()
        .unwrap();
    assert!(started.status.success());
}

fn pids(bed: &Bed, session: &str) -> (u32, u32) {
    let state = bed.keeper(session);
    let number = |key: &str| u32::try_from(state[key].as_u64().unwrap()).unwrap();
    (number("pid"), number("browserPid"))
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(sent.unwrap().success());
}

fn swept(bed: &Bed, dry_run: bool) -> Vec<Value> {
    let args: &[&str] = if dry_run {
        &["sweep", "--dry-run"]
    } else {
        &["sweep"]
    };
    let (code, told) = bed.json(args);
    assert_eq!(code, 0, "{told}");
    told["data"]["leftovers"].as_array().unwrap().clone()
}

/// Kind and fate of each.
fn kinds(leftovers: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    leftovers
        .iter()
        .map(|one| (text(&one["kind"]), text(&one["fate"])))
        .collect()
}

fn is(leftovers: &[Value], wanted: &[(&str, &str)]) {
    let wanted: Vec<(String, String)> = wanted
        .iter()
        .map(|(kind, fate)| ((*kind).to_owned(), (*fate).to_owned()))
        .collect();
    assert_eq!(kinds(leftovers), wanted, "{leftovers:#?}");
}

fn nothing_is_left(bed: &Bed) {
    let ran = bed.run(["sweep"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "", "nothing was left behind\n")
    );
}

#[test]
fn what_a_session_has_is_no_leftover() {
    let (bed, site) = (bed(), site());
    bed.ok(["open", &site.url("/title/Mine")]);
    nothing_is_left(&bed);
    assert_eq!(bed.title("default"), "Mine");
    // Neither while nobody has asked the next daemon for it.
    bed.ok(["daemon", "restart"]);
    assert_eq!(bed.run(["sweep"]).stdout, "");
    assert_eq!(bed.title("default"), "Mine");
}

#[test]
fn a_browser_that_no_session_has_is_ended_and_its_logins_stay() {
    let (bed, site) = (bed(), site());
    bed.ok(["--session", "shop", "open", &site.url("/title/Lost")]);
    let (keeper, browser) = pids(&bed, "shop");
    orphaned(&bed);

    let listed = bed.run(["sweep", "--dry-run"]);
    assert!(
        listed
            .stdout
            .contains("left behind  the browser of session \"shop\"")
            && listed.stdout.contains(&browser.to_string()),
        "{}",
        listed.stdout
    );
    assert!(listed.stderr.contains("adopt"), "{}", listed.stderr);
    is(&swept(&bed, true), &[("browser", "found")]);
    assert!(alive(keeper) && alive(browser), "it was listed only");

    let said = bed.ok(["sweep"]);
    assert!(said.starts_with("ended "), "{said}");
    assert!(!alive(keeper) && !alive(browser), "both are gone");
    assert!(bed.home().join("data/profiles/shop").exists());
    nothing_is_left(&bed);
    assert!(bed.ok(["sessions"]).is_empty());
    bed.ok(["--session", "shop", "open", &site.url("/title/Again")]);
}

#[test]
fn a_session_that_is_being_opened_is_left_alone() {
    let (bed, site) = (bed(), site());
    bed.ok(["open", &site.url("/title/Mine")]);
    let (keeper, browser) = pids(&bed, "default");
    orphaned(&bed);
    // Whoever opens the session waits for this keeper.
    signal(keeper, "-STOP");
    let mut opening = in_background(&bed, &["--timeout", "2m", "open", &site.url("/title/Next")]);
    eventually("it is being opened", || {
        kinds(&swept(&bed, true)) == [("browser".to_owned(), "left_alone".to_owned())]
    });
    let left = swept(&bed, false);
    is(&left, &[("browser", "left_alone")]);
    assert!(
        left[0]["why"].as_str().unwrap().contains("being opened"),
        "{left:?}"
    );
    signal(keeper, "-CONT");
    assert!(opening.wait().unwrap().success());
    assert!(alive(keeper) && alive(browser));
    assert_eq!(bed.title("default"), "Next");
}

#[test]
fn a_browser_that_is_just_starting_is_left_alone() {
    let bed = bed();
    let (slow, stop) = (bed.home().join("slow"), bed.home().join("stop"));
    let script = format!(
        "#!/bin/sh\nwhile [ ! -e '{}' ]; do sleep 0.1; done\nexit 1\n",
        stop.display()
    );
    std::fs::write(&slow, script).unwrap();
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(&slow, mode).unwrap();
    let program = slow.display().to_string();
    let mut opening = in_background(&bed, &["--timeout", "2m", "open", "--program", &program]);
    let mut seen = Vec::new();
    eventually("its keeper listens", || {
        seen = swept(&bed, true);
        seen.iter().any(|one| one["kind"] == "nameless")
    });
    let left = swept(&bed, false);
    is(&left, &[("nameless", "left_alone"), ("file", "left_alone")]);
    let keeper = u32::try_from(left[0]["keeper_pid"].as_u64().unwrap()).unwrap();
    assert!(alive(keeper));
    std::fs::write(&stop, "").unwrap();
    assert!(!opening.wait().unwrap().success(), "it was no browser");
    eventually("the keeper has ended", || !alive(keeper));
}

#[test]
fn what_a_dead_keeper_left_is_named_and_ended() {
    let (bed, site) = (bed(), site());
    bed.ok(["open", &site.url("/title/Mine")]);
    let (keeper, browser) = pids(&bed, "default");
    orphaned(&bed);
    // Stopped, it cannot do what a browser does that loses its pipe: end.
    signal(browser, "-STOP");
    signal(keeper, "-KILL");
    eventually("the keeper is dead", || !alive(keeper));
    let listed = swept(&bed, true);
    is(&listed, &[("dead_keeper", "found")]);
    assert_eq!(listed[0]["browser_pid"], browser);
    assert_eq!(
        bed.fails(6, ["adopt"]).lines().count(),
        2,
        "nothing to adopt"
    );
    // The kernel wakes a stopped process whose group is left alone, with a hangup: it may be faster than we are.
    let swept = swept(&bed, false);
    let fate = swept[0]["fate"].as_str().unwrap();
    assert!(matches!(fate, "ended" | "removed"), "{swept:?}");
    is(&swept, &[("dead_keeper", fate)]);
    assert!(!alive(browser));
    assert_eq!(
        std::fs::read_dir(bed.home().join("data/keepers"))
            .unwrap()
            .count(),
        0
    );
    nothing_is_left(&bed);
}

#[test]
fn a_process_that_only_has_the_number_of_a_keeper_is_not_touched() {
    let bed = bed();
    let mut bystander = Command::new("sleep").arg("600").spawn().unwrap();
    let pid = bystander.id();
    let keepers = bed.home().join("data/keepers");
    std::fs::create_dir_all(&keepers).unwrap();
    let state = serde_json::json!({
        "keeper": 1, "pid": pid, "started": 1, "browserPid": pid, "browserStarted": 1,
        "socket": bed.home().join("run/keeper-0.sock"), "profile": bed.home().join("data/profiles/old"),
        "version": "Chrome/1", "exited": null,
    });
    std::fs::write(keepers.join("old.keeper"), state.to_string()).unwrap();
    is(&swept(&bed, false), &[("dead_keeper", "removed")]);
    let unharmed = alive(pid);
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    assert!(unharmed);
    assert!(!keepers.join("old.keeper").exists());
}

#[test]
fn a_keeper_whose_state_file_is_lost_is_found_by_its_socket() {
    let (bed, site) = (bed(), site());
    bed.ok(["open", &site.url("/title/Mine")]);
    let (keeper, browser) = pids(&bed, "default");
    orphaned(&bed);
    std::fs::remove_file(bed.home().join("data/keepers/default.keeper")).unwrap();
    is(
        &swept(&bed, false),
        &[("nameless", "ended"), ("file", "removed")],
    );
    eventually("both are gone", || !alive(keeper) && !alive(browser));
    nothing_is_left(&bed);
}

#[test]
fn dead_files_go_and_what_cannot_be_read_stays() {
    let bed = bed();
    let keepers = bed.home().join("data/keepers");
    std::fs::create_dir_all(&keepers).unwrap();
    std::fs::write(keepers.join("newer.keeper"), r#"{"keeper":99}"#).unwrap();
    std::fs::write(keepers.join("gone.keeper.log"), "").unwrap();
    let socket = bed.home().join("run/keeper-00000000deadbeef.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let profile = bed.home().join("keeptab-profile-old");
    std::fs::create_dir(&profile).unwrap();
    std::fs::write(profile.join("Cookies"), "").unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(7200);
    std::fs::File::open(&profile)
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    is(
        &swept(&bed, false),
        &[
            ("unreadable", "left_alone"),
            ("socket", "removed"),
            ("file", "removed"),
            ("profile", "removed"),
        ],
    );
    assert!(keepers.join("newer.keeper").exists());
    assert!(!socket.exists() && !profile.exists());
    let said = bed.ok(["sweep"]);
    assert!(
        said.starts_with("left alone") && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn while_the_registry_cannot_be_read_every_browser_may_be_somebodys() {
    let (bed, site) = (bed(), site());
    bed.ok(["open", &site.url("/title/Mine")]);
    let (keeper, browser) = pids(&bed, "default");
    bed.lose_the_records();
    std::fs::create_dir(bed.home().join("data/store.db")).unwrap();
    let left = swept(&bed, false);
    is(&left, &[("browser", "left_alone")]);
    assert!(
        left[0]["why"].as_str().unwrap().contains("cannot be read"),
        "{left:?}"
    );
    bed.ok(["adopt"]);
    assert_eq!(bed.title("default"), "Mine");
    bed.ok(["close"]);
    assert!(!alive(keeper) && !alive(browser));
}

fn in_background(bed: &Bed, args: &[&str]) -> Child {
    let mut command = bed.command();
    command.args(args).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}
