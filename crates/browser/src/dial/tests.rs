//! Dialing servers that behave in all the ways servers do.
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use keeptab_link::DialError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use super::{Dialed, Dialer, Human};
use crate::Endpoint;
use crate::find::{Os, Places};

/// How often something happened.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn up(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Listens, and hands every connection to `serve`.
async fn server<F, Fut>(serve: F) -> (u16, Count)
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("port");
    let port = listener.local_addr().expect("address").port();
    let count = Count::default();
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.up();
            tokio::spawn(serve(stream));
        }
    });
    (port, count)
}

/// Reads a request up to its empty line.
async fn request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => text.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(text).expect("text")
}

/// A WebSocket server that greets with its name.
async fn greeter(stream: TcpStream, name: &str) {
    let mut socket = tokio_tungstenite::accept_async(stream)
        .await
        .expect("handshake");
    socket.send(Message::text(name)).await.expect("greeting");
    while let Some(Ok(_)) = socket.next().await {}
}

async fn dial(dialer: &Dialer, patience: Duration) -> (Result<Dialed, DialError>, usize) {
    let told = Count::default();
    let tell = told.clone();
    let human = Human::new(Duration::from_secs(5), move || tell.up());
    let result = dialer.dial(patience, human).await;
    (result, told.get())
}

async fn dial_ws(port: u16) -> Result<Dialed, DialError> {
    let url = format!("ws://127.0.0.1:{port}/devtools/browser/u-1?secret=1");
    dial(&Dialer::new(Endpoint::Ws(url)), PATIENCE).await.0
}

const PATIENCE: Duration = Duration::from_secs(5);

async fn greeting(dialed: Result<Dialed, DialError>) -> String {
    let mut transport = dialed
        .map_err(|error| format!("{error:?}"))
        .expect("dialed")
        .transport;
    loop {
        match std::future::poll_fn(|cx| transport.poll_receive(cx)).await {
            crate::transport::Incoming::Message(text) => {
                return String::from_utf8(text.to_vec()).expect("text");
            }
            crate::transport::Incoming::Lost(cause) => panic!("lost: {cause}"),
            _ => {}
        }
    }
}

fn profile(dir: &Path, port: u16) {
    fs::create_dir_all(dir).expect("profile");
    fs::write(
        dir.join("DevToolsActivePort"),
        format!("{port}\n/devtools/browser/x"),
    )
    .expect("file");
}

#[tokio::test]
async fn refusals_are_told_from_busy_and_from_what_may_pass() {
    for (answer, wanted) in [
        ("401 Unauthorized\r\n\r\n", "refused 401"),
        (
            "403 Forbidden\r\nContent-Length: 19\r\n\r\nConnection rejected",
            "refused 403 rejected",
        ),
        ("404 Not Found\r\n\r\n", "refused 404"),
        ("302 Found\r\nLocation: /\r\n\r\n", "refused 302"),
        ("410 Gone\r\n\r\n", "gone"),
        ("429 Too Many\r\nRetry-After: 7\r\n\r\n", "busy 7"),
        ("503 Busy\r\n\r\n", "busy none"),
        ("502 Bad Gateway\r\n\r\n", "unreachable"),
        (
            "101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "refused 101",
        ),
    ] {
        let (port, _) = server(move |mut stream| async move {
            request(&mut stream).await;
            let answer = format!("HTTP/1.1 {answer}");
            stream.write_all(answer.as_bytes()).await.expect("answer");
        })
        .await;
        let seen = match dial_ws(port).await {
            Ok(_) => "dialed".to_owned(),
            Err(DialError::Refused { status, reason }) if reason.contains("rejected") => {
                format!("refused {status} rejected")
            }
            Err(DialError::Refused { status, .. }) => format!("refused {status}"),
            Err(DialError::Gone { .. }) => "gone".to_owned(),
            Err(DialError::Busy { retry_after: None }) => "busy none".to_owned(),
            Err(DialError::Busy {
                retry_after: Some(time),
            }) => format!("busy {}", time.as_secs()),
            Err(DialError::Unreachable { .. }) => "unreachable".to_owned(),
            Err(other) => format!("{other:?}"),
        };
        assert_eq!(seen, wanted, "{answer}");
    }
}

