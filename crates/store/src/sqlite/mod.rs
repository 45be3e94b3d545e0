//! The store in a SQLite file: one thread writes, one reads.

mod changes;
mod files;
mod leases;
mod open;
mod queries;
mod reader;
mod schema;
mod sqlite_store;
mod values;
mod writer;

pub use open::SqliteOptions;
pub use sqlite_store::SqliteStore;
