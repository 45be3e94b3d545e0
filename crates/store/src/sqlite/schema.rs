//! The tables, and how an older file becomes a current one.
//!
//! The format number is SQLite's `user_version`. Each migration lifts it by one
//! and is one transaction, so a crash leaves the file at the old format or at
//! the new one. A file with a higher number than the last migration is refused
//! untouched.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::values::storage_error;
use crate::error::StoreError;

/// Marks a file as ours (`PRAGMA application_id`): "kptb" in ASCII.
const APPLICATION_ID: i32 = 0x6b70_7462;

/// Migration `n` turns format `n` into format `n + 1`. Released ones are never
/// edited, only followed by another.
pub(super) const MIGRATIONS: &[&str] = &["
    CREATE TABLE session (
        name             TEXT PRIMARY KEY,
        endpoint         TEXT NOT NULL,
        sealed           BLOB,
        keeper           TEXT,
        on_crash         TEXT NOT NULL,
        on_browser_death TEXT NOT NULL,
        active_target    TEXT,
        created_ms       INTEGER NOT NULL,
        updated_ms       INTEGER NOT NULL,
        ended_ms         INTEGER,
        ended_reason     TEXT
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tab (
        session   TEXT NOT NULL REFERENCES session ON DELETE CASCADE,
        target_id TEXT NOT NULL,
        url       TEXT NOT NULL,
        title     TEXT NOT NULL,
        opener    TEXT,
        position  INTEGER NOT NULL,
        PRIMARY KEY (session, target_id)
    ) STRICT, WITHOUT ROWID;

    -- No reference to session: epochs must go on counting when a session is
    -- forgotten, or an owner from before could pass for the one of today.
    CREATE TABLE lease (
        session    TEXT PRIMARY KEY,
        holder     TEXT,
        epoch      INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE ledger (
        session TEXT PRIMARY KEY REFERENCES session ON DELETE CASCADE,
        bytes   BLOB NOT NULL
    ) STRICT;

    CREATE TABLE stream (
        session TEXT NOT NULL REFERENCES session ON DELETE CASCADE,
        stream  TEXT NOT NULL,
        next    INTEGER NOT NULL,
        dropped INTEGER NOT NULL,
        PRIMARY KEY (session, stream)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE entry (
        session TEXT NOT NULL REFERENCES session ON DELETE CASCADE,
        stream  TEXT NOT NULL,
        number  INTEGER NOT NULL,
        bytes   BLOB NOT NULL,
        PRIMARY KEY (session, stream, number)
    ) STRICT, WITHOUT ROWID;
"];

/// Refuses a file that is not ours or is newer than we are, without writing to
/// it. Returns its format; 0 is an empty file.
pub(super) fn inspect(
    connection: &Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<usize, StoreError> {
    let pragma = |name: &str| -> Result<i64, StoreError> {
        connection
            .pragma_query_value(None, name, |row| row.get(0))
            .map_err(storage_error)
    };
    let application = pragma("application_id")?;
    let found = pragma("user_version")?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(storage_error)?;
    let fresh = application == 0 && found == 0 && tables == 0;
    if !fresh && application != i64::from(APPLICATION_ID) {
        return Err(StoreError::NotOurs {
            path: path.to_owned(),
        });
    }
    let known = migrations.len();
    usize::try_from(found)
        .ok()
        .filter(|format| *format <= known)
        .ok_or(StoreError::TooNew {
            path: path.to_owned(),
            found,
            known: known as i64,
        })
}

/// Lifts a file from the format it has to the newest.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<(), StoreError> {
    let before = inspect(connection, path, migrations)?;
    for (format, sql) in migrations.iter().enumerate().skip(before) {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(storage_error)?;
        // Another process may have been faster while we waited for the lock.
        if inspect(&transaction, path, migrations)? != format {
            continue;
        }
        transaction.execute_batch(sql).map_err(storage_error)?;
        transaction
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(storage_error)?;
        transaction
            .pragma_update(None, "user_version", format as i64 + 1)
            .map_err(storage_error)?;
        transaction.commit().map_err(storage_error)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7);";
    const TWO: &str = "ALTER TABLE a ADD COLUMN y TEXT NOT NULL DEFAULT 'new';";

    fn path() -> &'static Path {
        Path::new("test.db")
    }

    #[test]
    fn an_older_file_is_lifted_and_keeps_its_rows() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, path(), &[ONE]).unwrap();
        migrate(&mut db, path(), &[ONE, TWO]).unwrap();
        let row: (i64, String) = db
            .query_row("SELECT x, y FROM a", [], |r| Ok((r.get(0)?, r.get(1)?)))
            .unwrap();
        assert_eq!(row, (7, "new".into()));
        assert_eq!(inspect(&db, path(), &[ONE, TWO]).unwrap(), 2);
    }

    #[test]
    fn a_newer_file_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, path(), &[ONE, TWO]).unwrap();
        match migrate(&mut db, path(), &[ONE]) {
            Err(StoreError::TooNew {
                found: 2, known: 1, ..
            }) => {}
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_failed_migration_changes_nothing() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, path(), &[ONE]).unwrap();
        let broken = "DROP TABLE a; CREATE TABLE";
        assert!(migrate(&mut db, path(), &[ONE, broken]).is_err());
        assert_eq!(inspect(&db, path(), &[ONE, broken]).unwrap(), 1);
        let x: i64 = db.query_row("SELECT x FROM a", [], |r| r.get(0)).unwrap();
        assert_eq!(x, 7);
    }

    #[test]
    fn a_strangers_database_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE other (x)").unwrap();
        assert!(matches!(
            migrate(&mut db, path(), &[ONE]),
            Err(StoreError::NotOurs { .. })
        ));
        let tables: i64 = db
            .query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))
            .unwrap();
        assert_eq!(tables, 1);
    }
}
