//! Through the store and back.

use keeptab_buffers::{Buffers, Filter, Limits, Loss, Stream, Taken, load};
use keeptab_store::{
    Batch, Change, EntryBatch, OnBrowserDeath, OnCrash, Session, SqliteOptions, SqliteStore, Store,
    StoredEntry, StreamHead,
};

use crate::events::{
    after, at, buffers, finished, lines, log, loss, request, restored, take, wall, whole_request,
};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

pub(crate) fn store(dir: &tempfile::TempDir) -> SqliteStore {
    let store = SqliteStore::open(SqliteOptions::new(dir.path().join("store.db"))).unwrap();
    let session = Session {
        name: "s".into(),
        endpoint: String::new(),
        sealed: None,
        keeper: None,
        on_crash: OnCrash::Report,
        on_browser_death: OnBrowserDeath::Fail,
        active_target: None,
        created: at(0.0),
        updated: at(0.0),
        ended: None,
    };
    block_on(store.commit(Batch::of([Change::PutSession(session)]))).unwrap();
    store
}

pub(crate) fn save(buffers: &mut Buffers, store: &dyn Store) {
    while buffers.has_unsaved() {
        block_on(store.commit(Batch::of(buffers.unsaved("s", 3)))).unwrap();
    }
}

fn loaded(store: &dyn Store, limits: Limits) -> Buffers {
    block_on(load(store, "s", limits)).unwrap()
}

fn all(buffers: &Buffers, stream: Stream) -> Vec<keeptab_buffers::Entry> {
    buffers
        .select(stream, &Filter::default())
        .into_iter()
        .cloned()
        .collect()
}

#[test]
fn a_restart_keeps_entries_numbers_and_what_was_seen() {
    let dir = tempfile::tempdir().unwrap();
    let mut b = buffers();
    for n in 0..20 {
        log(&mut b, "T1", &format!("message {n}"), f64::from(n));
    }
    whole_request(&mut b, "1", "https://a.test/x", 200);
    request(&mut b, "2", "https://a.test/y");
    let opened = store(&dir);
    save(&mut b, &opened);
    // What changes after it was saved is saved again.
    take(
        &mut b,
        "T1",
        "Network.dataReceived",
        &serde_json::json!({
            "requestId": "2", "timestamp": 1.0, "dataLength": 77, "encodedDataLength": 0,
        }),
    );
    save(&mut b, &opened);
    opened.close();

    let reopened = store(&dir);
    let mut c = loaded(&reopened, Limits::default());
    for stream in Stream::ALL {
        assert_eq!(all(&c, stream), all(&b, stream));
        assert_eq!(c.next_number(stream), b.next_number(stream));
    }
    assert!(!c.has_unsaved());
    // The daemon was away: a gap, and a replay that brings only what is new.
    c.lost(Loss {
        from: c.last_time().unwrap(),
        ..loss(25.0)
    });
    assert_eq!(log(&mut c, "T1", "message 19", 19.0), Taken::Duplicate);
    assert_eq!(
        log(&mut c, "T1", "message 20", 20.0),
        Taken::Added(Stream::Console, 22)
    );
    // A request goes on where it was.
    assert_eq!(
        take(&mut c, "T1", "Network.loadingFinished", &finished("2")),
        Taken::Updated(Stream::Network, 2)
    );
}

#[test]
fn what_was_pruned_and_cleared_is_gone_from_the_store_too() {
    let dir = tempfile::tempdir().unwrap();
    let opened = store(&dir);
    let mut limits = Limits::default();
    limits.console.entries = 5;
    let mut b = Buffers::new(limits);
    for n in 0..50 {
        log(&mut b, "T1", "x", f64::from(n));
        if n % 7 == 0 {
            save(&mut b, &opened);
        }
    }
    save(&mut b, &opened);
    let kept = block_on(opened.entries("s", "console", 0, 1_000)).unwrap();
    assert_eq!(
        kept.iter().map(|e| e.number).collect::<Vec<_>>(),
        [46, 47, 48, 49, 50]
    );
    let c = loaded(&opened, limits);
    assert_eq!(
        (c.dropped(Stream::Console), c.next_number(Stream::Console)),
        (45, 51)
    );

    b.clear(Stream::Console);
    save(&mut b, &opened);
    assert_eq!(block_on(opened.entries("s", "console", 0, 10)).unwrap(), []);
    let mut c = loaded(&opened, limits);
    assert_eq!(
        log(&mut c, "T1", "after", 99.0),
        Taken::Added(Stream::Console, 51)
    );
}

#[test]
fn what_could_not_be_saved_is_given_again() {
    let mut b = buffers();
    log(&mut b, "T1", "one", 1.0);
    let first = b.unsaved("s", 10);
    assert!(!b.has_unsaved());
    assert_eq!(b.unsaved("s", 10), []);
    b.not_saved(&first);
    assert_eq!(b.unsaved("s", 10), first);
}

