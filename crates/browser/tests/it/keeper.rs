//! A browser behind a keeper's socket: the wire of the keeper, spoken by a model browser.
use std::path::{Path, PathBuf};

use keeptab_browser::keeping::keeping;
use keeptab_browser::{ConnectKind, End, Endpoint, Options, Session, Snapshot, State};
use keeptab_protocol::{browser, emulation};
use keeptab_testkit::{ConnectionId, ModelBrowser};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::support::until;

/// The first id that an owner may use here: an earlier one used those before it.
const NEXT_ID: i64 = 41;

/// One owner's connection: hello, welcome, then CDP. Ends with the owner, or after so many commands.
async fn serve(
    stream: UnixStream,
    model: &mut ModelBrowser,
    connection: (&str, ConnectionId),
    commands: usize,
    in_flight: &str,
) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut message = Vec::new();
    reader.read_until(0, &mut message).await?;
    let hello: serde_json::Value = serde_json::from_slice(&message[..message.len() - 1])?;
    assert_eq!(hello["hello"], 1);
    assert!(hello["epoch"].as_u64().expect("epoch") > 1_600_000_000_000);
    let welcome = format!(
        r#"{{"keeper":1,"epoch":{},"connection":"{}","browserExited":null,"dropped":0,"nextId":{NEXT_ID},"inFlight":[{in_flight}]}}"#,
        hello["epoch"], connection.0
    );
    writer.write_all(welcome.as_bytes()).await?;
    writer.write_all(b"\0").await?;
    let (_, connection) = connection;
    // What came while nobody was there is dropped.
    while model.poll().is_some() {}
    for _ in 0..commands {
        message.clear();
        if reader.read_until(0, &mut message).await? == 0 {
            break;
        }
        let text = std::str::from_utf8(&message[..message.len() - 1]).expect("text");
        if text.starts_with("{\"keeper\"") {
            writer.write_all(b"{\"keeper\":\"pong\"}\0").await?;
            continue;
        }
        let command: serde_json::Value = serde_json::from_str(text).expect("a command");
        assert!(command["id"].as_i64().expect("id") >= NEXT_ID, "{text}");
        model.receive(connection, text);
        while let Some((_, answer)) = model.poll() {
            writer.write_all(answer.as_bytes()).await?;
            writer.write_all(b"\0").await?;
        }
    }
    // What is still on its way does not count any more.
    let _ = reader.read_buf(&mut message).await;
    Ok(())
}

