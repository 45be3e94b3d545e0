//! A crash at any write leaves the store readable, with every acknowledged
//! batch in it and none in part.
//!
//! The parent runs this very binary again as a child that does a fixed piece of
//! work and dies at its n-th write to disk, for every n there is.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use keeptab_store::{Batch, Change, LeaseRequest, SqliteOptions, SqliteStore, Store};

use crate::fault_vfs::{self, Fault, ONE_AT_A_TIME, Plan};
use crate::helpers::{at, block_on, entries, session, tab};

const CHILD: &str = "crash::the_child_does_its_work";
const ENV_DIR: &str = "KEEPTAB_TEST_CRASH_DIR";
const ENV_PLAN: &str = "KEEPTAB_TEST_CRASH_PLAN";
const BATCHES: u64 = 10;
/// What follows the batches: the life of a lease, and the end of a tab and of the session.
const TAKEN: u64 = BATCHES + 1;
const RENEWED: u64 = BATCHES + 2;
const TAB_REMOVED: u64 = BATCHES + 3;
const RELEASED: u64 = BATCHES + 4;
const FORGOTTEN: u64 = BATCHES + 5;
/// And then a new session of that name, made in the place of one that is still there.
const AGAIN: u64 = BATCHES + 6;
const ANEW: u64 = BATCHES + 7;

fn options(dir: &Path) -> SqliteOptions {
    let mut options = SqliteOptions::new(dir.join("store.db"));
    // Small enough that the work crosses several checkpoints.
    options.checkpoint_bytes = 60_000;
    options
}

/// Batch `n` writes `n` in four places, large enough to span pages.
fn batch(n: u64) -> Batch {
    let mut session = session("a");
    session.endpoint = n.to_string();
    Batch::of([
        Change::PutSession(session),
        Change::PutTab(tab("a", "T1", n as u32)),
        Change::PutLedger {
            session: "a".into(),
            bytes: vec![n as u8; 9_000],
        },
        Change::PutEntries(entries(
            "a",
            n * 10..n * 10 + 10,
            (n * 10).saturating_sub(30),
        )),
    ])
}

fn work(store: &SqliteStore, mut acknowledged: impl FnMut(u64)) {
    block_on(async {
        for n in 1..=BATCHES {
            store.commit(batch(n)).await.unwrap();
            acknowledged(n);
        }
        let lease = store.acquire_lease(lease_request()).await.unwrap();
        acknowledged(TAKEN);
        let ttl = Duration::from_secs(10);
        let lease = store.renew_lease(&lease, at(5), ttl).await.unwrap();
        acknowledged(RENEWED);
        let remove = Change::RemoveTab {
            session: "a".into(),
            target_id: "T1".into(),
        };
        store
            .commit(Batch::of([remove]).under(&lease))
            .await
            .unwrap();
        acknowledged(TAB_REMOVED);
        store.release_lease(&lease).await.unwrap();
        acknowledged(RELEASED);
        let forget = Change::ForgetSession {
            session: "a".into(),
        };
        store.commit(Batch::of([forget])).await.unwrap();
        acknowledged(FORGOTTEN);
        store.commit(batch(AGAIN)).await.unwrap();
        acknowledged(AGAIN);
        let forget = Change::ForgetSession {
            session: "a".into(),
        };
        let mut changes = batch(ANEW).changes;
        changes.insert(0, forget);
        store
            .acquire_lease_with(lease_request(), changes)
            .await
            .unwrap();
        acknowledged(ANEW);
    });
}

fn lease_request() -> LeaseRequest {
    LeaseRequest {
        session: "a".into(),
        holder: "d1".into(),
        now: at(0),
        ttl: Duration::from_secs(1),
    }
}

