//! Who may own the browser, and what a new owner learns about the old one.

use std::io::Write as _;
use std::time::Duration;

use keeptab_keeper::wire;
use serde_json::{Value, json};

use crate::support::{Kept, until};

#[test]
fn the_same_connection_survives_its_owner() {
    let kept = Kept::fake("");
    let (mut first, hello) = kept.own(1);
    assert_eq!(hello["dropped"], 0);
    assert_eq!(hello["nextId"], 1);
    assert_eq!(hello["version"], "Fake/1.0");
    assert_eq!(hello["browserExited"], Value::Null);
    assert_eq!(first.call("Any.thing", json!({}))["result"]["length"], 2);
    drop(first);
    let (mut second, again) = kept.own(2);
    assert_eq!(again["connection"], hello["connection"]);
    assert_eq!(again["nextId"], 2);
    assert_eq!(second.seen()["seen"], json!([1, 2]));
}

#[test]
fn a_higher_epoch_takes_over_and_lower_ones_are_refused() {
    let kept = Kept::fake("");
    let (mut old, _) = kept.own(5);
    for (epoch, why) in [(4, "older_epoch"), (5, "epoch_taken")] {
        let mut guest = kept.raw();
        guest.send(&wire::hello(epoch, "late"));
        let no = guest.next();
        assert_eq!(
            (&no["keeper"], &no["why"]),
            (&json!("refused"), &json!(why))
        );
        assert_eq!((&no["epoch"], &no["owner"]), (&json!(5), &json!("test")));
        assert_eq!(guest.next(), Value::Null);
    }
    assert!(
        old.call("Any.thing", json!({})).get("result").is_some(),
        "the owner is untouched"
    );
    let (mut new, _) = kept.own(6);
    assert_eq!(old.next(), json!({"keeper": "superseded", "by": 6}));
    assert_eq!(old.next(), Value::Null);
    // The old one cannot slip in a command any more.
    let _ = old
        .writer
        .write_all(b"{\"id\":99,\"method\":\"Any.thing\"}\0");
    assert_eq!(new.seen()["seen"], json!([1, 2]));
    drop(new);
    let mut guest = kept.raw();
    guest.send(&wire::hello(5, "late"));
    assert_eq!(
        guest.next()["why"],
        "older_epoch",
        "also when nobody is there"
    );
    kept.own(6);
}

#[test]
fn a_dialog_that_nobody_was_told_of_is_known_to_the_next_owner() {
    let kept = Kept::fake("");
    let (mut first, hello) = kept.own(1);
    assert_eq!(hello["dialogs"], json!([]));
    let dialog = |what: &str, session: &str, message: &str, ms: u32| json!({"what": what, "session": session, "message": message, "ms": ms});
    first.post("Fake.dialog", dialog("Opening", "A1", "seen", 0));
    first.find(|message| message["method"] == "Page.javascriptDialogOpening");
    first.post("Fake.dialog", dialog("Opening", "B2", "answered", 0));
    first.find(|message| message["params"]["message"] == "answered");
    first.post("Fake.dialog", dialog("Closed", "B2", "", 200));
    let long = "x".repeat(100_000);
    first.post("Fake.dialog", dialog("Opening", "C3", &long, 200));
    first.post("Fake.dialog", dialog("Opening", "D4", "unseen", 200));
    first.seen();
    drop(first);
    let mut epoch = 2;
    until("all of it has happened", || {
        let (_owner, hello) = kept.own(epoch);
        epoch += 1;
        let open: Vec<&Value> = hello["dialogs"]
            .as_array()
            .expect("dialogs")
            .iter()
            .map(|event| &event["params"]["message"])
            .collect();
        open == [&json!("seen"), &json!("unseen")]
    });
    let (mut owner, hello) = kept.own(epoch);
    assert_eq!(hello["dialogs"][1]["sessionId"], "D4");
    assert!(owner.call("Any.thing", json!({})).get("result").is_some());
}

