//! Many starters, one daemon.

use std::sync::{Arc, Barrier};

use keeptab_daemon::{Ended, run};

use crate::home::Home;

#[test]
fn of_twenty_starters_one_becomes_the_daemon() {
    let mut home = Home::empty();
    let together = Arc::new(Barrier::new(20));
    let (said, hear) = std::sync::mpsc::channel();
    let starters: Vec<_> = (0..20)
        .map(|_| {
            let (config, together, said) = (home.config(), Arc::clone(&together), said.clone());
            std::thread::spawn(move || {
                together.wait();
                let ended = run(config).unwrap();
                said.send(ended).unwrap();
            })
        })
        .collect();
    for _ in 0..19 {
        let ended = hear.recv_timeout(crate::home::PATIENCE).unwrap();
        assert_eq!(ended, Ended::AlreadyRunning(std::process::id()));
    }
    assert_eq!(home.get("/v1/health").0, 200, "the twentieth serves");
    let (status, body) = home.post_json("/v1/daemon/stop", "{}");
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        hear.recv_timeout(crate::home::PATIENCE).unwrap(),
        Ended::Stopped
    );
    for starter in starters {
        starter.join().unwrap();
    }
    home.daemon = None;
}

#[test]
fn a_daemon_that_is_just_ending_is_waited_for() {
    let mut home = Home::running();
    for _ in 0..10 {
        let (status, body) = home.post_json("/v1/daemon/stop", "{}");
        assert_eq!(status, 200, "{body}");
        let before = home.daemon.take();
        // Starts while the one before may still hold the lock.
        let config = home.config();
        home.daemon = Some(std::thread::spawn(move || run(config)));
        assert_eq!(before.unwrap().join().unwrap().unwrap(), Ended::Stopped);
        assert_eq!(home.get("/v1/health").0, 200);
    }
}
