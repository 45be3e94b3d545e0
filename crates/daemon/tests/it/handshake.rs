//! A daemon and a client of different builds.

use keeptab_daemon::api::{Health, StopRequest};
use keeptab_daemon::client::Method;

use crate::home::{Home, build};

const HEADERS: &str = "content-type: application/json\r\n";

fn ask(home: &Home, client: &str) -> (u16, String) {
    home.post(
        "/v1/sessions/a/close",
        &format!("{HEADERS}keeptab-client: {client}\r\n"),
        "{}",
    )
}

#[test]
fn an_older_daemon_steps_aside_before_anything_is_done() {
    let home = Home::running();
    let (status, body) = ask(&home, "1.0.1 other 0");
    assert_eq!(status, 426, "{body}");
    assert!(
        body.contains("1.0.0 test 10"),
        "it says which build it is: {body}"
    );
    let (status, body) = ask(&home, "1.0.0 other 11");
    assert_eq!(status, 426, "the same version, built later: {body}");
}

#[test]
fn the_same_and_older_builds_and_strangers_are_served() {
    let home = Home::running();
    for client in [
        "1.0.0 test 10",
        "1.0.0 test 99",
        "0.9.9 other 99",
        "1.0.0 other 9",
        "nonsense",
    ] {
        let (status, body) = ask(&home, client);
        assert_eq!(
            status, 404,
            "served, and there is no such session: {client}: {body}"
        );
    }
}

#[test]
fn only_the_daemon_that_is_meant_is_stopped() {
    let mut home = Home::running();
    let mut client = home.client(build("newer", 20));
    let wrong = StopRequest {
        build: Some("1.0.0 else 5".into()),
        discard: false,
    };
    assert!(client.stop(&wrong).is_err());
    let health: Option<Health> = home
        .client(build("test", 10))
        .call_running(Method::Get, "/v1/health", &())
        .unwrap();
    let health = health.unwrap();
    let right = StopRequest {
        build: Some(health.build),
        discard: false,
    };
    let stopped = client.stop(&right).unwrap().unwrap();
    assert_eq!(stopped.pid, health.pid);
    home.daemon.take().unwrap().join().unwrap().unwrap();
}

#[test]
fn without_a_daemon_nothing_is_started_by_looking() {
    let home = Home::empty();
    let mut client = home.client(build("test", 10));
    let health: Option<Health> = client.call_running(Method::Get, "/v1/health", &()).unwrap();
    assert!(health.is_none());
    assert!(client.stop(&StopRequest::default()).unwrap().is_none());
    assert!(client.daemon_pid().unwrap().is_none());
    assert!(!home.paths.socket().exists());
}