#[test]
fn an_effect_in_flight_is_delivered_once_or_declared() {
    let kept = Kept::fake("");
    let (mut first, _) = kept.own(1);
    let answered = first.call("Fake.effect", json!({}))["id"]
        .as_i64()
        .expect("id");
    let late = first.post("Fake.later", json!({"ms": 300}));
    let hung = first.post("Fake.silent", json!({}));
    // Sent, and the owner dies with the reply unread.
    first.call("Fake.effect", json!({}));
    drop(first);
    let (mut second, hello) = kept.own(2);
    let in_flight = hello["inFlight"].as_array().expect("inFlight");
    let state = |id: i64| in_flight.iter().find(|e| e["id"] == id).expect("known")["state"].clone();
    assert_eq!(state(answered), "replied");
    assert_eq!(state(hung), "sent");
    let fate = second.fate(answered);
    assert_eq!(fate["state"], "replied");
    assert_eq!(fate["reply"]["id"], answered);
    assert_eq!(fate["reply"]["result"]["length"], 2);
    assert_eq!(second.fate(hung)["state"], "sent");
    assert_eq!(second.fate(1000)["state"], "unseen");
    // The late one reaches the new owner as it comes, and stays in the ledger.
    until("the late reply is in the ledger", || {
        second.fate(late)["state"] == "replied"
    });
    assert_eq!(second.fate(late)["reply"]["result"]["late"], true);
    assert_eq!(
        second.seen()["seen"],
        json!([1, 2, 3, 4, 5]),
        "nothing was sent twice"
    );

    second.send(&wire::acknowledge(Some(
        i32::try_from(answered).expect("id"),
    )));
    assert_eq!(second.fate(answered)["state"], "unseen");
    second.send(&wire::acknowledge(None));
    second.send(&wire::ask_ledger());
    let ledger = second.find(|message| message["keeper"] == "ledger");
    let left: Vec<_> = ledger["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .collect();
    assert_eq!(left.len(), 1, "{ledger}");
    assert_eq!(
        (&left[0]["id"], &left[0]["epoch"]),
        (&json!(hung), &json!(1))
    );
}

#[test]
fn a_late_reply_goes_to_the_present_owner() {
    let kept = Kept::fake("");
    let (mut first, _) = kept.own(1);
    let late = first.post("Fake.later", json!({"ms": 200}));
    first.seen();
    drop(first);
    let (mut second, _) = kept.own(2);
    assert_eq!(second.reply(late)["result"]["late"], true);
}

#[test]
fn an_id_of_another_owner_is_refused() {
    let kept = Kept::fake("");
    let (mut first, _) = kept.own(1);
    let hung = first.post("Fake.silent", json!({}));
    first.seen();
    drop(first);
    let (mut second, hello) = kept.own(2);
    second.id = hung;
    let id = second.post("Any.thing", json!({}));
    let no = second.next();
    assert_eq!(
        (&no["keeper"], &no["why"]),
        (&json!("refused"), &json!("id_taken"))
    );
    assert_eq!((&no["id"], &no["nextId"]), (&json!(id), &hello["nextId"]));
    second.id = hello["nextId"].as_i64().expect("nextId");
    assert_eq!(second.seen()["seen"], json!([1, 2, 3]));
}

#[test]
fn commands_that_cannot_be_followed_are_not_sent() {
    let kept = Kept::fake("");
    let (mut owner, _) = kept.own(1);
    for odd in [
        "{\"method\":\"A.b\",\"id\":5}",
        "{\"id\":0,\"method\":\"A.b\"}",
        "{\"id\":-1,\"method\":\"A.b\"}",
        "{\"id\":9999999999,\"method\":\"A.b\"}",
        "not JSON",
    ] {
        owner.say(odd);
        let no = owner.next();
        assert_eq!(
            (&no["keeper"], &no["why"]),
            (&json!("refused"), &json!("no_id")),
            "{odd}"
        );
    }
    owner.say("{\"keeper\":\"dance\"}");
    assert_eq!(
        owner.next(),
        json!({"keeper": "error", "why": "not_understood"})
    );
    owner.say("{\"keeper\":\"ping\"}");
    assert_eq!(owner.next(), json!({"keeper": "pong"}));
    assert_eq!(owner.seen()["seen"], json!([1]));
}

#[test]
fn guests_without_manners_are_shown_out() {
    let kept = Kept::fake("");
    for (said, why) in [
        (b"GET / HTTP/1.1\r\n\r\n\0".to_vec(), "no_hello"),
        (b"{\"hello\":2,\"epoch\":1}\0".to_vec(), "version"),
        (b"{\"hello\":1}\0".to_vec(), "no_hello"),
        (vec![b'x'; 10_000], "hello_too_long"),
    ] {
        let mut guest = kept.raw();
        guest.send(&said);
        assert_eq!(guest.next()["why"], why);
    }
    // More silent guests than there are chairs, and an owner still gets in.
    let silent: Vec<_> = (0..20).map(|_| kept.raw()).collect();
    drop(silent);
    let mut waiting: Vec<_> = (0..20).map(|_| kept.raw()).collect();
    let (mut owner, _) = kept.own(1);
    assert!(owner.call("Any.thing", json!({})).get("result").is_some());
    assert_eq!(waiting[0].next()["why"], "no_hello_in_time");
}

#[test]
fn a_hello_may_come_in_pieces_or_with_commands_behind_it() {
    let kept = Kept::fake("");
    let mut owner = kept.raw();
    for byte in wire::hello(1, "slow") {
        owner.send(&[byte]);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(owner.next()["keeper"], 1);
    let mut eager = kept.raw();
    let mut all = wire::hello(2, "eager");
    all.extend_from_slice(
        b"{\"id\":1,\"method\":\"Any.thing\"}\0{\"id\":2,\"method\":\"Any.thing\"}\0",
    );
    eager.send(&all);
    assert_eq!(eager.next()["epoch"], 2);
    assert_eq!(eager.next()["id"], 1);
    assert_eq!(eager.next()["id"], 2);
}
