use keeptab_testkit::{FaultProxy, block_on};

use crate::bed::{Bed, chromium, eventually};
use crate::losses::{kill, of_keeper};

#[test]
fn a_new_connection_finds_the_same_tab_as_it_was() {
    let (bed, chromium) = (Bed::new(), chromium());
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    bed.page("default", "globalThis.mark = 'same'");
    let said = bed.ok(["reconnect"]);
    assert!(said.contains("Connected (epoch 2)"), "{said}");
    assert_eq!(bed.page("default", "globalThis.mark"), "same");
}

#[test]
fn a_lost_socket_is_made_anew_without_being_asked() {
    let (bed, chromium) = (Bed::new(), chromium());
    let proxy = block_on(FaultProxy::start(&chromium.ws_url()));
    bed.ok(["attach", "--ws", &proxy.ws_url()]);
    bed.page("default", "globalThis.mark = 'same'");
    bed.ok(["js", "globalThis.kept = 7"]);
    assert!(proxy.rst() > 0, "there was a connection to cut");
    assert_eq!(bed.page("default", "globalThis.mark"), "same");
    assert_eq!(bed.ok(["js", "kept"]), "7", "the scope does not care");
    let (_, status) = bed.json(["status"]);
    assert_eq!(
        (
            status["data"]["state"].as_str(),
            status["data"]["epoch"].as_u64()
        ),
        (Some("connected"), Some(2))
    );
}

#[test]
fn after_the_browser_ended_it_says_so() {
    let (bed, chromium) = (Bed::new(), chromium());
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    chromium.kill();
    eventually("the loss is noticed", || bed.run(["status"]).code == 8);
    // Longer than recovery tries, so that it is the link that gives up.
    bed.fails(8, ["--timeout", "2m", "reconnect"]);
}

#[test]
fn without_a_browser_there_is_nothing_to_connect_to() {
    let bed = Bed::new();
    bed.ok(["js", "1"]);
    let said = bed.fails(6, ["reconnect"]);
    assert!(said.contains("keeptab open"), "{said}");
}

#[test]
fn the_cause_of_a_dead_browser_stays_after_a_reconnect() {
    let bed = Bed::new();
    bed.ok(["open"]);
    kill(of_keeper(&bed, "browserPid"));
    eventually("the loss is noticed", || bed.run(["status"]).code == 8);
    for _ in 0..2 {
        let said = bed.fails(8, ["reconnect"]);
        assert!(said.contains("(signal 9)"), "{said}");
        let ask = ["js", "await session.Runtime.evaluate({expression: '1'})"];
        let said = bed.fails(8, ask);
        assert!(said.contains("the browser ended: signal 9"), "{said}");
        assert!(!said.contains(".sock"), "{said}");
    }
    bed.ok(["daemon", "restart"]);
    let said = bed.run(["status"]).stdout;
    assert!(
        said.starts_with("default: its browser has ended (signal 9)"),
        "{said}"
    );
}

#[test]
fn a_dead_attached_browser_is_not_waited_for() {
    let (bed, chromium) = (Bed::new(), chromium());
    let port = chromium.port().to_string();
    bed.ok(["attach", "--port", &port]);
    chromium.kill();
    eventually("the loss is noticed", || bed.run(["status"]).code == 8);
    let (_, status) = bed.json(["status"]);
    assert!(status["data"]["rtt_p50_ms"].is_null(), "{status}");
    assert!(
        status["data"]["detail"]
            .as_str()
            .unwrap()
            .starts_with("Connection lost ("),
        "the cause is said while it is tried again: {status}"
    );
    // Recovery by itself goes on for half a minute; whoever asks need not wait for it.
    let begin = std::time::Instant::now();
    let said = bed.fails(8, ["--timeout", "2m", "reconnect"]);
    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
    assert!(
        said.contains(&format!("nobody listens at 127.0.0.1:{port}")),
        "{said}"
    );
}
