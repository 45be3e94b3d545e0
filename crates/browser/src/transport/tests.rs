//! Our framing against another implementation of WebSocket, over real sockets.
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use keeptab_link::Cause;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, tungstenite};

use super::nul::Nul;
use super::websocket::WebSocket;
use super::{Framed, Incoming, MAX_MESSAGE, Transport};

async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("port");
    let address = listener.local_addr().expect("address");
    let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
    (ours.expect("connect"), theirs.expect("accept").0)
}

async fn pair() -> (Box<dyn Transport>, WebSocketStream<TcpStream>) {
    let (ours, theirs) = sockets().await;
    let config = WebSocketConfig::default()
        .max_message_size(None)
        .max_frame_size(None);
    let theirs = WebSocketStream::from_raw_socket(theirs, Role::Server, Some(config)).await;
    let ours = Framed::new(ours, WebSocket::new(MAX_MESSAGE), BytesMut::new());
    (Box::new(ours), theirs)
}

async fn receive(transport: &mut dyn Transport) -> Incoming {
    let next = poll_fn(|cx| {
        loop {
            // Pings are answered by flushing, as the driver does.
            let _ = transport.poll_flush(cx);
            match transport.poll_receive(cx) {
                Poll::Ready(Incoming::Alive) => {}
                other => return other,
            }
        }
    });
    timeout(Duration::from_secs(30), next)
        .await
        .expect("something arrives")
}

async fn message(transport: &mut dyn Transport) -> Bytes {
    match receive(transport).await {
        Incoming::Message(message) => message,
        other => panic!("{other:?} instead of a message"),
    }
}

async fn flush(transport: &mut dyn Transport) {
    poll_fn(|cx| transport.poll_flush(cx))
        .await
        .expect("flushed");
}

fn text(len: usize) -> String {
    let part = "0123456789äöü€";
    part.repeat(len / part.len() + 1)
}

#[tokio::test]
async fn messages_of_every_size_arrive_whole_in_both_directions() {
    let (mut ours, mut theirs) = pair().await;
    let sizes = [
        0,
        1,
        125,
        126,
        65_535,
        65_536,
        1 << 20,
        (1 << 20) + 1,
        9 << 20,
    ];
    let echo = tokio::spawn(async move {
        while let Some(Ok(message)) = theirs.next().await {
            theirs.send(message).await.expect("echo");
        }
    });
    for size in sizes {
        let sent = Bytes::from(text(size));
        ours.send(sent.clone());
        assert!(message(&mut *ours).await == sent, "size {size}");
    }
    drop(ours);
    echo.await.expect("echo");
}

#[tokio::test]
async fn many_small_messages_keep_their_order() {
    let (mut ours, mut theirs) = pair().await;
    let server = tokio::spawn(async move {
        for n in 0..20_000 {
            theirs
                .feed(Message::text(format!("{{\"n\":{n}}}")))
                .await
                .expect("feed");
        }
        theirs.flush().await.expect("flush");
        theirs
    });
    for n in 0..20_000 {
        assert_eq!(message(&mut *ours).await, format!("{{\"n\":{n}}}"));
    }
    server.await.expect("server");
}

#[tokio::test]
async fn pings_are_answered_and_ours_too() {
    let (mut ours, mut theirs) = pair().await;
    theirs
        .send(Message::Ping(Bytes::from_static(b"are you there")))
        .await
        .expect("ping");
    theirs.send(Message::text("x")).await.expect("text");
    assert_eq!(message(&mut *ours).await, "x");
    ours.ping();
    flush(&mut *ours).await;
    match theirs.next().await {
        Some(Ok(Message::Pong(payload))) => assert_eq!(payload, "are you there"),
        other => panic!("{other:?} instead of a pong"),
    }
    assert!(matches!(theirs.next().await, Some(Ok(Message::Ping(_)))));
    theirs.flush().await.expect("flush");
    assert!(matches!(receive(&mut *ours).await, Incoming::Pong));
}

