//! The registry on disk: what the next daemon needs, written whenever it changes.
//!
//! A change is asked for with [`Saver::want`] and costs nothing; one task writes, everything that
//! came together in one go. Before an answer leaves the daemon it waits for [`Saver::saved`], so what
//! a caller was told is on disk.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use keeptab_browser::Snapshot;
use keeptab_store::{Batch, Change, Kind, Lease, LeaseRequest, Store, StoreError, Tab};
use tokio::sync::{Mutex as Turn, watch};
use tokio::time::timeout;

use crate::handover::{self, Record};
use crate::observe::Archive;
use crate::registry::Daemon;
use crate::seal::Seal;

/// How long an answer waits for the disk at most. What it tells of has happened in any case.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long after a failed write the next one is tried.
const RETRY: Duration = Duration::from_secs(1);

/// What all sessions ask to be saved by.
#[derive(Debug)]
pub(crate) struct Saver {
    wanted: watch::Sender<u64>,
    done: watch::Sender<u64>,
    /// Why the last write failed, while that is so.
    trouble: Mutex<Option<String>>,
    books: Turn<Books>,
    unread: Mutex<Unread>,
}

/// What of the registry could not be read: the browsers in it are somebody's.
#[derive(Debug, Default)]
struct Unread {
    /// All of it.
    everything: bool,
    /// The sockets of keepers of sessions that only a newer build can read.
    keepers: HashSet<PathBuf>,
}

/// What is on disk.
#[derive(Default)]
struct Books {
    holder: String,
    kept: HashMap<String, Kept>,
    /// Nothing is written any more: what follows is the end of this process, not of its sessions.
    closed: bool,
}

/// One session as it is on disk.
struct Kept {
    lease: Lease,
    record: Record,
    tabs: Vec<Tab>,
}

/// A session that the daemon before left.
pub(crate) struct Left {
    pub(crate) record: Record,
    /// Its link, and when it was last written down.
    pub(crate) link: Option<(Snapshot, SystemTime)>,
}

impl Saver {
    pub(crate) fn new() -> Self {
        let started = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Saver {
            wanted: watch::Sender::new(0),
            done: watch::Sender::new(0),
            trouble: Mutex::default(),
            books: Turn::new(Books {
                holder: format!("daemon {} {}", std::process::id(), started.as_millis()),
                ..Books::default()
            }),
            unread: Mutex::default(),
        }
    }

    /// Something changed.
    pub(crate) fn want(&self) {
        self.wanted.send_modify(|wanted| *wanted += 1);
    }

    /// Returns when everything that was wanted so far is on disk, could not be written, or patience
    /// is over.
    pub(crate) async fn saved(&self) {
        let wanted = *self.wanted.borrow();
        if *self.done.borrow() >= wanted {
            return;
        }
        let mut done = self.done.subscribe();
        // The sender is ours, so it cannot be gone.
        drop(timeout(PATIENCE, done.wait_for(|done| *done >= wanted)).await);
    }

    /// What is not as it should be, for the daemon's health.
    pub(crate) fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.clone()
    }

    /// Why the keeper at this socket must be left alone although no session has it.
    pub(crate) fn why_not_sweep(&self, socket: &Path) -> Option<String> {
        let unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        if unread.everything {
            return Some(
                "the sessions of the daemon before cannot be read, so it may be one of theirs; \
                 adopt it, then close it"
                    .to_owned(),
            );
        }
        unread
            .keepers
            .contains(socket)
            .then(|| "it belongs to a session that this build cannot read".to_owned())
    }

    fn note(&self, outcome: Result<(), String>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Err(what), None) = (&outcome, &*trouble) {
            tracing::warn!("{what}");
        }
        *trouble = outcome.err();
    }

    /// Writes what is left to write, and nothing after that.
    pub(crate) async fn finish(&self) {
        self.want();
        self.saved().await;
        if let Ok(mut books) = timeout(PATIENCE, self.books.lock()).await {
            books.closed = true;
        }
    }

    /// Reads what the daemon before left. From then on that daemon, should it still live, can neither
    /// write nor reach a browser behind a keeper.
    pub(crate) async fn take_over(&self, archive: &Archive) -> Vec<Left> {
        let mut books = self.books.lock().await;
        let mut keepers = HashSet::new();
        let outcome = books.read(archive, &mut keepers).await;
        let everything = outcome.is_err();
        *self.unread.lock().unwrap_or_else(PoisonError::into_inner) = Unread {
            everything,
            keepers,
        };
        match outcome {
            Ok(left) => left,
            Err(error) => {
                self.note(Err(format!(
                    "the sessions of the daemon before cannot be read: {error}"
                )));
                Vec::new()
            }
        }
    }
}