#[tokio::test]
async fn nobody_there_and_no_such_name() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("port");
    let port = listener.local_addr().expect("address").port();
    drop(listener);
    assert!(matches!(
        dial_ws(port).await,
        Err(DialError::Unreachable { .. })
    ));
    let nowhere = Dialer::new(Endpoint::Ws("ws://no-such-host.invalid/".into()));
    let (result, _) = dial(&nowhere, PATIENCE).await;
    assert!(matches!(result, Err(DialError::Unreachable { .. })));
    let nonsense = Dialer::new(Endpoint::Ws("not an address".into()));
    let (result, _) = dial(&nonsense, PATIENCE).await;
    assert!(matches!(result, Err(DialError::Refused { .. })));
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_not_reached_without_it() {
    let (port, _) = server(|mut stream| async move {
        let mut hello = [0; 64];
        // Whatever it is that arrives, the answer is no TLS.
        let _ = stream.read(&mut hello).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let dialer = Dialer::new(Endpoint::Ws(format!("wss://127.0.0.1:{port}/")));
    let (result, _) = dial(&dialer, PATIENCE).await;
    assert!(matches!(result, Err(DialError::Refused { .. })));
}

#[tokio::test]
async fn a_question_to_the_person_is_waited_for_with_one_connection() {
    let (port, connections) = server(|stream| async move {
        sleep(Duration::from_millis(1500)).await;
        greeter(stream, "allowed").await;
    })
    .await;
    let url = format!("ws://127.0.0.1:{port}/devtools/browser/u-1");
    let dialer = Dialer::new(Endpoint::Ws(url));
    // The usual patience is over before the answer comes.
    let (result, told) = dial(&dialer, Duration::from_millis(1200)).await;
    assert_eq!(greeting(result).await, "allowed");
    assert_eq!((told, connections.get()), (1, 1));
    // It asked before, so it may ask again.
    let (result, told) = dial(&dialer, Duration::from_millis(1200)).await;
    assert!(result.is_ok());
    assert_eq!((told, connections.get()), (1, 2));
}

#[tokio::test]
async fn a_browser_that_asks_nobody_is_not_waited_for_like_a_person() {
    let (port, connections) = server(|stream| async move {
        sleep(Duration::from_secs(20)).await;
        drop(stream);
    })
    .await;
    let dir = tempfile::tempdir().expect("directory");
    profile(dir.path(), port);
    let dialer = Dialer::new(Endpoint::Profile(dir.path().to_owned()));
    let (result, told) = dial(&dialer, Duration::from_millis(300)).await;
    assert!(matches!(result, Err(DialError::Unreachable { .. })));
    assert_eq!((told, connections.get()), (0, 1));
}

#[tokio::test]
async fn the_address_is_looked_up_before_every_attempt() {
    let (first, _) = server(|stream| greeter(stream, "first")).await;
    let (second, _) = server(|stream| greeter(stream, "second")).await;
    let dir = tempfile::tempdir().expect("directory");
    profile(dir.path(), first);
    let dialer = Dialer::new(Endpoint::Profile(dir.path().to_owned()));
    assert_eq!(greeting(dial(&dialer, PATIENCE).await.0).await, "first");
    profile(dir.path(), second);
    assert_eq!(greeting(dial(&dialer, PATIENCE).await.0).await, "second");
    fs::remove_file(dir.path().join("DevToolsActivePort")).expect("remove");
    let (gone, _) = dial(&dialer, PATIENCE).await;
    assert!(
        matches!(gone, Err(DialError::Unreachable { reason }) if reason.contains("DevToolsActivePort"))
    );
}

/// A browser that answers `/json/version` like Chromium does, and WebSockets.
async fn browser(mut stream: TcpStream, port: u16) {
    let mut peeked = [0; 16];
    let count = stream.peek(&mut peeked).await.expect("request");
    if peeked[..count].starts_with(b"GET /json") {
        let asked = request(&mut stream).await;
        assert!(
            asked.starts_with("GET /json/version HTTP/1.1\r\n"),
            "{asked}"
        );
        // Behind a forwarded port a browser names the port that it knows.
        let body = format!(
            r#"{{"Browser":"Chrome/1","webSocketDebuggerUrl":"ws://localhost:{}/devtools/browser/u-2"}}"#,
            port ^ 1
        );
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .await
            .expect("answer");
    } else {
        greeter(stream, "by port").await;
    }
}

#[tokio::test]
async fn a_port_is_asked_for_its_address_and_keeps_its_own_number() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("port");
    let port = listener.local_addr().expect("address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(browser(stream, port));
        }
    });
    for endpoint in [
        Endpoint::port(port),
        Endpoint::Port {
            host: "localhost".into(),
            port,
        },
        Endpoint::Ws(format!("http://127.0.0.1:{port}")),
        Endpoint::Ws(format!("http://127.0.0.1:{port}/")),
    ] {
        let (dialed, told) = dial(&Dialer::new(endpoint.clone()), PATIENCE).await;
        let identity = dialed
            .as_ref()
            .ok()
            .and_then(|dialed| dialed.info.endpoint_identity.clone());
        assert_eq!(greeting(dialed).await, "by port", "{endpoint}");
        assert_eq!(
            (identity.as_deref(), told),
            (Some("/devtools/browser/u-2"), 0)
        );
    }
}

