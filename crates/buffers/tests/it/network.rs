//! Requests.

use keeptab_buffers::{Body, Buffers, Network, Outcome, Served, Stream, Taken, What};
use serde_json::json;

use crate::events::{
    buffers, finished, lines, request, request_params, response, take, whole_request,
};

fn entry(buffers: &Buffers, number: u64) -> &Network {
    match &buffers.get(Stream::Network, number).unwrap().what {
        What::Network(network) => network,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_is_one_entry_from_start_to_end() {
    let mut b = buffers();
    assert_eq!(
        request(&mut b, "1", "https://a.test/x"),
        Taken::Added(Stream::Network, 1)
    );
    assert_eq!(
        lines(&b, Stream::Network),
        ["01 GET https://a.test/x pending xhr 0B"]
    );
    let updated = Taken::Updated(Stream::Network, 1);
    assert_eq!(
        take(
            &mut b,
            "T1",
            "Network.responseReceived",
            &response("1", 200)
        ),
        updated
    );
    let data =
        json!({"requestId": "1", "timestamp": 1.0, "dataLength": 900, "encodedDataLength": 0});
    assert_eq!(take(&mut b, "T1", "Network.dataReceived", &data), updated);
    assert_eq!(
        take(&mut b, "T1", "Network.loadingFinished", &finished("1")),
        updated
    );
    assert_eq!(
        lines(&b, Stream::Network),
        ["01 GET https://a.test/x 200 12ms xhr 3KB"]
    );
    let network = entry(&b, 1);
    assert_eq!(network.initiator, "script https://a.test/app.js:10");
    assert_eq!(network.remote, "192.0.2.1:443");
    assert_eq!(network.timing.unwrap().connect.unwrap().round(), 3.0);
    assert_eq!(network.outcome, Outcome::Finished);
}

#[test]
fn a_failure_says_why() {
    let mut b = buffers();
    request(&mut b, "1", "https://a.test/x");
    let failed = json!({
        "requestId": "1", "timestamp": 100.5, "type": "XHR",
        "errorText": "net::ERR_BLOCKED_BY_CLIENT", "canceled": false, "blockedReason": "inspector",
    });
    take(&mut b, "T1", "Network.loadingFailed", &failed);
    assert_eq!(
        lines(&b, Stream::Network),
        ["01 GET https://a.test/x FAILED 500ms xhr net::ERR_BLOCKED_BY_CLIENT"]
    );
}

#[test]
fn caches_are_named() {
    let mut b = buffers();
    whole_request(&mut b, "1", "https://a.test/memory", 200);
    take(
        &mut b,
        "T1",
        "Network.requestServedFromCache",
        &json!({"requestId": "1"}),
    );
    request(&mut b, "2", "https://a.test/disk");
    let mut from_disk = response("2", 200);
    from_disk["response"]["fromDiskCache"] = true.into();
    take(&mut b, "T1", "Network.responseReceived", &from_disk);
    assert_eq!(entry(&b, 1).served, Served::Memory);
    assert_eq!(entry(&b, 2).served, Served::Disk);
    assert!(lines(&b, Stream::Network)[1].ends_with("(disk)"));
}

fn redirect(id: &str, url: &str, status: u16, has_extra: bool) -> serde_json::Value {
    let mut params = request_params(id, url);
    params["redirectResponse"] = response(id, status)["response"].clone();
    params["redirectHasExtraInfo"] = has_extra.into();
    params["timestamp"] = 100.005.into();
    params
}

fn extra(id: &str, header: &str, status: u16) -> serde_json::Value {
    json!({"requestId": id, "headers": {"x-hop": header}, "statusCode": status, "blockedCookies": []})
}

#[test]
fn each_hop_of_a_redirect_chain_is_an_entry_with_its_own_headers() {
    let mut b = buffers();
    request(&mut b, "1", "http://a.test/");
    let response_extra = "Network.responseReceivedExtraInfo";
    take(&mut b, "T1", response_extra, &extra("1", "first", 301));
    take(
        &mut b,
        "T1",
        "Network.requestWillBeSent",
        &redirect("1", "https://a.test/", 301, true),
    );
    // The second hop goes through a cache: it has none of its own.
    take(
        &mut b,
        "T1",
        "Network.requestWillBeSent",
        &redirect("1", "https://b.test/", 302, false),
    );
    // The third one's is here before the hop is answered.
    take(&mut b, "T1", response_extra, &extra("1", "third", 200));
    let mut last = response("1", 200);
    last["hasExtraInfo"] = true.into();
    take(&mut b, "T1", "Network.responseReceived", &last);
    take(&mut b, "T1", "Network.loadingFinished", &finished("1"));

    assert_eq!(
        lines(&b, Stream::Network),
        [
            "01 GET http://a.test/ 301 5ms xhr 300B",
            "02 GET https://a.test/ 302 0ms xhr 300B",
            "03 GET https://b.test/ 200 7ms xhr 3KB",
        ]
    );
    let hops: Vec<_> = (1..=3)
        .map(|n| (entry(&b, n).hop, entry(&b, n).response_headers[0].clone()))
        .collect();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        hops,
        [
            (0, pair("x-hop", "first")),
            (1, pair("Content-Type", "application/json")),
            (2, pair("x-hop", "third")),
        ]
    );
    assert_eq!(entry(&b, 1).outcome, Outcome::Redirected);
}

#[test]
fn wire_headers_that_come_first_wait_for_their_request() {
    let mut b = buffers();
    let early = extra("1", "wire", 0);
    assert_eq!(
        take(&mut b, "T1", "Network.requestWillBeSentExtraInfo", &early),
        Taken::Ignored
    );
    request(&mut b, "1", "https://a.test/");
    assert_eq!(
        entry(&b, 1).request_headers,
        [("x-hop".to_owned(), "wire".to_owned())]
    );
}

#[test]
fn the_same_id_in_two_targets_is_two_requests() {
    let mut b = buffers();
    request(&mut b, "1", "https://a.test/x");
    take(
        &mut b,
        "T2",
        "Network.requestWillBeSent",
        &request_params("1", "https://b.test/y"),
    );
    take(&mut b, "T2", "Network.loadingFinished", &finished("1"));
    assert_eq!(entry(&b, 1).outcome, Outcome::Pending);
    assert_eq!(entry(&b, 2).outcome, Outcome::Finished);
}

#[test]
fn a_request_nobody_saw_start_is_shown_when_it_is_answered() {
    let mut b = buffers();
    assert_eq!(
        take(&mut b, "T1", "Network.loadingFinished", &finished("9")),
        Taken::Ignored
    );
    take(
        &mut b,
        "T1",
        "Network.responseReceived",
        &response("9", 200),
    );
    assert_eq!(
        lines(&b, Stream::Network),
        ["01 ? https://a.test/x 200 xhr 300B"]
    );
}

#[test]
fn a_socket_counts_what_goes_through_it() {
    let mut b = buffers();
    let id = json!({"requestId": "5", "url": "wss://a.test/live?token=s", "initiator": {"type": "script"}});
    take(&mut b, "T1", "Network.webSocketCreated", &id);
    let sent = json!({
        "requestId": "5", "timestamp": 10.0, "wallTime": 1.0,
        "request": {"headers": {"Sec-WebSocket-Version": "13"}},
    });
    take(
        &mut b,
        "T1",
        "Network.webSocketWillSendHandshakeRequest",
        &sent,
    );
    let answered = json!({
        "requestId": "5", "timestamp": 10.02,
        "response": {"status": 101, "statusText": "Switching Protocols", "headers": {}},
    });
    take(
        &mut b,
        "T1",
        "Network.webSocketHandshakeResponseReceived",
        &answered,
    );
    let frame = json!({"requestId": "5", "timestamp": 11.0, "response": {"opcode": 1, "mask": false, "payloadData": "12345"}});
    take(&mut b, "T1", "Network.webSocketFrameSent", &frame);
    take(&mut b, "T1", "Network.webSocketFrameReceived", &frame);
    take(&mut b, "T1", "Network.webSocketFrameReceived", &frame);
    assert_eq!(
        lines(&b, Stream::Network),
        ["01 GET wss://a.test/live?token=[redacted] 101 20ms websocket 15B"]
    );
    take(
        &mut b,
        "T1",
        "Network.webSocketClosed",
        &json!({"requestId": "5", "timestamp": 12.0}),
    );
    let network = entry(&b, 1);
    assert_eq!(network.outcome, Outcome::Finished);
    assert_eq!(
        (
            network.frames.unwrap().sent,
            network.frames.unwrap().received
        ),
        (1, 2)
    );
    assert_eq!(network.duration_ms.unwrap().round(), 2_000.0);
}

#[test]
fn a_body_joins_its_request() {
    let mut b = buffers();
    whole_request(&mut b, "1", "https://a.test/x", 200);
    let body = Body::Text("{}".into());
    assert_eq!(
        b.set_body("T1", "1", body.clone()),
        Taken::Updated(Stream::Network, 1)
    );
    assert_eq!(entry(&b, 1).body, body);
    assert_eq!(b.set_body("T1", "2", body), Taken::Ignored);
}
