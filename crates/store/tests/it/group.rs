//! Many writers at once.

use std::sync::Arc;

use keeptab_store::{Batch, Change, Kind, SqliteOptions, SqliteStore, Store};

use crate::helpers::{block_on, session, tab, temporary};

#[test]
fn a_refused_write_takes_no_other_with_it() {
    let (_dir, store) = temporary();
    let store = Arc::new(store);
    let results = block_on(async {
        store
            .commit(Batch::of([Change::PutSession(session("a"))]))
            .await
            .unwrap();
        let local = tokio::task::LocalSet::new();
        let tasks: Vec<_> = (0..500_u32)
            .map(|n| {
                let store = Arc::clone(&store);
                let owner = if n % 5 == 0 { "nobody" } else { "a" };
                local.spawn_local(async move {
                    let put = Change::PutTab(tab(owner, &format!("T{n}"), n));
                    store.commit(Batch::of([put])).await.map_err(|e| e.kind())
                })
            })
            .collect();
        local.await;
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    });
    for (n, result) in results.iter().enumerate() {
        let expected = if n % 5 == 0 {
            Err(Kind::NoSession)
        } else {
            Ok(())
        };
        assert_eq!(*result, expected, "{n}");
    }
    assert_eq!(block_on(store.tabs("a")).unwrap().len(), 400);
}

#[test]
fn a_full_queue_makes_callers_wait_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = SqliteOptions::new(dir.path().join("store.db"));
    options.queue = 1;
    options.checkpoint_bytes = 64 << 10;
    let store = SqliteStore::open(options.clone()).unwrap();
    block_on(async {
        store
            .commit(Batch::of([Change::PutSession(session("a"))]))
            .await
            .unwrap();
        let writes = (0..200_u32)
            .map(|n| store.commit(Batch::of([Change::PutTab(tab("a", &format!("T{n}"), n))])));
        let results = futures_util::future::join_all(writes).await;
        assert!(results.iter().all(Result::is_ok));
        assert_eq!(store.tabs("a").await.unwrap().len(), 200);
    });
    store.close();
    let mut wal = options.path.clone().into_os_string();
    wal.push("-wal");
    // Gone, or emptied, because closing moved it into the main file.
    assert_eq!(std::fs::metadata(wal).map_or(0, |meta| meta.len()), 0);
    let store = SqliteStore::open(options).unwrap();
    assert_eq!(block_on(store.tabs("a")).unwrap().len(), 200);
}

#[test]
fn the_log_stays_small_while_the_store_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = SqliteOptions::new(dir.path().join("store.db"));
    options.checkpoint_bytes = 100_000;
    let store = SqliteStore::open(options.clone()).unwrap();
    let mut wal = options.path.clone().into_os_string();
    wal.push("-wal");
    block_on(async {
        store
            .commit(Batch::of([Change::PutSession(session("a"))]))
            .await
            .unwrap();
        for n in 0..300_u32 {
            let bytes = vec![n as u8; 20_000];
            let put = Change::PutLedger {
                session: "a".into(),
                bytes,
            };
            store.commit(Batch::of([put])).await.unwrap();
            // One commit beyond the limit, at most.
            assert!(std::fs::metadata(&wal).unwrap().len() < 300_000);
        }
        assert_eq!(store.ledger("a").await.unwrap().unwrap()[0], 299_u32 as u8);
    });
}
