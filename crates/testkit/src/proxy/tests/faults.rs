use super::upstream::{end, reaches, server, silent, through_proxy};
use crate::{Answer, Cdp, Direction, FaultProxy, Throttle};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn passes_and_counts() {
    let (server, proxy, mut client) = through_proxy().await;
    let reply = client
        .call("Test.big", json!({ "size": 9_000_000 }))
        .await
        .unwrap();
    assert_eq!(reply["filler"].as_str().unwrap().len(), 9_000_000);
    assert_eq!(
        (proxy.connections(), proxy.upgrades(), proxy.live()),
        (1, 1, 1)
    );
    assert_eq!(
        (
            proxy.count("Test.big"),
            proxy.forwarded("Test.big"),
            proxy.count("Test.none")
        ),
        (1, 1, 0)
    );
    assert_eq!(proxy.seen()[1].method, "Test.big");
    assert!(proxy.seen()[1].forwarded);
    assert_eq!(server.commands.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_client_that_leaves_closes_the_browsers_side() {
    let (server, proxy, client) = through_proxy().await;
    drop(client);
    reaches(&server.open, 0).await;
    proxy
        .until("no connection is left", |proxy| proxy.live() == 0)
        .await;
}

#[tokio::test]
async fn rst_resets() {
    let (server, proxy, mut client) = through_proxy().await;
    assert_eq!(proxy.rst(), 1);
    let said = end(&mut client).await;
    assert!(said.contains("reset"), "{said}");
    reaches(&server.open, 0).await;
}

#[tokio::test]
async fn fin_ends_without_a_close_frame() {
    let (_server, proxy, mut client) = through_proxy().await;
    assert_eq!(proxy.fin(), 1);
    let said = end(&mut client).await;
    assert!(
        !said.contains("reset (os") && !said.contains("1000"),
        "{said}"
    );
}

#[tokio::test]
async fn close_sends_its_code_and_ends() {
    let (_server, proxy, mut client) = through_proxy().await;
    assert_eq!(proxy.close(1001, "going away"), 1);
    assert!(end(&mut client).await.contains("1001 going away"));
    proxy
        .until("the connection is over", |proxy| proxy.live() == 0)
        .await;
}

#[tokio::test]
async fn close_held_leaves_tcp_open() {
    let server = server().await;
    let proxy = FaultProxy::start(&server.url).await;
    let mut raw = TcpStream::connect(proxy.addr()).await.unwrap();
    let hello = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    raw.write_all(hello.as_bytes()).await.unwrap();
    proxy
        .until("the WebSocket is open", |proxy| proxy.live() == 1)
        .await;
    assert_eq!(proxy.close_held(1000, ""), 1);
    let mut bytes = vec![0; 4096];
    let mut got = Vec::new();
    while !got.ends_with(&[0x88, 2, 0x03, 0xe8]) {
        let n = raw.read(&mut bytes).await.unwrap();
        assert_ne!(n, 0, "ended without a close frame");
        got.extend_from_slice(&bytes[..n]);
    }
    let more = tokio::time::timeout(Duration::from_millis(300), raw.read(&mut bytes)).await;
    assert!(more.is_err(), "TCP was to stay open: {more:?}");
}

#[tokio::test]
async fn a_stall_holds_back_and_passes_on() {
    for direction in [Direction::Up, Direction::Down, Direction::Both] {
        let (server, proxy, mut client) = through_proxy().await;
        proxy.stall(direction);
        client.post(None, "Test.stalled", json!({})).await.unwrap();
        assert!(silent(&mut client).await, "{direction:?}");
        let arrived = if direction == Direction::Down { 2 } else { 1 };
        assert_eq!(
            server.commands.load(Ordering::SeqCst),
            arrived,
            "{direction:?}"
        );
        proxy.pass();
        assert_eq!(client.receive().await.unwrap()["id"], 2, "{direction:?}");
    }
}

#[tokio::test]
async fn a_stall_holds_new_handshakes_unless_it_is_for_the_current_ones() {
    let (_server, proxy, mut client) = through_proxy().await;
    assert_eq!(proxy.stall_current(Direction::Both), 1);
    client.post(None, "Test.stalled", json!({})).await.unwrap();
    assert!(silent(&mut client).await);
    Cdp::connect(&proxy.ws_url())
        .await
        .unwrap()
        .call("Test.new", json!({}))
        .await
        .unwrap();
    proxy.stall(Direction::Both);
    let url = proxy.ws_url();
    assert!(
        tokio::time::timeout(Duration::from_millis(300), Cdp::connect(&url))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn what_a_client_sent_into_a_black_hole_is_lost_with_it() {
    let (server, proxy, mut client) = through_proxy().await;
    proxy.stall(Direction::Both);
    client.post(None, "Test.stalled", json!({})).await.unwrap();
    proxy
        .until("it was seen", |proxy| proxy.count("Test.stalled") == 1)
        .await;
    drop(client);
    proxy
        .until("the connection is over", |proxy| proxy.live() == 0)
        .await;
    proxy.pass();
    reaches(&server.open, 0).await;
    assert_eq!(server.commands.load(Ordering::SeqCst), 1);
    assert_eq!(proxy.forwarded("Test.stalled"), 0);
}

#[tokio::test]
async fn pings_are_answered_while_the_rest_is_held() {
    let server = server().await;
    let proxy = FaultProxy::start(&server.url).await;
    let (mut socket, _) = tokio_tungstenite::connect_async(proxy.ws_url())
        .await
        .unwrap();
    assert_eq!(proxy.stall_answering_pings(), 1);
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    socket
        .send(Message::text(r#"{"id":1,"method":"Test.held"}"#))
        .await
        .unwrap();
    socket.send(Message::Ping("there?".into())).await.unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::Pong("there?".into())
    );
    assert_eq!(server.commands.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_cut_comes_in_the_middle_of_a_frame() {
    let (_server, proxy, mut client) = through_proxy().await;
    assert_eq!(proxy.cut_mid_frame(), 1);
    client
        .post(None, "Test.cut", json!({ "size": 100_000 }))
        .await
        .unwrap();
    let said = end(&mut client).await;
    assert!(!said.is_empty());
    proxy
        .until("the connection is over", |proxy| proxy.live() == 0)
        .await;
}

#[tokio::test]
async fn connections_are_refused_for_a_while() {
    let (_server, proxy, mut client) = through_proxy().await;
    proxy.refuse_for(Duration::from_millis(700)).await;
    let refused = TcpStream::connect(proxy.addr()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    client.call("Test.still", json!({})).await.unwrap();
    let wait = async {
        while Cdp::connect(&proxy.ws_url()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait)
        .await
        .expect("still refused");
}

#[tokio::test]
async fn upgrades_are_answered_with_a_status() {
    let (_server, proxy, _client) = through_proxy().await;
    let answer = Answer {
        status: 503,
        retry_after: Some(Duration::from_secs(2)),
    };
    proxy.answer_upgrades(answer, Duration::from_millis(700));
    let said = Cdp::connect(&proxy.ws_url()).await.unwrap_err().to_string();
    assert!(said.contains("503"), "{said}");
    assert_eq!(proxy.turned_away(), 1);
    tokio::time::sleep(Duration::from_millis(800)).await;
    Cdp::connect(&proxy.ws_url()).await.unwrap();
}

#[tokio::test]
async fn the_old_upstream_socket_can_be_held() {
    let (server, proxy, mut client) = through_proxy().await;
    proxy.hold_upstream(true);
    proxy.rst();
    end(&mut client).await;
    let mut next = Cdp::connect(&proxy.ws_url()).await.unwrap();
    next.call("Test.next", json!({})).await.unwrap();
    assert_eq!(server.open.load(Ordering::SeqCst), 2);
    proxy.hold_upstream(false);
    reaches(&server.open, 1).await;
}

#[tokio::test]
async fn a_throttle_slows_down() {
    let (_server, proxy, mut client) = through_proxy().await;
    proxy.throttle(Throttle {
        bytes_per_second: Some(100_000),
        latency: Duration::from_millis(50),
    });
    let start = Instant::now();
    client
        .call("Test.slow", json!({ "size": 30_000 }))
        .await
        .unwrap();
    assert!(
        start.elapsed() >= Duration::from_millis(350),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn plain_requests_go_through_with_the_right_names() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let upstream = listener.local_addr().unwrap().to_string();
    let target = upstream.clone();
    crate::background::handle().spawn(async move {
        let listener = TcpListener::from_std(listener.into_std().unwrap()).unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let n = stream.read(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..n]).into_owned();
        assert!(
            request.contains(&format!("Host: {target}\r\n")),
            "{request}"
        );
        let body = format!(r#"{{"webSocketDebuggerUrl":"ws://{target}/devtools/browser/x"}}"#);
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let proxy = FaultProxy::start(&upstream).await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    stream
        .write_all(b"GET /json/version HTTP/1.1\r\nHost: elsewhere\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.contains(&format!("ws://{}/devtools/browser/x", proxy.addr())),
        "{answer}"
    );
}
