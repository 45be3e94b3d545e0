//! The handle: puts work into the queues of the two threads.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::open::{self, SqliteOptions};
use super::reader::{self, Read};
use super::writer::{Job, SharedHealth, Write, Writer};
use super::{changes, leases, queries};
use crate::error::StoreError;
use crate::model::{Lease, LeaseRequest, Session, StoredEntry, StreamHead, Tab};
use crate::store::{Answer, Batch, Change, Health, Store};

/// A [`Store`] in a SQLite file.
///
/// Dropping it lets the queued writes finish in the background;
/// [`SqliteStore::close`] waits for them.
pub struct SqliteStore {
    writes: mpsc::Sender<Box<dyn Write>>,
    reads: mpsc::Sender<Read>,
    health: SharedHealth,
    threads: Vec<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the file, making or upgrading it as needed. Blocks on the disk.
    pub fn open(options: SqliteOptions) -> Result<Self, StoreError> {
        let db = open::writer(&options)?;
        let read_db = open::reader(&options)?;
        let health = SharedHealth::new();
        let queue = options.queue.max(1);
        let (writes, write_queue) = mpsc::channel(queue);
        let (reads, read_queue) = mpsc::channel(queue);
        let writer = Writer {
            db,
            wal: wal_path(&options),
            checkpoint_bytes: options.checkpoint_bytes,
            busy_timeout: options.busy_timeout,
            health: health.clone(),
        };
        let threads = vec![
            spawn(&options, "store-write", move || writer.serve(write_queue))?,
            spawn(&options, "store-read", move || {
                reader::serve(read_db, read_queue)
            })?,
        ];
        Ok(SqliteStore {
            writes,
            reads,
            health,
            threads,
        })
    }

    /// Finishes what is queued, then closes the file. Blocks on the disk.
    pub fn close(self) {
        drop((self.writes, self.reads));
        for thread in self.threads {
            // A thread that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }

    fn write<T, F>(&self, work: F) -> Answer<'_, T>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        Box::pin(async move {
            let (answer, outcome) = oneshot::channel();
            let job = Job::new(work, answer);
            self.writes
                .send(job)
                .await
                .map_err(|_| StoreError::Closed)?;
            outcome.await.map_err(|_| StoreError::Closed)?
        })
    }

    fn read<T, F>(&self, work: F) -> Answer<'_, T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        Box::pin(async move {
            let (answer, outcome) = oneshot::channel();
            let job: Read = Box::new(move |db| {
                // A caller that went away does not want to know.
                let _ = answer.send(work(db));
            });
            self.reads.send(job).await.map_err(|_| StoreError::Closed)?;
            outcome.await.map_err(|_| StoreError::Closed)?
        })
    }
}

fn wal_path(options: &SqliteOptions) -> PathBuf {
    let mut name = options.path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn spawn(
    options: &SqliteOptions,
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| StoreError::Open {
            path: options.path.clone(),
            cause: Arc::new(error),
        })
}

impl Store for SqliteStore {
    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        self.write(move |db| changes::apply(db, &batch))
    }

    fn acquire_lease(&self, request: LeaseRequest) -> Answer<'_, Lease> {
        self.write(move |db| leases::acquire(db, &request))
    }

    fn acquire_lease_with(&self, request: LeaseRequest, changes: Vec<Change>) -> Answer<'_, Lease> {
        let batch = Batch::of(changes);
        self.write(move |db| {
            let lease = leases::acquire(db, &request)?;
            changes::apply(db, &batch)?;
            leases::keep(db, lease)
        })
    }

    fn renew_lease(&self, lease: &Lease, now: SystemTime, ttl: Duration) -> Answer<'_, Lease> {
        let lease = lease.clone();
        self.write(move |db| leases::renew(db, &lease, now, ttl))
    }

    fn release_lease(&self, lease: &Lease) -> Answer<'_, ()> {
        let lease = lease.clone();
        self.write(move |db| leases::release(db, &lease))
    }

    fn sessions(&self) -> Answer<'_, Vec<Session>> {
        self.read(queries::sessions)
    }

    fn session(&self, name: &str) -> Answer<'_, Option<Session>> {
        let name = name.to_owned();
        self.read(move |db| queries::session(db, &name))
    }

    fn tabs(&self, session: &str) -> Answer<'_, Vec<Tab>> {
        let session = session.to_owned();
        self.read(move |db| queries::tabs(db, &session))
    }

    fn lease(&self, session: &str) -> Answer<'_, Option<Lease>> {
        let session = session.to_owned();
        self.read(move |db| leases::get(db, &session))
    }

    fn ledger(&self, session: &str) -> Answer<'_, Option<Vec<u8>>> {
        let session = session.to_owned();
        self.read(move |db| queries::ledger(db, &session))
    }

    fn stream(&self, session: &str, stream: &str) -> Answer<'_, Option<StreamHead>> {
        let (session, stream) = (session.to_owned(), stream.to_owned());
        self.read(move |db| queries::stream(db, &session, &stream))
    }

    fn entries(
        &self,
        session: &str,
        stream: &str,
        from: u64,
        limit: u32,
    ) -> Answer<'_, Vec<StoredEntry>> {
        let (session, stream) = (session.to_owned(), stream.to_owned());
        self.read(move |db| queries::entries(db, &session, &stream, from, limit))
    }

    fn health(&self) -> Health {
        self.health.get()
    }
}
