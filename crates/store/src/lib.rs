//! What must outlast the daemon: sessions, their tabs, who holds them, what was
//! set on them, and what their pages said.
//!
//! [`Store`] is the whole interface; [`SqliteStore`] is the one that keeps it
//! in a file. A write that was answered with `Ok` is on disk. A write that was
//! not is either there whole or not at all, whatever happened in between.
#![forbid(unsafe_code)]

mod error;
mod model;
mod sqlite;
mod store;

pub use error::{Cause, Kind, StoreError};
pub use model::{
    EntryBatch, Lease, LeaseRequest, OnBrowserDeath, OnCrash, Session, SessionEnd, StoredEntry,
    StreamHead, Tab,
};
pub use sqlite::{SqliteOptions, SqliteStore};
pub use store::{Answer, Batch, Change, Fence, Health, Store};