/// Reads everything back and returns the last batch that is there.
fn verify(dir: &Path) -> u64 {
    let store = SqliteStore::open(options(dir)).unwrap();
    let last = block_on(async {
        let Some(session) = store.session("a").await.unwrap() else {
            assert_eq!(store.tabs("a").await.unwrap(), []);
            assert_eq!(store.ledger("a").await.unwrap(), None);
            assert_eq!(store.stream("a", "console").await.unwrap(), None);
            assert_eq!(store.lease("a").await.unwrap(), None);
            // The count of epochs outlives its session, so that an old owner stays an old one.
            let next = store.acquire_lease(lease_request()).await.unwrap();
            return if next.epoch == 1 { 0 } else { FORGOTTEN };
        };
        let n: u64 = session.endpoint.parse().unwrap();
        let tabs = store.tabs("a").await.unwrap();
        if let Some(tab) = tabs.first() {
            assert_eq!(u64::from(tab.position), n);
        }
        assert_eq!(store.ledger("a").await.unwrap(), Some(vec![n as u8; 9_000]));
        let head = store.stream("a", "console").await.unwrap().unwrap();
        assert_eq!(head.next, n * 10 + 10);
        let found = store.entries("a", "console", 0, 1_000).await.unwrap();
        // What an earlier session of the name had is not there any more.
        let oldest = if n > BATCHES { n * 10 } else { 10 };
        let first = (n * 10).saturating_sub(30).max(oldest);
        let numbers: Vec<_> = found.iter().map(|e| e.number).collect();
        assert_eq!(numbers, (first..n * 10 + 10).collect::<Vec<_>>());
        let lease = store.lease("a").await.unwrap();
        // And it can be written again.
        store.commit(batch(n)).await.unwrap();
        match (lease, tabs.is_empty()) {
            (None, false) => n,
            (Some(lease), false) if n == ANEW => {
                assert_eq!((lease.epoch, lease.expires), (2, at(1)));
                ANEW
            }
            (Some(lease), false) if lease.expires == at(1) => TAKEN,
            (Some(lease), empty) => {
                assert_eq!(lease.expires, at(15));
                if empty { TAB_REMOVED } else { RENEWED }
            }
            (None, true) => RELEASED,
        }
    });
    store.close();
    let check: String = rusqlite::Connection::open(options(dir).path)
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    last
}

/// Without the parent's instructions this is the work with no fault, and tells
/// how many writes there are.
#[test]
fn the_child_does_its_work() {
    let Some(dir) = std::env::var_os(ENV_DIR).map(PathBuf::from) else {
        let dir = tempfile::tempdir().unwrap();
        assert!(count_operations(dir.path()) > BATCHES);
        assert_eq!(verify(dir.path()), ANEW);
        return;
    };
    let plan = std::env::var(ENV_PLAN).unwrap();
    let (kind, at) = plan.split_once(' ').unwrap();
    let fault = if kind == "tear" {
        Fault::Tear
    } else {
        Fault::Kill
    };
    fault_vfs::install(Some(Plan {
        fault,
        at: at.parse().unwrap(),
    }));
    let mut log = std::fs::File::create(dir.join("acknowledged")).unwrap();
    let mut options = options(&dir);
    options.vfs = Some(fault_vfs::NAME.into());
    let store = SqliteStore::open(options).unwrap();
    work(&store, |n| log.write_all(&[n as u8]).unwrap());
    store.close();
}

fn count_operations(dir: &Path) -> u64 {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    fault_vfs::install(None);
    let mut options = options(dir);
    options.vfs = Some(fault_vfs::NAME.into());
    let store = SqliteStore::open(options).unwrap();
    work(&store, |_| {});
    store.close();
    fault_vfs::operations()
}

fn crash_at_every_write(kind: &str) {
    let counted = tempfile::tempdir().unwrap();
    let operations = count_operations(counted.path());
    let mut deaths = 0;
    for at in 1..=operations {
        let dir = tempfile::tempdir().unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args([CHILD, "--exact", "--nocapture"])
            .env(ENV_DIR, dir.path())
            .env(ENV_PLAN, format!("{kind} {at}"))
            .output()
            .unwrap();
        deaths += u64::from(!output.status.success());
        let acknowledged = std::fs::read(dir.path().join("acknowledged")).unwrap();
        let promised = acknowledged.last().copied().map_or(0, u64::from);
        let found = verify(dir.path());
        assert!(
            found == promised || found == promised + 1,
            "{kind} at write {at}: {promised} was acknowledged, {found} is there"
        );
    }
    // A run may group its writes a little differently, so the last few points
    // may lie beyond its end.
    assert!(
        deaths * 10 >= operations * 9,
        "{deaths} of {operations} children died"
    );
}

#[test]
fn killed_before_any_write() {
    crash_at_every_write("kill");
}

#[test]
fn killed_in_the_middle_of_any_write() {
    crash_at_every_write("tear");
}

#[test]
fn a_torn_log_tail_is_cut() {
    let counted = tempfile::tempdir().unwrap();
    let operations = count_operations(counted.path());
    let dir = tempfile::tempdir().unwrap();
    // Dies late, with a log that has commits in it.
    let status = Command::new(std::env::current_exe().unwrap())
        .args([CHILD, "--exact"])
        .env(ENV_DIR, dir.path())
        .env(ENV_PLAN, format!("kill {}", operations / 2))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success());
    let wal = dir.path().join("store.db-wal");
    let whole = std::fs::read(&wal).unwrap();
    let promised = *std::fs::read(dir.path().join("acknowledged"))
        .unwrap()
        .last()
        .unwrap();
    for cut in [1, 17, 3_000, whole.len() / 2] {
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(dir.path().join("store.db"), copy.path().join("store.db")).unwrap();
        std::fs::write(
            copy.path().join("store.db-wal"),
            &whole[..whole.len() - cut],
        )
        .unwrap();
        assert!(verify(copy.path()) <= u64::from(promised) + 1);
    }
}
