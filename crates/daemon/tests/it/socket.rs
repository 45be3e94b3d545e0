//! Who can reach the daemon.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;

use keeptab_daemon::Ended;

use crate::home::Home;

#[test]
fn socket_and_directories_are_for_their_owner_only() {
    let home = Home::running();
    let mode = |path: &std::path::Path| path.metadata().unwrap().mode() & 0o777;
    assert_eq!(mode(&home.paths.socket()), 0o600);
    assert_eq!(mode(home.paths.run_dir()), 0o700);
    assert_eq!(mode(home.paths.data_dir()), 0o700);
    assert_eq!(mode(&home.paths.lock()), 0o600);
    assert_eq!(mode(&home.paths.log()), 0o600);
}

#[test]
fn another_user_is_turned_away_without_an_answer() {
    let mut home = Home::empty();
    let mut config = home.config();
    // The same check as for a stranger: the peer's uid is not the one allowed.
    config.allowed_uid = Some(rustix::process::geteuid().as_raw() + 1);
    let daemon = std::thread::spawn(move || keeptab_daemon::run(config));
    let mut answer = Vec::new();
    let mut stream = home.connect();
    let _ = std::io::Write::write_all(&mut stream, b"GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n");
    let _ = stream.read_to_end(&mut answer);
    assert_eq!(answer, b"", "not a byte for a stranger");
    // Nobody may tell this daemon to end, so it gets the signal that init would send.
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM)
        .unwrap();
    assert_eq!(daemon.join().unwrap().unwrap(), Ended::Stopped);
    home.daemon = None;
}

#[test]
fn the_socket_of_a_dead_daemon_is_replaced() {
    let mut home = Home::empty();
    home.paths.prepare().unwrap();
    // A socket file that nobody listens on, as kill -9 leaves it.
    drop(UnixListener::bind(home.paths.socket()).unwrap());
    assert!(home.paths.socket().exists());
    let config = home.config();
    home.daemon = Some(std::thread::spawn(move || keeptab_daemon::run(config)));
    assert_eq!(home.get("/v1/health").0, 200);
}

#[test]
fn a_socket_that_somebody_removed_is_there_again() {
    let mut home = Home::running();
    let taken = home.paths.socket();
    std::fs::remove_file(&taken).unwrap();
    // The helper tries until it can connect.
    assert_eq!(home.get("/v1/health").0, 200);
    // Also with its directory, as cleaners of /tmp do it.
    std::fs::remove_dir_all(home.paths.run_dir()).unwrap();
    assert_eq!(home.get("/v1/health").0, 200);
    assert_eq!(taken.metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(
        home.paths.run_dir().metadata().unwrap().mode() & 0o777,
        0o700
    );
    // It is the daemon again for those who would start one.
    assert!(matches!(
        keeptab_daemon::run(home.config()).unwrap(),
        Ended::AlreadyRunning(pid) if pid == std::process::id()
    ));
    assert_eq!(home.stop(), Ended::Stopped);
    assert!(!taken.exists());
}

#[test]
fn a_home_with_a_very_long_name_works() {
    let mut home = Home::empty();
    let long = home.dir.path().join("a".repeat(120));
    home.paths = keeptab_daemon::Paths::below(&long);
    home.start(home.config());
    assert_eq!(home.get("/v1/health").0, 200);
    home.stop();
    // Its socket was in the shared short place; leave nothing there.
    std::fs::remove_dir_all(home.paths.run_dir()).unwrap();
}

#[test]
fn nothing_is_left_in_the_way_after_the_end() {
    let mut home = Home::running();
    assert_eq!(home.stop(), Ended::Stopped);
    assert!(!home.paths.socket().exists());
    home.start(home.config());
    assert_eq!(home.get("/v1/health").0, 200);
}
