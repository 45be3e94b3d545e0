//! Opening the file, and what each connection is told.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::files::make_private;
use super::schema::{MIGRATIONS, inspect, migrate};
use super::values::storage_error;
use crate::error::StoreError;

/// How a [`SqliteStore`](super::SqliteStore) is opened.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The file. It and its directory are made when they are not there, and
    /// made private to their owner (0600 in 0700).
    pub path: PathBuf,
    /// How large the file may grow, in bytes. Beyond that, writes are refused
    /// with [`StoreError::Full`]. `None`: as large as the disk.
    pub max_bytes: Option<u64>,
    /// How many writes, and how many reads, may wait for their turn before
    /// callers have to wait to be queued. At least 1.
    pub queue: usize,
    /// How large the write-ahead log may grow before its content is moved to
    /// the main file, in bytes.
    pub checkpoint_bytes: u64,
    /// How long to wait for a lock that another process holds.
    pub busy_timeout: Duration,
    /// The name of a registered SQLite VFS to use instead of the system's own.
    pub vfs: Option<String>,
}

impl SqliteOptions {
    /// The defaults, for this file: no limit of its own, 1,024 waiting, a log
    /// of 4 MiB, 5 s for locks.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        SqliteOptions {
            path: path.into(),
            max_bytes: None,
            queue: 1024,
            checkpoint_bytes: 4 << 20,
            busy_timeout: Duration::from_secs(5),
            vfs: None,
        }
    }
}

/// The connection that writes. Refuses a file it must not touch before touching
/// it, then brings it to the newest format.
pub(super) fn writer(options: &SqliteOptions) -> Result<Connection, StoreError> {
    make_private(&options.path)?;
    let mut db = connect(options)?;
    inspect(&db, &options.path, MIGRATIONS)?;
    let mode: String = db
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(storage_error)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(StoreError::Invalid {
            what: format!("the file system under the store allows only journal mode {mode}"),
        });
    }
    let pragma =
        |name: &str, value: i64| db.pragma_update(None, name, value).map_err(storage_error);
    // FULL: a commit is on disk before it is answered.
    pragma("synchronous", 2)?;
    pragma("foreign_keys", 1)?;
    // We checkpoint ourselves: SQLite's own swallows errors of the disk.
    pragma("wal_autocheckpoint", 0)?;
    pragma(
        "journal_size_limit",
        i64::try_from(options.checkpoint_bytes).unwrap_or(i64::MAX),
    )?;
    migrate(&mut db, &options.path, MIGRATIONS)?;
    if let Some(bytes) = options.max_bytes {
        let page: i64 = db
            .pragma_query_value(None, "page_size", |row| row.get(0))
            .map_err(storage_error)?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
        db.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))
            .map_err(storage_error)?;
    }
    Ok(db)
}

/// A connection that only reads. The writer must have been opened before.
pub(super) fn reader(options: &SqliteOptions) -> Result<Connection, StoreError> {
    let db = connect(options)?;
    db.pragma_update(None, "query_only", 1)
        .map_err(storage_error)?;
    Ok(db)
}

fn connect(options: &SqliteOptions) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = match options.vfs.as_deref() {
        Some(vfs) => Connection::open_with_flags_and_vfs(&options.path, flags, vfs),
        None => Connection::open_with_flags(&options.path, flags),
    }
    .map_err(|error| open_error(&options.path, error))?;
    db.busy_timeout(options.busy_timeout)
        .map_err(storage_error)?;
    Ok(db)
}

fn open_error(path: &Path, error: rusqlite::Error) -> StoreError {
    StoreError::Open {
        path: path.to_owned(),
        cause: Arc::new(error),
    }
}