#[test]
fn a_damaged_or_newer_entry_is_shown_as_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let opened = store(&dir);
    let mut b = buffers();
    for n in 0..4 {
        log(&mut b, "T1", "x", f64::from(n));
    }
    save(&mut b, &opened);
    let broken = |number, bytes: &[u8]| StoredEntry {
        number,
        bytes: bytes.to_vec(),
    };
    let batch = EntryBatch {
        session: "s".into(),
        stream: "console".into(),
        put: vec![
            broken(2, b"{\"format\":1,\"en"),
            broken(3, b"{\"format\":2,\"entry\":{}}"),
        ],
        keep_from: 1,
        head: StreamHead {
            next: 5,
            dropped: 0,
        },
    };
    block_on(opened.commit(Batch::of([Change::PutEntries(batch)]))).unwrap();
    let lines = lines(&loaded(&opened, Limits::default()), Stream::Console);
    assert_eq!(lines.len(), 4);
    assert!(
        lines[1].starts_with("02 -- GAP") && lines[1].contains("damaged"),
        "{lines:?}"
    );
    assert!(
        lines[2].starts_with("03 -- GAP") && lines[2].contains("newer keeptab"),
        "{lines:?}"
    );
}

#[test]
fn a_gap_that_was_open_at_the_end_of_the_daemon_is_closed_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let opened = store(&dir);
    let mut b = buffers();
    b.document("T1", "L1");
    log(&mut b, "T1", "x", 1.0);
    b.lost(loss(2.0));
    save(&mut b, &opened);
    let mut c = loaded(&opened, Limits::default());
    c.lost(Loss {
        cause: "the daemon was restarted".into(),
        ..loss(3.0)
    });
    c.restored(&restored(4.0, vec![after("T1", "L1")]));
    for stream in Stream::ALL {
        let lines: Vec<_> = lines(&c, stream)
            .into_iter()
            .filter(|line| line.contains("GAP"))
            .collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("[12:00:02] to [12:00:04]"), "{lines:?}");
        assert!(
            lines[0].contains("then the daemon was restarted"),
            "{lines:?}"
        );
    }
    assert_eq!(c.last_time(), Some(wall(2.5)));
}

#[test]
fn a_torn_tail_costs_only_the_tail() {
    let dir = tempfile::tempdir().unwrap();
    let opened = store(&dir);
    let mut b = buffers();
    for n in 0..200 {
        log(&mut b, "T1", &"x".repeat(500), f64::from(n));
        if n % 20 == 19 {
            while b.has_unsaved() {
                block_on(opened.commit(Batch::of(b.unsaved("s", 100)))).unwrap();
            }
        }
    }
    // As a crash leaves it: the main file and a log whose end was never written.
    let copy = tempfile::tempdir().unwrap();
    let log_file = std::fs::read(dir.path().join("store.db-wal")).unwrap();
    std::fs::copy(dir.path().join("store.db"), copy.path().join("store.db")).unwrap();
    std::fs::write(
        copy.path().join("store.db-wal"),
        &log_file[..log_file.len() * 2 / 3],
    )
    .unwrap();

    let c = loaded(&store(&copy), Limits::default());
    let kept = c.len(Stream::Console);
    assert!(kept > 0 && kept < 200 && kept.is_multiple_of(20), "{kept}");
    assert_eq!(all(&c, Stream::Console), all(&b, Stream::Console)[..kept]);
    assert_eq!(c.next_number(Stream::Console), kept as u64 + 1);
}

#[test]
fn what_was_cleared_does_not_come_back_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut b = buffers();
    for n in 1..20 {
        log(&mut b, "T1", &format!("cleared {n}"), f64::from(n));
    }
    let opened = store(&dir);
    save(&mut b, &opened);
    b.clear(Stream::Console);
    log(&mut b, "T1", "kept", 20.0);
    save(&mut b, &opened);
    opened.close();

    let reopened = store(&dir);
    let mut c = loaded(&reopened, Limits::default());
    c.lost(loss(30.0));
    // The browser tells all that it has, and one that nobody had heard.
    for n in 1..20 {
        log(&mut c, "T1", &format!("cleared {n}"), f64::from(n));
    }
    log(&mut c, "T1", "kept", 20.0);
    log(&mut c, "T1", "missed", 21.0);
    log(&mut c, "T2", "another tab", 5.0);
    c.restored(&restored(40.0, vec![after("T1", "L1"), after("T2", "L1")]));
    let texts: Vec<String> = lines(&c, Stream::Console)
        .into_iter()
        .filter(|line| !line.contains("-- GAP"))
        .collect();
    assert_eq!(texts.len(), 3, "{texts:#?}");
    for (line, text) in texts.iter().zip(["kept", "missed", "another tab"]) {
        assert!(line.ends_with(text), "{texts:#?}");
    }
    // And so on, from one restart to the next.
    save(&mut c, &reopened);
    reopened.close();
    let third = store(&dir);
    let mut d = loaded(&third, Limits::default());
    d.lost(loss(50.0));
    log(&mut d, "T1", "cleared 3", 3.0);
    assert!(
        !lines(&d, Stream::Console)
            .iter()
            .any(|line| line.contains("cleared"))
    );
}