#[tokio::test]
async fn a_port_without_json_belongs_to_a_browser_that_asks() {
    let (port, connections) = server(|mut stream| async move {
        let mut peeked = [0; 9];
        stream.peek(&mut peeked).await.expect("request");
        if &peeked == b"GET /json" {
            request(&mut stream).await;
            let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).await.expect("answer");
        } else {
            sleep(Duration::from_millis(1300)).await;
            greeter(stream, "allowed").await;
        }
    })
    .await;
    let dialer = Dialer::new(Endpoint::port(port));
    let (result, told) = dial(&dialer, Duration::from_millis(500)).await;
    assert_eq!(greeting(result).await, "allowed");
    assert_eq!(
        (told, connections.get()),
        (1, 2),
        "one question by HTTP, one WebSocket"
    );
}

#[tokio::test]
async fn a_found_browser_is_never_exchanged_for_another() {
    let (older, _) = server(|stream| greeter(stream, "older")).await;
    let (newer, _) = server(|stream| greeter(stream, "newer")).await;
    let home = tempfile::tempdir().expect("directory");
    let config = home.path().join(".config");
    profile(&config.join("chromium"), older);
    let places = Places::new(Os::Linux, [("HOME", home.path())]);
    let dialer = Dialer::in_places(Endpoint::Auto, places.clone());
    assert_eq!(greeting(dial(&dialer, PATIENCE).await.0).await, "older");
    // Another browser is started after that one.
    sleep(Duration::from_millis(20)).await;
    profile(&config.join("google-chrome"), newer);
    assert_eq!(greeting(dial(&dialer, PATIENCE).await.0).await, "older");
    let fresh = Dialer::in_places(Endpoint::Auto, places);
    assert_eq!(greeting(dial(&fresh, PATIENCE).await.0).await, "newer");
}

#[tokio::test]
async fn without_a_running_browser_the_answer_says_so() {
    let home = tempfile::tempdir().expect("directory");
    let places = Places::new(Os::Linux, [("HOME", home.path())]);
    let (result, _) = dial(&Dialer::in_places(Endpoint::Auto, places), PATIENCE).await;
    assert!(
        matches!(result, Err(DialError::Gone { reason }) if reason.contains("no running browser"))
    );
}