#[tokio::test]
async fn a_blocked_write_does_not_stop_reading() {
    let (mut ours, mut theirs) = pair().await;
    // More than the kernel takes while nobody reads.
    ours.send(Bytes::from(text(48 << 20)));
    let blocked = poll_fn(|cx| Poll::Ready(ours.poll_flush(cx).is_pending())).await;
    assert!(blocked, "the write blocks");
    for n in 0..10 {
        theirs
            .feed(Message::text(n.to_string()))
            .await
            .expect("feed");
    }
    theirs.flush().await.expect("flush");
    for n in 0..10 {
        assert_eq!(message(&mut *ours).await, n.to_string());
    }
    let reader = tokio::spawn(async move { theirs.next().await });
    flush(&mut *ours).await;
    match reader.await.expect("reader") {
        Some(Ok(Message::Text(got))) => assert!(got.as_str() == text(48 << 20)),
        other => panic!("{:?} instead of the text", other.map(|got| got.map(|_| ()))),
    }
}

#[tokio::test]
async fn each_byte_of_a_slow_message_is_a_sign_of_life() {
    use tokio::io::AsyncWriteExt;
    let (ours, mut theirs) = sockets().await;
    let mut ours = Framed::new(ours, WebSocket::new(MAX_MESSAGE), BytesMut::new());
    theirs.write_all(&[0x81, 4, b'a']).await.expect("write");
    let seen = poll_fn(|cx| ours.poll_receive(cx)).await;
    assert!(matches!(seen, Incoming::Alive), "{seen:?}");
    theirs.write_all(b"bcd").await.expect("write");
    assert_eq!(message(&mut ours).await, "abcd");
}

#[tokio::test]
async fn every_kind_of_end_has_its_name() {
    let (mut ours, theirs) = pair().await;
    drop(theirs);
    assert!(matches!(
        receive(&mut *ours).await,
        Incoming::Lost(Cause::Eof)
    ));

    let (mut ours, theirs) = pair().await;
    theirs.get_ref().set_zero_linger().expect("linger");
    drop(theirs);
    assert!(matches!(
        receive(&mut *ours).await,
        Incoming::Lost(Cause::Reset)
    ));

    let (mut ours, mut theirs) = pair().await;
    let frame = tungstenite::protocol::CloseFrame {
        code: 1012.into(),
        reason: "restart".into(),
    };
    theirs
        .send(Message::Close(Some(frame)))
        .await
        .expect("close");
    match receive(&mut *ours).await {
        Incoming::Lost(Cause::CloseFrame { code, reason }) => {
            assert_eq!((code, &*reason), (1012, "restart"));
        }
        other => panic!("{other:?} instead of a close frame"),
    }
}

#[tokio::test]
async fn a_large_message_is_not_kept_by_the_read_buffer() {
    use tokio::io::AsyncWriteExt;
    let (ours, mut theirs) = sockets().await;
    let mut ours = Framed::new(ours, Nul::new(MAX_MESSAGE), BytesMut::new());
    let big = text(20 << 20);
    let sent = big.clone();
    let writer = tokio::spawn(async move {
        theirs.write_all(sent.as_bytes()).await.expect("write");
        theirs.write_all(b"\0small\0").await.expect("write");
        theirs
    });
    let got = message(&mut ours).await;
    assert!(got == big);
    assert_eq!(message(&mut ours).await, "small");
    assert!(
        got.try_into_mut().is_ok(),
        "nobody else holds a part of the large message"
    );
    writer.await.expect("writer");
}

/// What came of the first large messages once stayed with the process, beside the next ones.
#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
#[tokio::test]
async fn the_memory_of_large_messages_goes_back_to_the_system() {
    use tokio::io::AsyncReadExt;

    const LARGE: u64 = 20 << 20;
    fn resident_mb() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("status");
        let field = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = field.expect("VmRSS").trim().trim_end_matches(" kB");
        kilobytes.parse::<u64>().expect("number") / 1024
    }
    // Made as they are read, so that only the receiver's memory counts.
    let head = [&[0x81, 127][..], &LARGE.to_be_bytes()].concat();
    let one = || (head.clone(), tokio::io::repeat(b'x').take(LARGE));
    let ((a, first), (b, second), (c, third)) = (one(), one(), one());
    let (a, b, c) = (a.as_slice(), b.as_slice(), c.as_slice());
    let arriving = a.chain(first).chain(b).chain(second).chain(c).chain(third);
    let stream = tokio::io::join(arriving, tokio::io::sink());
    let mut ours = Framed::new(stream, WebSocket::new(MAX_MESSAGE), BytesMut::new());
    let before = resident_mb();
    for _ in 0..3 {
        assert_eq!(message(&mut ours).await.len() as u64, LARGE);
    }
    let kept = resident_mb().saturating_sub(before);
    assert!(kept < 8, "{kept} MB are kept of messages that are gone");
}
