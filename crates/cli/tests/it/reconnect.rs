use keeptab_testkit::{FaultProxy, block_on};

use crate::bed::{Bed, chromium, eventually};

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
