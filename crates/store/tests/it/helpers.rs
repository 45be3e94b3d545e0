//! Records to store, and a place to store them.

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keeptab_store::{
    EntryBatch, OnBrowserDeath, OnCrash, Session, SqliteOptions, SqliteStore, StoredEntry,
    StreamHead, Tab,
};

pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_790_000_000 + seconds)
}

pub(crate) fn session(name: &str) -> Session {
    Session {
        name: name.into(),
        endpoint: "port 127.0.0.1:9222".into(),
        sealed: Some(vec![0, 255, 7]),
        keeper: None,
        on_crash: OnCrash::Reload,
        on_browser_death: OnBrowserDeath::Relaunch,
        active_target: Some("T1".into()),
        created: at(0),
        updated: at(1),
        ended: None,
    }
}

pub(crate) fn tab(session: &str, target: &str, position: u32) -> Tab {
    Tab {
        session: session.into(),
        target_id: target.into(),
        url: format!("https://example.test/{target}"),
        title: "Ünï ✓".into(),
        opener: (position > 0).then(|| "T0".into()),
        position,
    }
}

pub(crate) fn entries(session: &str, numbers: std::ops::Range<u64>, keep_from: u64) -> EntryBatch {
    EntryBatch {
        session: session.into(),
        stream: "console".into(),
        head: StreamHead {
            next: numbers.end,
            dropped: keep_from,
        },
        put: numbers
            .map(|number| StoredEntry {
                number,
                bytes: vec![number as u8; 40],
            })
            .collect(),
        keep_from,
    }
}

/// A store in a directory that goes away with it.
pub(crate) fn temporary() -> (tempfile::TempDir, SqliteStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions::new(dir.path().join("store.db"))).unwrap();
    (dir, store)
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}
