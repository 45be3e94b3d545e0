//! The one thread that writes.
//!
//! Writes that wait together are committed together: one sync serves them all.
//! Each has its own savepoint, so a refused one takes no other with it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::values::storage_error;
use crate::error::StoreError;
use crate::store::Health;

/// How many writes share a commit at most, so that the first does not wait
/// for ever.
const MAX_GROUP: usize = 256;

/// A write that waits: first run inside a transaction, then told how the
/// commit went.
pub(super) trait Write: Send {
    fn run(&mut self, db: &Connection) -> Result<(), StoreError>;
    fn finish(self: Box<Self>, commit: Result<(), StoreError>);
}

/// A [`Write`] out of a closure and the channel its result goes to.
pub(super) struct Job<T, F> {
    work: F,
    result: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job<T, F>
where
    T: Send + 'static,
    F: FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
{
    pub(super) fn new(work: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Box<Self> {
        Box::new(Job {
            work,
            result: None,
            answer,
        })
    }
}

impl<T, F> Write for Job<T, F>
where
    T: Send + 'static,
    F: FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
{
    fn run(&mut self, db: &Connection) -> Result<(), StoreError> {
        self.result = Some((self.work)(db)?);
        Ok(())
    }

    fn finish(self: Box<Self>, commit: Result<(), StoreError>) {
        let Job { result, answer, .. } = *self;
        let outcome = commit.and_then(|()| result.ok_or(StoreError::Closed));
        // A caller that went away does not want to know.
        let _ = answer.send(outcome);
    }
}

/// Whether writes are taken, seen from outside the thread.
#[derive(Clone)]
pub(super) struct SharedHealth(Arc<Mutex<Health>>);

impl SharedHealth {
    pub(super) fn new() -> Self {
        SharedHealth(Arc::new(Mutex::new(Health::Writable)))
    }

    pub(super) fn get(&self) -> Health {
        // A value that is replaced whole cannot be left half-written by a panic.
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, health: Health) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }
}

/// The state of the writing thread.
pub(super) struct Writer {
    pub(super) db: Connection,
    pub(super) wal: PathBuf,
    pub(super) checkpoint_bytes: u64,
    pub(super) busy_timeout: Duration,
    pub(super) health: SharedHealth,
}

impl Writer {
    /// Serves writes until every sender is gone.
    pub(super) fn serve(mut self, mut queue: mpsc::Receiver<Box<dyn Write>>) {
        let mut group = Vec::new();
        while let Some(first) = queue.blocking_recv() {
            group.push(first);
            while group.len() < MAX_GROUP
                && let Ok(next) = queue.try_recv()
            {
                group.push(next);
            }
            self.commit(&mut group);
        }
        if !matches!(self.health.get(), Health::Stopped(_)) {
            self.checkpoint();
        }
    }

    fn commit(&mut self, group: &mut Vec<Box<dyn Write>>) {
        if let Health::Stopped(error) = self.health.get() {
            group
                .drain(..)
                .for_each(|write| write.finish(Err(error.clone())));
            return;
        }
        let mut outcomes = Vec::with_capacity(group.len());
        match self.transact(group, &mut outcomes) {
            Ok(()) => {
                self.health.set(Health::Writable);
                for (write, outcome) in group.drain(..).zip(outcomes) {
                    write.finish(outcome);
                }
                self.checkpoint_if_large();
            }
            Err(error) => {
                self.note(&error);
                group
                    .drain(..)
                    .for_each(|write| write.finish(Err(error.clone())));
            }
        }
    }

    /// Runs and commits a group. `Err` means that nothing of it was kept.
    fn transact(
        &mut self,
        group: &mut [Box<dyn Write>],
        outcomes: &mut Vec<Result<(), StoreError>>,
    ) -> Result<(), StoreError> {
        self.sql("BEGIN IMMEDIATE")?;
        let done = group
            .iter_mut()
            .try_for_each(|write| {
                outcomes.push(self.run_one(write.as_mut())?);
                Ok(())
            })
            .and_then(|()| self.sql("COMMIT"));
        // After some errors SQLite has already rolled back by itself.
        if done.is_err() && !self.db.is_autocommit() {
            self.sql("ROLLBACK")?;
        }
        done
    }

    /// The inner result is this write's own; the outer one is fatal to the group.
    fn run_one(&self, write: &mut dyn Write) -> Result<Result<(), StoreError>, StoreError> {
        self.sql("SAVEPOINT one")?;
        let outcome = write.run(&self.db);
        match &outcome {
            Ok(()) => self.sql("RELEASE one")?,
            Err(error) => {
                let disk = matches!(error, StoreError::Full { .. } | StoreError::Stopped { .. });
                if disk || self.db.is_autocommit() {
                    return Err(error.clone());
                }
                self.sql("ROLLBACK TO one")?;
                self.sql("RELEASE one")?;
            }
        }
        Ok(outcome)
    }

    fn sql(&self, sql: &str) -> Result<(), StoreError> {
        self.db
            .prepare_cached(sql)
            .and_then(|mut s| s.execute([]))
            .map(drop)
            .map_err(storage_error)
    }

    fn note(&self, error: &StoreError) {
        match error {
            StoreError::Full { .. } => self.health.set(Health::Full),
            // After a failed write or sync the kernel may have thrown away what
            // it could not write. Trying again could report success for data
            // that is gone.
            StoreError::Stopped { .. } => self.health.set(Health::Stopped(error.clone())),
            _ => {}
        }
    }

    fn checkpoint_if_large(&mut self) {
        let size = std::fs::metadata(&self.wal).map_or(0, |meta| meta.len());
        if size > self.checkpoint_bytes {
            self.checkpoint();
        }
    }

    /// Moves the log into the main file. What is in the log is already safe, so
    /// a full disk is no error here; a failing one is. Where a reader is in the
    /// way, the next commit tries again.
    fn checkpoint(&mut self) {
        let moved = self.db.busy_timeout(Duration::ZERO).and_then(|()| {
            self.db
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        });
        // Only sets a field of the connection; there is nothing in it to fail.
        let _ = self.db.busy_timeout(self.busy_timeout);
        if let Err(error) = moved.map_err(storage_error)
            && matches!(error, StoreError::Stopped { .. })
        {
            self.note(&error);
        }
    }
}