/// Writes for as long as the daemon lives.
pub(crate) fn start(daemon: &Arc<Daemon>) {
    let mut wanted = daemon.saver().wanted.subscribe();
    let daemon = Arc::downgrade(daemon);
    tokio::spawn(async move {
        while wanted.changed().await.is_ok() {
            while !write(&daemon, &mut wanted).await {
                tokio::time::sleep(RETRY).await;
            }
        }
    });
}

/// Writes once; returns whether there is nothing to try again.
async fn write(daemon: &Weak<Daemon>, wanted: &mut watch::Receiver<u64>) -> bool {
    let Some(daemon) = daemon.upgrade() else {
        return true;
    };
    let goal = *wanted.borrow_and_update();
    let saver = daemon.saver();
    let outcome = saver.books.lock().await.write(&daemon).await;
    let ok = outcome.is_ok();
    saver.note(outcome.map_err(|error| {
        let hint = error.hint().unwrap_or("the next change tries again");
        format!("sessions would not survive the end of the daemon: {error} ({hint})")
    }));
    saver.done.send_replace(goal);
    ok
}

impl Books {
    async fn read(
        &mut self,
        archive: &Archive,
        unread: &mut HashSet<PathBuf>,
    ) -> Result<Vec<Left>, StoreError> {
        let store = archive.store().await?;
        let seal = archive.seal().await?;
        let mut left = Vec::new();
        for row in store.sessions().await? {
            if row.ended.is_some() {
                continue;
            }
            let name = row.name.clone();
            let mut record = match handover::from_row(&row, seal) {
                Ok(record) => record,
                // Left alone: a newer build may read it.
                Err(error) => {
                    tracing::warn!("session \"{name}\" is not taken over: {error}");
                    unread.extend(row.keeper.map(PathBuf::from));
                    continue;
                }
            };
            record.owner = handover::next_owner(record.owner);
            // Before anyone connects: whoever takes over next has a higher number.
            let renewed = handover::to_row(&record, row.updated, seal).map_err(unsealable)?;
            let changes = vec![Change::PutSession(renewed)];
            let lease = self.take(&*store, &name, changes).await?;
            let link = store.ledger(&name).await?.and_then(|sealed| {
                open_snapshot(seal, &name, &sealed)
                    .inspect_err(|error| tracing::warn!("session \"{name}\": {error}"))
                    .ok()
            });
            let kept = Kept {
                lease,
                record: record.clone(),
                tabs: store.tabs(&name).await?,
            };
            self.kept.insert(name, kept);
            left.push(Left {
                record,
                link: link.map(|link| (link, row.updated)),
            });
        }
        Ok(left)
    }

    /// The right to write a session, which the one before us loses, and the first that is written under it: at
    /// once, because each commit waits for the disk. Only one daemon runs at a time, so the right need not last.
    async fn take(
        &self,
        store: &dyn Store,
        name: &str,
        changes: Vec<Change>,
    ) -> Result<Lease, StoreError> {
        let request = LeaseRequest {
            session: name.to_owned(),
            holder: self.holder.clone(),
            now: SystemTime::now(),
            ttl: Duration::ZERO,
        };
        store.acquire_lease_with(request, changes).await
    }

