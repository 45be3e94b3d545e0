//! Reading records back.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::values::{from_int, from_ms, on_browser_death, on_crash, storage_error, to_int};
use crate::error::StoreError;
use crate::model::{Session, SessionEnd, StoredEntry, StreamHead, Tab};

const SESSION: &str = "SELECT name, endpoint, sealed, keeper, on_crash, on_browser_death,
    active_target, created_ms, updated_ms, ended_ms, ended_reason FROM session";

fn session_of(row: &Row<'_>) -> Result<Session, StoreError> {
    let text = |index: usize| row.get::<_, String>(index).map_err(storage_error);
    let maybe = |index: usize| row.get::<_, Option<String>>(index).map_err(storage_error);
    let time = |index: usize| row.get::<_, i64>(index).map(from_ms).map_err(storage_error);
    let ended_ms: Option<i64> = row.get(9).map_err(storage_error)?;
    let reason = maybe(10)?.unwrap_or_default();
    Ok(Session {
        name: text(0)?,
        endpoint: text(1)?,
        sealed: row.get(2).map_err(storage_error)?,
        keeper: maybe(3)?,
        on_crash: on_crash(&text(4)?)?,
        on_browser_death: on_browser_death(&text(5)?)?,
        active_target: maybe(6)?,
        created: time(7)?,
        updated: time(8)?,
        ended: ended_ms.map(|ms| SessionEnd {
            at: from_ms(ms),
            reason,
        }),
    })
}

pub(super) fn sessions(db: &Connection) -> Result<Vec<Session>, StoreError> {
    let sql = format!("{SESSION} ORDER BY name");
    let mut statement = db.prepare_cached(&sql).map_err(storage_error)?;
    let mut rows = statement.query([]).map_err(storage_error)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(storage_error)? {
        found.push(session_of(row)?);
    }
    Ok(found)
}

pub(super) fn session(db: &Connection, name: &str) -> Result<Option<Session>, StoreError> {
    let sql = format!("{SESSION} WHERE name = ?1");
    let mut statement = db.prepare_cached(&sql).map_err(storage_error)?;
    let mut rows = statement.query([name]).map_err(storage_error)?;
    rows.next()
        .map_err(storage_error)?
        .map(session_of)
        .transpose()
}

pub(super) fn tabs(db: &Connection, session: &str) -> Result<Vec<Tab>, StoreError> {
    let mut statement = db
        .prepare_cached(
            "SELECT target_id, url, title, opener, position FROM tab
             WHERE session = ?1 ORDER BY position, target_id",
        )
        .map_err(storage_error)?;
    let rows = statement
        .query_map([session], |row| {
            Ok(Tab {
                session: session.to_owned(),
                target_id: row.get(0)?,
                url: row.get(1)?,
                title: row.get(2)?,
                opener: row.get(3)?,
                position: row.get(4)?,
            })
        })
        .map_err(storage_error)?;
    rows.collect::<Result<_, _>>().map_err(storage_error)
}

pub(super) fn ledger(db: &Connection, session: &str) -> Result<Option<Vec<u8>>, StoreError> {
    db.prepare_cached("SELECT bytes FROM ledger WHERE session = ?1")
        .and_then(|mut s| s.query_row([session], |row| row.get(0)).optional())
        .map_err(storage_error)
}

pub(super) fn stream(
    db: &Connection,
    session: &str,
    stream: &str,
) -> Result<Option<StreamHead>, StoreError> {
    let found: Option<(i64, i64)> = db
        .prepare_cached("SELECT next, dropped FROM stream WHERE session = ?1 AND stream = ?2")
        .and_then(|mut s| {
            s.query_row([session, stream], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })
        .map_err(storage_error)?;
    found
        .map(|(next, dropped)| {
            Ok(StreamHead {
                next: from_int(next)?,
                dropped: from_int(dropped)?,
            })
        })
        .transpose()
}

pub(super) fn entries(
    db: &Connection,
    session: &str,
    stream: &str,
    from: u64,
    limit: u32,
) -> Result<Vec<StoredEntry>, StoreError> {
    let mut statement = db
        .prepare_cached(
            "SELECT number, bytes FROM entry
             WHERE session = ?1 AND stream = ?2 AND number >= ?3 ORDER BY number LIMIT ?4",
        )
        .map_err(storage_error)?;
    let mut rows = statement
        .query(params![session, stream, to_int(from)?, limit])
        .map_err(storage_error)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(storage_error)? {
        found.push(StoredEntry {
            number: from_int(row.get(0).map_err(storage_error)?)?,
            bytes: row.get(1).map_err(storage_error)?,
        });
    }
    Ok(found)
}