/// A keeper whose owners may send so many commands each, over connections of these names.
fn keeper(dir: &Path, owners: Vec<(&'static str, usize)>) -> PathBuf {
    keeper_that_lists(dir, owners, "")
}

/// One that names these commands as unanswered to every owner.
fn keeper_that_lists(
    dir: &Path,
    owners: Vec<(&'static str, usize)>,
    in_flight: &'static str,
) -> PathBuf {
    let path = dir.join("s");
    let listener = UnixListener::bind(&path).expect("socket");
    tokio::spawn(async move {
        let mut model = ModelBrowser::new();
        let mut open = ("", None);
        for (name, commands) in owners {
            if open.0 != name {
                if let (_, Some(old)) = open {
                    model.disconnect(old);
                }
                open = (name, model.connect());
            }
            let connection = (name, open.1.expect("the model runs"));
            let (stream, _) = listener.accept().await.expect("owner");
            // An owner that leaves in the middle is one of the things to be tried.
            let _ = serve(stream, &mut model, connection, commands, in_flight).await;
        }
    });
    path
}

#[tokio::test]
async fn ids_begin_where_the_last_owner_ended_and_answers_find_their_calls() {
    let dir = tempfile::tempdir().expect("directory");
    let path = keeper(dir.path(), vec![("12-1", usize::MAX)]);
    let session = Session::connect(Endpoint::Keeper(path), Options::new())
        .await
        .expect("connect");
    for _ in 0..20 {
        let version = session
            .call(&browser::GetVersion::default())
            .await
            .expect("version");
        assert!(!version.product.is_empty());
    }
    assert_eq!(session.tabs().len(), 1);
    session.close(End::Detach).await;
}

#[tokio::test]
async fn a_keeper_can_be_reached_again() {
    let dir = tempfile::tempdir().expect("directory");
    let path = keeper(dir.path(), vec![("12-1", 30), ("12-1", usize::MAX)]);
    let session = Session::connect(Endpoint::Keeper(path), Options::new())
        .await
        .expect("connect");
    for _ in 0..60 {
        session
            .call(&browser::GetVersion::default())
            .await
            .expect("a read is repeated");
    }
    // The keeper held the connection: nothing of it was lost.
    until(
        &session,
        |state| matches!(state, State::Connected { epoch } if epoch.0 == 1),
    )
    .await;
    assert_eq!(session.status().health.counters.losses, 1);
}

#[tokio::test]
async fn another_keeper_of_the_same_browser_is_another_connection() {
    let dir = tempfile::tempdir().expect("directory");
    let path = keeper(dir.path(), vec![("12-1", 30), ("13-1", usize::MAX)]);
    let session = Session::connect(Endpoint::Keeper(path), Options::new())
        .await
        .expect("connect");
    for _ in 0..60 {
        session
            .call(&browser::GetVersion::default())
            .await
            .expect("a read is repeated");
    }
    until(
        &session,
        |state| matches!(state, State::Connected { epoch } if epoch.0 == 2),
    )
    .await;
}

#[tokio::test]
async fn the_next_process_goes_on_and_what_was_answered_was_kept_before() {
    let dir = tempfile::tempdir().expect("directory");
    let path = keeper(dir.path(), vec![("12-1", usize::MAX), ("12-1", usize::MAX)]);
    let (keeper, mut keeping) = keeping();
    let options = Options::new().with_keeping(keeper);
    let first = Session::connect(Endpoint::Keeper(path.clone()), options)
        .await
        .expect("connect");
    while first.tabs().is_empty() {
        drop(keeping.changed().await);
    }
    let tab = first.tab(first.tabs()[0].id.clone());
    let agent = emulation::SetUserAgentOverride::new("U");
    let setting = tab.call(&agent);
    tokio::pin!(setting);
    let kept = tokio::select! {
        _ = &mut setting => panic!("answered before it was kept"),
        kept = async {
            loop {
                let kept = keeping.changed().await;
                if kept.is_urgent() {
                    break kept;
                }
            }
        } => kept,
    };
    let left = first.snapshot().to_bytes();
    drop(kept);
    setting.await.expect("set");
    assert!(String::from_utf8_lossy(&left).contains("setUserAgentOverride"));
    first.close(End::Detach).await;

    let snapshot = Snapshot::from_bytes(&left).expect("readable");
    let options = Options::new().with_resume(snapshot, std::time::Duration::ZERO);
    let second = Session::connect(Endpoint::Keeper(path), options)
        .await
        .expect("connect");
    let state = second.state().borrow().clone();
    assert!(
        matches!(state, State::Connected { epoch } if epoch.0 == 1),
        "{state:?}"
    );
    assert!(
        String::from_utf8_lossy(&second.snapshot().to_bytes()).contains("setUserAgentOverride")
    );
    second.close(End::Detach).await;
}

#[tokio::test]
async fn what_the_last_owner_left_in_flight_is_known_to_who_listens_later() {
    let dir = tempfile::tempdir().expect("directory");
    let left = r#"{"id":40,"epoch":1,"state":"sent","method":"Target.createTarget"}"#;
    let owners = vec![("12-1", usize::MAX), ("12-1", usize::MAX)];
    let path = keeper_that_lists(dir.path(), owners, left);
    let first = Session::connect(Endpoint::Keeper(path.clone()), Options::new())
        .await
        .expect("connect");
    assert_eq!(first.last_gap(), None, "nobody came before it");
    let kept = first.snapshot().to_bytes();
    first.close(End::Detach).await;

    let snapshot = Snapshot::from_bytes(&kept).expect("readable");
    let options = Options::new().with_resume(snapshot, std::time::Duration::ZERO);
    let second = Session::connect(Endpoint::Keeper(path), options)
        .await
        .expect("connect");
    let gap = second.last_gap().expect("one owner came after the other");
    let unknown: Vec<&str> = gap.unknown.iter().map(|lost| &*lost.method).collect();
    assert_eq!(unknown, ["Target.createTarget"]);
    second.close(End::Detach).await;
}

#[tokio::test]
async fn a_keeper_that_has_ended_is_gone() {
    let dir = tempfile::tempdir().expect("directory");
    let endpoint = Endpoint::Keeper(dir.path().join("none"));
    let error = Session::connect(endpoint, Options::new())
        .await
        .err()
        .expect("gone");
    assert_eq!(error.kind(), ConnectKind::Gone, "{error}");
}
