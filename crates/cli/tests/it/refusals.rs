//! An endpoint that does not let us in any more: the session is refused, expired or ended. Each has its
//! name, its event, its exit code and its way on.

use std::time::Duration;

use keeptab_testkit::{Answer, Chromium, FaultProxy, Site, block_on};

use crate::bed::{Bed, chromium, site};
use crate::events::{follow, until};

/// Longer than any test.
const FOR_GOOD: Duration = Duration::from_secs(3600);

struct Remote {
    bed: Bed,
    proxy: FaultProxy,
    _chromium: Chromium,
    site: Site,
}

/// A session at an endpoint that can change its mind.
fn attached() -> Remote {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    let proxy = block_on(FaultProxy::start(&chromium.ws_url()));
    bed.ok(["attach", "--ws", &proxy.ws_url()]);
    bed.ok(["tab", "new", &site.url("/title/Mine")]);
    bed.page("default", "globalThis.mark = 'same document'");
    Remote {
        bed,
        proxy,
        _chromium: chromium,
        site,
    }
}

/// Plays a fault and checks that the session is lost by this name, everywhere.
fn is_lost(remote: &Remote, fault: impl FnOnce(&FaultProxy), code: &str, said: &str, hint: &str) {
    let bed = &remote.bed;
    let mut events = follow(bed, "?streams=state&session=default");
    fault(&remote.proxy);
    let event = until(&mut events, "the loss", |event| event["event"] == "loss");
    assert_eq!(event["what"], code, "{event}");
    assert_eq!(event["exit_code"], 8, "{event}");
    assert!(event["text"].as_str().unwrap().contains(said), "{event}");
    assert!(event["hint"].as_str().unwrap().contains(hint), "{event}");

    let connections = remote.proxy.connections();
    let (exit, failed) = bed.json(["js", "await session.Runtime.evaluate({expression: '1'})"]);
    assert_eq!(
        (exit, failed["error"]["code"].as_str()),
        (8, Some(code)),
        "{failed}"
    );
    let text = failed["error"]["message"].as_str().unwrap();
    assert!(text.contains(said), "{failed}");
    let text = failed["error"]["hint"].as_str().unwrap();
    assert!(text.contains(hint), "{failed}");
    let (exit, status) = bed.json(["status"]);
    assert_eq!(
        (exit, status["data"]["state"].as_str()),
        (8, Some(code)),
        "{status}"
    );
    let human = bed.run(["status"]).stdout;
    let way_on = human.lines().find_map(|line| line.strip_prefix("try: "));
    assert!(way_on.is_some_and(|way| way.contains(hint)), "{human}");
    // Who is not let in does not knock again.
    assert_eq!(remote.proxy.connections(), connections);
}

fn turned_away(status: u16) -> impl FnOnce(&FaultProxy) {
    move |proxy| {
        proxy.answer_upgrades(Answer::status(status), FOR_GOOD);
        assert!(proxy.rst() > 0, "there was a connection");
    }
}

fn a_new_address_is_the_way_on(remote: &Remote) {
    remote.bed.ok(["close"]);
    remote.proxy.pass();
    remote.bed.ok(["attach", "--ws", &remote.proxy.ws_url()]);
    remote
        .bed
        .ok(["tab", "new", &remote.site.url("/title/Again")]);
    assert_eq!(remote.bed.title("default"), "Again");
}

#[test]
fn an_endpoint_that_refuses_us_is_asked_again_when_somebody_says_so() {
    for (status, said) in [(401, "code 401"), (403, "code 403"), (404, "code 404")] {
        let remote = attached();
        is_lost(
            &remote,
            turned_away(status),
            "session_refused",
            said,
            "check the address and its credentials, then: keeptab reconnect",
        );
        remote.bed.fails(8, ["reconnect"]);
        remote.proxy.pass();
        remote.bed.ok(["reconnect"]);
        assert_eq!(
            remote.bed.page("default", "globalThis.mark"),
            "same document"
        );
    }
}

#[test]
fn a_close_for_a_policy_is_a_refusal() {
    let remote = attached();
    is_lost(
        &remote,
        |proxy| assert!(proxy.close(1008, "too many sessions") > 0),
        "session_refused",
        "too many sessions",
        "keeptab reconnect",
    );
}

#[test]
fn a_lease_that_is_over_is_expired() {
    let remote = attached();
    is_lost(
        &remote,
        |proxy| assert!(proxy.close(1008, "session expired") > 0),
        "session_expired",
        "its time at the endpoint is over",
        "keeptab close, then get a new address: keeptab attach --ws URL",
    );
    a_new_address_is_the_way_on(&remote);
}

#[test]
fn an_endpoint_that_has_ended_it_says_so() {
    let remote = attached();
    is_lost(
        &remote,
        turned_away(410),
        "session_ended",
        "the endpoint has ended it",
        "keeptab close, then get a new address: keeptab attach --ws URL",
    );
    a_new_address_is_the_way_on(&remote);
}

#[test]
fn the_next_daemon_is_refused_by_the_same_name() {
    let remote = attached();
    remote.bed.ok(["daemon", "stop"]);
    remote.proxy.answer_upgrades(Answer::status(401), FOR_GOOD);
    let (exit, said) = remote.bed.json(["tab"]);
    assert_eq!(
        (exit, said["error"]["code"].as_str()),
        (8, Some("session_refused")),
        "{said}"
    );
    remote.proxy.pass();
    remote.bed.ok(["reconnect"]);
    assert_eq!(
        remote.bed.page("default", "globalThis.mark"),
        "same document"
    );
}
