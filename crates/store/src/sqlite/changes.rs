//! Making the changes of a batch.

use rusqlite::{Connection, OptionalExtension, params};

use super::values::{on_browser_death_text, on_crash_text, storage_error, to_int, to_ms};
use crate::error::StoreError;
use crate::model::{EntryBatch, Session, Tab};
use crate::store::{Batch, Change, Fence};

const MAX_NAME_CHARS: usize = 128;

/// Makes all changes of a batch, inside the caller's transaction.
pub(super) fn apply(db: &Connection, batch: &Batch) -> Result<(), StoreError> {
    if let Some(fence) = &batch.fence {
        check_fence(db, fence)?;
    }
    batch.changes.iter().try_for_each(|change| match change {
        Change::PutSession(session) => put_session(db, session),
        Change::ForgetSession { session } => forget_session(db, session),
        Change::PutTab(tab) => put_tab(db, tab),
        Change::RemoveTab { session, target_id } => execute(
            db,
            "DELETE FROM tab WHERE session = ?1 AND target_id = ?2",
            params![session, target_id],
        ),
        Change::PutLedger { session, bytes } => execute(
            db,
            "INSERT INTO ledger (session, bytes) VALUES (?1, ?2)
             ON CONFLICT (session) DO UPDATE SET bytes = excluded.bytes",
            params![session, bytes],
        ),
        Change::PutEntries(entries) => put_entries(db, entries),
    })
}

fn execute(db: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(sql).map_err(storage_error)?;
    statement.execute(values).map(drop).map_err(storage_error)
}

fn check_fence(db: &Connection, fence: &Fence) -> Result<(), StoreError> {
    let row: Option<(i64, bool)> = db
        .prepare_cached("SELECT epoch, holder IS NOT NULL FROM lease WHERE session = ?1")
        .and_then(|mut s| {
            s.query_row([&fence.session], |r| Ok((r.get(0)?, r.get(1)?)))
                .optional()
        })
        .map_err(storage_error)?;
    let (current, held) = row.unwrap_or((0, false));
    if held && current == to_int(fence.epoch)? {
        return Ok(());
    }
    Err(StoreError::Fenced {
        session: fence.session.clone(),
        epoch: fence.epoch,
        current: current.unsigned_abs(),
    })
}

fn put_session(db: &Connection, session: &Session) -> Result<(), StoreError> {
    let chars = session.name.chars().count();
    if chars == 0 || chars > MAX_NAME_CHARS || session.name.contains(char::is_control) {
        return Err(StoreError::Invalid {
            what: format!("a session name of {chars} characters or with control characters"),
        });
    }
    execute(
        db,
        "INSERT INTO session (name, endpoint, sealed, keeper, on_crash, on_browser_death,
             active_target, created_ms, updated_ms, ended_ms, ended_reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (name) DO UPDATE SET
             endpoint = excluded.endpoint, sealed = excluded.sealed, keeper = excluded.keeper,
             on_crash = excluded.on_crash, on_browser_death = excluded.on_browser_death,
             active_target = excluded.active_target, created_ms = excluded.created_ms,
             updated_ms = excluded.updated_ms, ended_ms = excluded.ended_ms,
             ended_reason = excluded.ended_reason",
        params![
            session.name,
            session.endpoint,
            session.sealed,
            session.keeper,
            on_crash_text(session.on_crash),
            on_browser_death_text(session.on_browser_death),
            session.active_target,
            to_ms(session.created),
            to_ms(session.updated),
            session.ended.as_ref().map(|end| to_ms(end.at)),
            session.ended.as_ref().map(|end| &end.reason),
        ],
    )
}

fn forget_session(db: &Connection, session: &str) -> Result<(), StoreError> {
    execute(db, "DELETE FROM session WHERE name = ?1", params![session])?;
    execute(
        db,
        "UPDATE lease SET holder = NULL WHERE session = ?1",
        params![session],
    )
}

fn put_tab(db: &Connection, tab: &Tab) -> Result<(), StoreError> {
    execute(
        db,
        "INSERT INTO tab (session, target_id, url, title, opener, position)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (session, target_id) DO UPDATE SET
             url = excluded.url, title = excluded.title, opener = excluded.opener,
             position = excluded.position",
        params![
            tab.session,
            tab.target_id,
            tab.url,
            tab.title,
            tab.opener,
            tab.position
        ],
    )
}

fn put_entries(db: &Connection, batch: &EntryBatch) -> Result<(), StoreError> {
    for entry in &batch.put {
        execute(
            db,
            "INSERT INTO entry (session, stream, number, bytes) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (session, stream, number) DO UPDATE SET bytes = excluded.bytes",
            params![
                batch.session,
                batch.stream,
                to_int(entry.number)?,
                entry.bytes
            ],
        )?;
    }
    execute(
        db,
        "DELETE FROM entry WHERE session = ?1 AND stream = ?2 AND number < ?3",
        params![batch.session, batch.stream, to_int(batch.keep_from)?],
    )?;
    execute(
        db,
        "INSERT INTO stream (session, stream, next, dropped) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (session, stream) DO UPDATE SET
             next = excluded.next, dropped = excluded.dropped",
        params![
            batch.session,
            batch.stream,
            to_int(batch.head.next)?,
            to_int(batch.head.dropped)?
        ],
    )
}
