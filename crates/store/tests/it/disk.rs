//! A disk that is full, and one that fails.

use keeptab_store::{Batch, Change, Health, Kind, SqliteOptions, SqliteStore, Store};

use crate::fault_vfs::{self, Fault, ONE_AT_A_TIME, Plan};
use crate::helpers::{block_on, session};

fn ledger(byte: u8, len: usize) -> Batch {
    Batch::of([Change::PutLedger {
        session: "a".into(),
        bytes: vec![byte; len],
    }])
}

fn faulty(dir: &tempfile::TempDir) -> SqliteOptions {
    let mut options = SqliteOptions::new(dir.path().join("store.db"));
    options.vfs = Some(fault_vfs::NAME.into());
    options
}

#[test]
fn a_bounded_store_refuses_what_does_not_fit_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = SqliteOptions::new(dir.path().join("store.db"));
    options.max_bytes = Some(300_000);
    let store = SqliteStore::open(options).unwrap();
    block_on(async {
        store
            .commit(Batch::of([Change::PutSession(session("a"))]))
            .await
            .unwrap();
        store.commit(ledger(1, 10_000)).await.unwrap();
        let refused = store.commit(ledger(2, 1_000_000)).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Full);
        assert!(matches!(store.health(), Health::Full));
        assert_eq!(store.ledger("a").await.unwrap(), Some(vec![1; 10_000]));
        store.commit(ledger(3, 20_000)).await.unwrap();
        assert!(matches!(store.health(), Health::Writable));
        assert_eq!(store.ledger("a").await.unwrap(), Some(vec![3; 20_000]));
    });
}

#[test]
fn no_space_is_said_reads_go_on_and_writes_return_with_the_space() {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    let dir = tempfile::tempdir().unwrap();
    fault_vfs::install(None);
    let store = SqliteStore::open(faulty(&dir)).unwrap();
    block_on(async {
        store
            .commit(Batch::of([Change::PutSession(session("a"))]))
            .await
            .unwrap();
        store.commit(ledger(1, 10_000)).await.unwrap();
        fault_vfs::install(Some(Plan {
            fault: Fault::NoSpace,
            at: 1,
        }));
        for _ in 0..3 {
            assert_eq!(
                store.commit(ledger(2, 10_000)).await.unwrap_err().kind(),
                Kind::Full
            );
            assert_eq!(store.ledger("a").await.unwrap(), Some(vec![1; 10_000]));
        }
        fault_vfs::install(None);
        store.commit(ledger(3, 10_000)).await.unwrap();
        assert_eq!(store.ledger("a").await.unwrap(), Some(vec![3; 10_000]));
    });
    store.close();
    let store = SqliteStore::open(SqliteOptions::new(dir.path().join("store.db"))).unwrap();
    assert_eq!(block_on(store.ledger("a")).unwrap(), Some(vec![3; 10_000]));
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_any_more() {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    let dir = tempfile::tempdir().unwrap();
    fault_vfs::install(None);
    let store = SqliteStore::open(faulty(&dir)).unwrap();
    block_on(async {
        store
            .commit(Batch::of([Change::PutSession(session("a"))]))
            .await
            .unwrap();
        store.commit(ledger(1, 10_000)).await.unwrap();
        fault_vfs::install(Some(Plan {
            fault: Fault::SyncFails,
            at: 1,
        }));
        let failed = store.commit(ledger(2, 10_000)).await.unwrap_err();
        assert_eq!(failed.kind(), Kind::Stopped);
        assert!(failed.hint().unwrap().contains("daemon restart"));
        // The next sync would succeed; it must not be tried.
        let before = fault_vfs::operations();
        assert_eq!(
            store.commit(ledger(3, 10)).await.unwrap_err().kind(),
            Kind::Stopped
        );
        assert_eq!(fault_vfs::operations(), before);
        assert!(matches!(store.health(), Health::Stopped(_)));
        assert_eq!(store.ledger("a").await.unwrap(), Some(vec![1; 10_000]));
    });
    store.close();
    fault_vfs::install(None);
    let store = SqliteStore::open(faulty(&dir)).unwrap();
    let found = block_on(store.ledger("a")).unwrap().unwrap();
    assert!(
        found == vec![1; 10_000] || found == vec![2; 10_000],
        "whole, old or new"
    );
    block_on(store.commit(ledger(4, 10))).unwrap();
}

#[test]
fn a_failed_sync_while_the_log_is_moved_stops_the_store_too() {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    let mut after_the_commit = 0;
    // A large commit makes one or two syncs of its own, then its checkpoint
    // makes more. Each of them fails once.
    for at in 1..=4 {
        let dir = tempfile::tempdir().unwrap();
        fault_vfs::install(None);
        let mut options = faulty(&dir);
        options.checkpoint_bytes = 20_000;
        let store = SqliteStore::open(options).unwrap();
        let acknowledged = block_on(async {
            store
                .commit(Batch::of([Change::PutSession(session("a"))]))
                .await
                .unwrap();
            // When this one is answered, the checkpoint after the first is over.
            store.commit(ledger(1, 10)).await.unwrap();
            fault_vfs::install(Some(Plan {
                fault: Fault::SyncFails,
                at,
            }));
            let large = store.commit(ledger(2, 50_000)).await;
            let next = store.commit(ledger(3, 10)).await;
            after_the_commit += u64::from(large.is_ok() && next.is_err());
            if large.is_err() {
                assert_eq!(next.clone().unwrap_err().kind(), Kind::Stopped);
            }
            [large, next]
                .iter()
                .take_while(|answer| answer.is_ok())
                .count()
        });
        store.close();
        let store = SqliteStore::open(SqliteOptions::new(dir.path().join("store.db"))).unwrap();
        let found = block_on(store.ledger("a")).unwrap().unwrap();
        match acknowledged {
            0 => assert!(found == [1; 10] || found == [2; 50_000]),
            1 => assert_eq!(found, [2; 50_000]),
            _ => assert_eq!(found, [3; 10]),
        }
    }
    assert!(after_the_commit > 0, "no sync of a checkpoint was hit");
}
