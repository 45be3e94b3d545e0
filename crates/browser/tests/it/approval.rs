//! A browser that asks its person before it lets anyone in (Chrome 144 and later).
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use keeptab_browser::{ConnectKind, Endpoint, Options, Session, State, find};
use keeptab_testkit::{FaultProxy, find_chromium};

use crate::support::LONG;

const ASKS: &str = r#"{"devtools":{"remote_debugging":{"user-enabled":true}}}"#;

/// A Chromium with remote debugging switched on as at chrome://inspect, and not by a flag.
struct Asking(Child);

impl Asking {
    async fn start(profile: &Path) -> Self {
        std::fs::write(profile.join("Local State"), ASKS).expect("preferences");
        let chromium = find_chromium().expect("chromium");
        let mut command = Command::new(chromium);
        command.args([
            "--headless=new",
            "--disable-gpu",
            "--no-first-run",
            "--disable-sync",
        ]);
        command.args([
            "--disable-background-networking",
            "--disable-component-update",
        ]);
        #[cfg(unix)]
        if rustix::process::geteuid().is_root() {
            command.arg("--no-sandbox");
        }
        command
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let asking = Self(command.spawn().expect("chromium starts"));
        let listens = async {
            while find::active_port(profile).is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(LONG, listens)
            .await
            .expect("it listens");
        asking
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // It is ours and not collected yet, so it can be killed; it may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn one_socket_is_opened_and_the_person_is_waited_for() {
    let real = tempfile::tempdir().expect("directory");
    let _chromium = Asking::start(real.path()).await;
    let active = find::active_port(real.path()).expect("port");
    let proxy = FaultProxy::start(&active.ws_url()).await;

    // The same profile, seen through a proxy that counts.
    let seen = tempfile::tempdir().expect("directory");
    std::fs::write(seen.path().join("Local State"), ASKS).expect("preferences");
    let file = format!("{}\n{}", proxy.port(), active.ws_path);
    std::fs::write(seen.path().join("DevToolsActivePort"), file).expect("file");

    let options = Options::new().with_connect_timeout(Duration::from_secs(4));
    let endpoint = Endpoint::Profile(seen.path().to_owned());
    let error = Session::connect(endpoint, options)
        .await
        .err()
        .expect("nobody clicks");
    assert_eq!(error.kind(), ConnectKind::NotAllowed, "{error}");
    assert!(error.hint().expect("hint").contains("Allow"));
    assert_eq!(
        proxy.connections(),
        1,
        "one socket, and no question beside it"
    );
}

#[tokio::test]
async fn a_click_after_the_usual_patience_connects() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;

    // Nobody can click in a headless browser, so a server takes its place: it holds the handshake back.
    let chromium = keeptab_testkit::Chromium::start().await;
    let upstream = chromium.ws_url();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("port");
    let port = listener.local_addr().expect("address").port();
    let (opened, mut clicks) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            opened.send(()).expect("the test counts");
            tokio::time::sleep(Duration::from_millis(2500)).await;
            let client = tokio_tungstenite::accept_async(stream)
                .await
                .expect("handshake");
            let (browser, _) = tokio_tungstenite::connect_async(&upstream)
                .await
                .expect("upstream");
            let (mut to_client, mut from_client) = client.split();
            let (mut to_browser, mut from_browser) = browser.split();
            tokio::spawn(async move {
                while let Some(Ok(message @ Message::Text(_))) = from_client.next().await {
                    if to_browser.send(message).await.is_err() {
                        break;
                    }
                }
            });
            tokio::spawn(async move {
                while let Some(Ok(message)) = from_browser.next().await {
                    if to_client.send(message).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    let profile = tempfile::tempdir().expect("directory");
    std::fs::write(profile.path().join("Local State"), ASKS).expect("preferences");
    let file = format!("{port}\n/devtools/browser/x");
    std::fs::write(profile.path().join("DevToolsActivePort"), file).expect("file");

    let mut options = Options::new();
    options.link.dial_patience = Duration::from_millis(1500);
    let endpoint = Endpoint::Profile(profile.path().to_owned());
    let session = Session::connect(endpoint, options)
        .await
        .expect("after the click");
    assert!(matches!(*session.state().borrow(), State::Connected { .. }));
    clicks.recv().await.expect("one connection");
    assert!(clicks.try_recv().is_err(), "and only one");
}