    async fn write(&mut self, daemon: &Arc<Daemon>) -> Result<(), StoreError> {
        if self.closed {
            return Ok(());
        }
        let store = daemon.archive().store().await?;
        let seal = daemon.archive().seal().await?;
        let sessions = daemon.sessions();
        let names: HashSet<&str> = sessions.iter().map(|session| session.name()).collect();
        let gone: Vec<String> = self
            .kept
            .keys()
            .filter(|name| !names.contains(name.as_str()))
            .cloned()
            .collect();
        let mut outcome = Ok(());
        for name in gone {
            match self.forget(&*store, &name).await {
                Ok(()) => drop(self.kept.remove(&name)),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        for session in &sessions {
            let Some(record) = session.record() else {
                continue;
            };
            let snapshot = session.changed_snapshot();
            let tabs = session.stored_tabs();
            let written = self
                .put(&*store, seal, record, tabs, snapshot.as_ref())
                .await;
            if let Err(error) = written {
                if snapshot.is_some() {
                    session.snapshot_changed();
                }
                // It is another daemon's now; trying again would change nothing.
                if error.kind() == Kind::Fenced {
                    tracing::warn!("session \"{}\": {error}", session.name());
                    continue;
                }
                outcome = outcome.and(Err(error));
            }
        }
        outcome
    }

    async fn forget(&self, store: &dyn Store, name: &str) -> Result<(), StoreError> {
        let forget = Change::ForgetSession {
            session: name.to_owned(),
        };
        let lease = self.kept.get(name).map(|kept| kept.lease.clone());
        let mut batch = Batch::of([forget]);
        if let Some(lease) = lease {
            batch = batch.under(&lease);
        }
        match store.commit(batch).await {
            // It was forgotten already, or is another daemon's.
            Err(error) if error.kind() == Kind::Fenced => Ok(()),
            other => other,
        }
    }

    async fn put(
        &mut self,
        store: &dyn Store,
        seal: &Seal,
        record: Record,
        tabs: Vec<Tab>,
        snapshot: Option<&Snapshot>,
    ) -> Result<(), StoreError> {
        let name = record.name.clone();
        let kept = self.kept.get(&name);
        let known = kept.map_or(&[][..], |kept| &kept.tabs);
        let mut changes = Vec::new();
        if kept.is_none() {
            // What an earlier session of this name may have left is not ours.
            changes.push(Change::ForgetSession {
                session: name.clone(),
            });
        }
        let is_new = kept.is_none_or(|kept| kept.record != record);
        if is_new || snapshot.is_some() {
            let row = handover::to_row(&record, SystemTime::now(), seal).map_err(unsealable)?;
            changes.push(Change::PutSession(row));
        }
        for gone in known
            .iter()
            .filter(|old| !tabs.iter().any(|tab| tab.target_id == old.target_id))
        {
            changes.push(Change::RemoveTab {
                session: name.clone(),
                target_id: gone.target_id.clone(),
            });
        }
        for fresh in tabs.iter().filter(|tab| !known.contains(tab)) {
            let row = handover::to_tab_row(fresh, seal).map_err(unsealable)?;
            changes.push(Change::PutTab(row));
        }
        if let Some(snapshot) = snapshot {
            let bytes = seal.seal(&name, &snapshot.to_bytes()).map_err(unsealable)?;
            changes.push(Change::PutLedger {
                session: name.clone(),
                bytes,
            });
        }
        if changes.is_empty() {
            return Ok(());
        }
        let lease = match kept {
            Some(kept) => {
                store.commit(Batch::of(changes).under(&kept.lease)).await?;
                kept.lease.clone()
            }
            None => self.take(store, &name, changes).await?,
        };
        let kept = Kept {
            lease,
            record,
            tabs,
        };
        self.kept.insert(name, kept);
        Ok(())
    }
}

/// The link of a session as the store holds it, sealed: it knows every header that was set.
fn open_snapshot(seal: &Seal, name: &str, sealed: &[u8]) -> Result<Snapshot, String> {
    let bytes = seal.open(name, sealed).map_err(|error| error.to_string())?;
    Snapshot::from_bytes(&bytes).map_err(|error| error.to_string())
}

fn unsealable(error: io::Error) -> StoreError {
    StoreError::Invalid {
        what: format!("its secrets ({error})"),
    }
}

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Books").finish_non_exhaustive()
    }
}
