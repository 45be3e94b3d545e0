//! The interface: batches of changes in, records out.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use crate::error::StoreError;
use crate::model::{EntryBatch, Lease, LeaseRequest, Session, StoredEntry, StreamHead, Tab};

/// The future every [`Store`] method returns.
///
/// Nothing happens before it is first polled. Dropping it is safe at any
/// moment; a write whose future was dropped after its first poll may or may not
/// be made, but never in part.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// One change to what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Adds a session, or replaces the record of the one with that name. Its
    /// tabs, ledger and entries stay.
    PutSession(Session),
    /// Removes a session with all that belongs to it, except the count of its
    /// lease epochs. Not an error when it is not there.
    ForgetSession {
        /// The session.
        session: String,
    },
    /// Adds or replaces a tab.
    PutTab(Tab),
    /// Removes a tab. Not an error when it is not there.
    RemoveTab {
        /// The session.
        session: String,
        /// The tab.
        target_id: String,
    },
    /// Replaces the ledger snapshot.
    PutLedger {
        /// The session.
        session: String,
        /// The snapshot. The store does not look into it.
        bytes: Vec<u8>,
    },
    /// Adds and prunes entries of a stream.
    PutEntries(EntryBatch),
}

/// The lease a batch is written under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The session whose lease it is.
    pub session: String,
    /// The epoch the writer believes to be the newest.
    pub epoch: u64,
}

impl From<&Lease> for Fence {
    fn from(lease: &Lease) -> Self {
        Fence {
            session: lease.session.clone(),
            epoch: lease.epoch,
        }
    }
}

/// Changes that are made together or not at all, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// The changes.
    pub changes: Vec<Change>,
    /// When given, the batch is refused with [`StoreError::Fenced`] if the
    /// session was handed to somebody else since.
    pub fence: Option<Fence>,
}

impl Batch {
    /// A batch of these changes, with no fence.
    pub fn of(changes: impl IntoIterator<Item = Change>) -> Self {
        Batch {
            changes: changes.into_iter().collect(),
            fence: None,
        }
    }

    /// The same batch, refused if the lease was taken over.
    pub fn under(mut self, lease: &Lease) -> Self {
        self.fence = Some(lease.into());
        self
    }
}

/// Whether the store takes writes.
#[derive(Debug, Clone)]
pub enum Health {
    /// It does.
    Writable,
    /// The last write found no space; the next one tries again.
    Full,
    /// The disk failed; see [`StoreError::Stopped`].
    Stopped(StoreError),
}

/// What must outlast the daemon.
///
/// All methods are safe to call from any task. Writes are applied in the order
/// in which they were first polled; a read sees every write that was answered
/// before it was first polled. When writes come in faster than the disk takes
/// them, callers wait: the queue is bounded.
pub trait Store: Send + Sync {
    /// Makes the changes of a batch. `Ok` means they are on disk.
    fn commit(&self, batch: Batch) -> Answer<'_, ()>;

    /// Takes a session, if it is free, its lease has expired at `now`, or the
    /// same holder has it already. Fails with [`StoreError::Held`] otherwise.
    fn acquire_lease(&self, request: LeaseRequest) -> Answer<'_, Lease>;

    /// As [`Store::acquire_lease`], and makes these changes under the new lease, all of it together or nothing. A
    /// [`Change::ForgetSession`] among them makes room for a session that begins anew; the lease stays.
    fn acquire_lease_with(&self, request: LeaseRequest, changes: Vec<Change>) -> Answer<'_, Lease>;

    /// Extends a lease to `now + ttl`. A lease that has run out can still be
    /// renewed as long as nobody else took the session; after that it is
    /// [`StoreError::Fenced`].
    fn renew_lease(&self, lease: &Lease, now: SystemTime, ttl: Duration) -> Answer<'_, Lease>;

    /// Lets a session go. Fails with [`StoreError::Fenced`] when it was no
    /// longer held under this lease.
    fn release_lease(&self, lease: &Lease) -> Answer<'_, ()>;

    /// All sessions, ended ones too, by name.
    fn sessions(&self) -> Answer<'_, Vec<Session>>;

    /// One session.
    fn session(&self, name: &str) -> Answer<'_, Option<Session>>;

    /// The tabs of a session, by position.
    fn tabs(&self, session: &str) -> Answer<'_, Vec<Tab>>;

    /// The lease of a session, expired or not; `None` when it was let go or
    /// never taken.
    fn lease(&self, session: &str) -> Answer<'_, Option<Lease>>;

    /// The last ledger snapshot of a session.
    fn ledger(&self, session: &str) -> Answer<'_, Option<Vec<u8>>>;

    /// What is known of a stream; `None` when nothing was ever written to it.
    fn stream(&self, session: &str, stream: &str) -> Answer<'_, Option<StreamHead>>;

    /// At most `limit` entries of a stream with numbers of at least `from`, in
    /// order.
    fn entries(
        &self,
        session: &str,
        stream: &str,
        from: u64,
        limit: u32,
    ) -> Answer<'_, Vec<StoredEntry>>;

    /// Whether writes are taken at the moment.
    fn health(&self) -> Health;
}
