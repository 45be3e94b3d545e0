//! Browsers that we start.
use std::path::{Path, PathBuf};
use std::time::Duration;

use keeptab_browser::{ConnectKind, End, Endpoint, LaunchOptions, Options, Session, Via, find};

#[cfg(target_os = "linux")]
use crate::support::runs;
use crate::support::{LONG, tab, until};

/// A program that does what `script` says when it is started as a browser.
#[cfg(unix)]
fn impostor(dir: &Path, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.join("impostor");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("mode");
    path
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn by_pipe_it_opens_no_port_and_leaves_nothing_behind() {
    let session = Session::launch(LaunchOptions::new(), Options::new())
        .await
        .expect("launch");
    let browser = session.launched().expect("ours").clone();
    assert!(browser.profile_dir.is_dir());
    assert!(find::active_port(&browser.profile_dir).is_err(), "no port");
    assert_eq!(browser.sandboxed, !rustix::process::geteuid().is_root());
    let tab = tab(&session).await;
    let big: String = tab
        .evaluate("'x'.repeat(20 << 20)")
        .await
        .expect("20 MB by pipe");
    assert_eq!(big.len(), 20 << 20);
    session.close(End::Browser).await;
    assert!(!runs(browser.pid), "the process has ended");
    assert!(
        !browser.profile_dir.exists(),
        "the temporary profile is gone"
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn dropping_the_last_handle_ends_a_browser_of_ours() {
    let session = Session::launch(LaunchOptions::new(), Options::new())
        .await
        .expect("launch");
    let pid = session.launched().expect("ours").pid;
    drop(session);
    let gone = async {
        while runs(pid) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, gone)
        .await
        .expect("the browser ends");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn by_port_it_may_outlive_us_and_be_found_again() {
    let dir = tempfile::tempdir().expect("directory");
    let profile = dir.path().join("profile");
    let launch = LaunchOptions::new()
        .via(Via::Port(0))
        .profile_dir(&profile)
        .keep(true);
    let session = Session::launch(launch, Options::new())
        .await
        .expect("launch");
    let pid = session.launched().expect("ours").pid;
    let target = tab(&session).await.target_id().clone();
    session.close(End::Detach).await;
    assert!(runs(pid), "it goes on");

    let busy = LaunchOptions::new().profile_dir(&profile);
    let busy = Session::launch(busy, Options::new())
        .await
        .err()
        .expect("in use");
    assert_eq!(busy.kind(), ConnectKind::ProfileInUse, "{busy}");
    assert!(busy.to_string().contains(&pid.to_string()), "{busy}");

    let again = Session::connect(Endpoint::Profile(profile.clone()), Options::new()).await;
    let again = again.expect("connect");
    assert_eq!(
        again
            .tab(target)
            .evaluate::<u32>("6")
            .await
            .expect("the same tab"),
        6
    );
    again.close(End::Browser).await;
    let gone = async {
        while runs(pid) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, gone)
        .await
        .expect("the browser ends");
}

#[cfg(unix)]
#[tokio::test]
async fn a_browser_that_ends_at_once_is_reported_with_its_last_words() {
    let dir = tempfile::tempdir().expect("directory");
    let path = impostor(dir.path(), "echo 'cannot open display' >&2\nexit 7");
    for via in [Via::Pipe, Via::Port(0)] {
        let launch = LaunchOptions::new().executable(&path).via(via);
        let error = Session::launch(launch, Options::new())
            .await
            .err()
            .expect("it ends");
        let said = error.to_string();
        assert!(said.contains("cannot open display"), "{via:?}: {said}");
        assert!(said.contains('7'), "{via:?}: {said}");
        assert_eq!(error.kind(), ConnectKind::StartFailed);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_browser_that_never_gets_ready_is_given_up_and_ended() {
    let dir = tempfile::tempdir().expect("directory");
    let mark = dir.path().join("pid");
    let script = format!(
        "echo $$ > {}\necho 'thinking' >&2\nexec sleep 600",
        mark.display()
    );
    let path = impostor(dir.path(), &script);
    for via in [Via::Pipe, Via::Port(0)] {
        let launch = LaunchOptions::new()
            .executable(&path)
            .via(via)
            .start_timeout(Duration::from_millis(700));
        let error = Session::launch(launch, Options::new())
            .await
            .err()
            .expect("never ready");
        let said = error.to_string();
        assert!(said.contains("thinking"), "{via:?}: {said}");
        let pid = std::fs::read_to_string(&mark).expect("it was started");
        assert!(
            !runs(pid.trim().parse().expect("pid")),
            "{via:?}: it is gone"
        );
    }
}

#[tokio::test]
async fn what_is_no_browser_and_what_makes_no_sense() {
    let launch = LaunchOptions::new().executable("/nowhere/chromium");
    let error = Session::launch(launch, Options::new())
        .await
        .err()
        .expect("no program");
    assert_eq!(error.kind(), ConnectKind::NotInstalled, "{error}");
    let launch = LaunchOptions::new().keep(true);
    let error = Session::launch(launch, Options::new())
        .await
        .err()
        .expect("no sense");
    assert_eq!(error.kind(), ConnectKind::Invalid, "{error}");
    let places = find::Places::current();
    let default = find::known_profiles(&places)
        .into_iter()
        .next()
        .expect("a home directory");
    let launch = LaunchOptions::new().profile_dir(&default.dir);
    let error = Session::launch(launch, Options::new())
        .await
        .err()
        .expect("default profile");
    assert_eq!(error.kind(), ConnectKind::DefaultProfile, "{error}");
    assert!(error.to_string().contains("136"), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_stopped_browser_is_killed_in_the_end() {
    let session = Session::launch(LaunchOptions::new(), Options::fast())
        .await
        .expect("launch");
    let pid = session.launched().expect("ours").pid;
    let raw = rustix::process::Pid::from_raw(i32::try_from(pid).expect("pid")).expect("pid");
    rustix::process::kill_process(raw, rustix::process::Signal::STOP).expect("stop");
    let closing = tokio::time::timeout(LONG, session.close(End::Browser));
    closing.await.expect("closing is bounded");
    assert!(!runs(pid));
    until(&session, keeptab_browser::State::is_final).await;
}
