//! Why the store said no.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// What lies beneath a [`StoreError`]. Shared, because one failed commit is
/// reported to every caller whose write was in it.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Why the store said no.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file was written by a newer keeptab. Nothing in it was touched.
    #[error(
        "the store {} has format {found}, and this keeptab knows formats up to {known}",
        path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The format it has.
        found: i64,
        /// The newest format this program can read.
        known: i64,
    },
    /// The file is a SQLite database, but not one of ours. It was not touched.
    #[error("{} is some other program's database", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read as a database, or holds values we never write.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// What was found.
        what: String,
    },
    /// There is no space for the write, and nothing of it was kept. The store
    /// takes writes again as soon as there is space.
    #[error("no space left for the store")]
    Full {
        /// What the disk said.
        #[source]
        cause: Cause,
    },
    /// The disk failed a write or a sync. What the file now holds beyond the
    /// last answered write is unknown, so no further write is taken until the
    /// store is opened anew. Reads go on.
    #[error("the disk failed, and the store takes no more writes: {cause}")]
    Stopped {
        /// What the disk said.
        #[source]
        cause: Cause,
    },
    /// Somebody else holds the session.
    #[error("session {session} is held by {holder}")]
    Held {
        /// The session.
        session: String,
        /// Who holds it.
        holder: String,
        /// Until when, if it is not renewed.
        expires: SystemTime,
    },
    /// The lease this write was made under has been taken over, let go or has
    /// run out. Nothing was written.
    #[error(
        "the hold on session {session} (epoch {epoch}) is no longer valid (now epoch {current})"
    )]
    Fenced {
        /// The session.
        session: String,
        /// The epoch the caller had.
        epoch: u64,
        /// The newest epoch given out.
        current: u64,
    },
    /// The write names a session that is not there.
    #[error("the batch names a session that does not exist")]
    NoSession,
    /// A value that cannot be stored.
    #[error("cannot be stored: {what}")]
    Invalid {
        /// Which value, and why.
        what: String,
    },
    /// The file or its directory could not be opened or made private.
    #[error("cannot open the store {}", path.display())]
    Open {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: Cause,
    },
    /// Another process kept the file locked for longer than we wait.
    #[error("another process keeps the store locked")]
    Busy,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// Anything else that SQLite reports.
    #[error("the store failed: {cause}")]
    Other {
        /// What SQLite said.
        #[source]
        cause: Cause,
    },
}

/// The kinds of [`StoreError`], for callers that only branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "each is the variant of StoreError with the same name"
)]
pub enum Kind {
    TooNew,
    NotOurs,
    Damaged,
    Full,
    Stopped,
    Held,
    Fenced,
    NoSession,
    Invalid,
    Open,
    Busy,
    Closed,
    Other,
}

impl StoreError {
    /// Which kind of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::TooNew { .. } => Kind::TooNew,
            Self::NotOurs { .. } => Kind::NotOurs,
            Self::Damaged { .. } => Kind::Damaged,
            Self::Full { .. } => Kind::Full,
            Self::Stopped { .. } => Kind::Stopped,
            Self::Held { .. } => Kind::Held,
            Self::Fenced { .. } => Kind::Fenced,
            Self::NoSession => Kind::NoSession,
            Self::Invalid { .. } => Kind::Invalid,
            Self::Open { .. } => Kind::Open,
            Self::Busy => Kind::Busy,
            Self::Closed => Kind::Closed,
            Self::Other { .. } => Kind::Other,
        }
    }

    /// What to do about it, for a person.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::TooNew { .. } => {
                "use the newer keeptab, or point KEEPTAB_HOME at another directory; nothing was changed"
            }
            Self::NotOurs { .. } => "point KEEPTAB_HOME at another directory",
            Self::Damaged { .. } => {
                "keep a copy of the file, then move it away; keeptab makes a new one"
            }
            Self::Full { .. } => "free some space; what is stored can still be read",
            Self::Stopped { .. } => "check the disk, then run: keeptab daemon restart",
            Self::Held { .. } => "wait until it is let go, or use another --session",
            Self::Fenced { .. } => "another daemon owns this session now; ask that one",
            Self::NoSession => "make it with: keeptab open",
            Self::Open { .. } => "check that the directory exists and belongs to you",
            Self::Busy => "is a second keeptab daemon running? keeptab daemon status",
            Self::Closed => "the daemon is shutting down; run the command again",
            Self::Invalid { .. } | Self::Other { .. } => return None,
        })
    }
}
