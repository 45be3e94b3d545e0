//! Who may drive a session.

use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension, params};

use super::values::{from_int, from_ms, storage_error, to_int, to_ms};
use crate::error::StoreError;
use crate::model::{Lease, LeaseRequest};

struct Row {
    holder: Option<String>,
    epoch: u64,
    expires: SystemTime,
}

fn row(db: &Connection, session: &str) -> Result<Option<Row>, StoreError> {
    let found = db
        .prepare_cached("SELECT holder, epoch, expires_ms FROM lease WHERE session = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([session], |r| {
                    Ok((r.get(0)?, r.get::<_, i64>(1)?, r.get::<_, i64>(2)?))
                })
                .optional()
        })
        .map_err(storage_error)?;
    found
        .map(|(holder, epoch, expires)| {
            Ok(Row {
                holder,
                epoch: from_int(epoch)?,
                expires: from_ms(expires),
            })
        })
        .transpose()
}

fn write(db: &Connection, lease: Lease) -> Result<Lease, StoreError> {
    db.prepare_cached(
        "INSERT INTO lease (session, holder, epoch, expires_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (session) DO UPDATE SET
             holder = excluded.holder, epoch = excluded.epoch, expires_ms = excluded.expires_ms",
    )
    .and_then(|mut statement| {
        let expires = to_ms(lease.expires);
        statement.execute(params![
            lease.session,
            lease.holder,
            lease.epoch as i64,
            expires
        ])
    })
    .map_err(storage_error)?;
    // As it will be read back.
    Ok(Lease {
        expires: from_ms(to_ms(lease.expires)),
        ..lease
    })
}

/// Makes sure that a lease is still there after other changes of its transaction: to forget the session lets it go.
pub(super) fn keep(db: &Connection, lease: Lease) -> Result<Lease, StoreError> {
    write(db, lease)
}

/// A time so far off that it cannot be told is as good as never.
fn after(now: SystemTime, ttl: Duration) -> SystemTime {
    now.checked_add(ttl).unwrap_or_else(|| from_ms(i64::MAX))
}

pub(super) fn get(db: &Connection, session: &str) -> Result<Option<Lease>, StoreError> {
    Ok(row(db, session)?.and_then(|row| {
        let Row {
            holder,
            epoch,
            expires,
        } = row;
        holder.map(|holder| Lease {
            session: session.to_owned(),
            holder,
            epoch,
            expires,
        })
    }))
}

pub(super) fn acquire(db: &Connection, request: &LeaseRequest) -> Result<Lease, StoreError> {
    let before = row(db, &request.session)?;
    let mut epoch = 1;
    if let Some(before) = before {
        epoch = before.epoch + 1;
        if let Some(holder) = before.holder
            && request.now < before.expires
        {
            if holder != request.holder {
                return Err(StoreError::Held {
                    session: request.session.clone(),
                    holder,
                    expires: before.expires,
                });
            }
            epoch = before.epoch;
        }
    }
    to_int(epoch)?;
    write(
        db,
        Lease {
            session: request.session.clone(),
            holder: request.holder.clone(),
            epoch,
            expires: after(request.now, request.ttl),
        },
    )
}

pub(super) fn renew(
    db: &Connection,
    lease: &Lease,
    now: SystemTime,
    ttl: Duration,
) -> Result<Lease, StoreError> {
    check(db, lease)?;
    write(
        db,
        Lease {
            expires: after(now, ttl),
            ..lease.clone()
        },
    )
}

pub(super) fn release(db: &Connection, lease: &Lease) -> Result<(), StoreError> {
    check(db, lease)?;
    db.prepare_cached("UPDATE lease SET holder = NULL WHERE session = ?1")
        .and_then(|mut statement| statement.execute([&lease.session]))
        .map(drop)
        .map_err(storage_error)
}

fn check(db: &Connection, lease: &Lease) -> Result<(), StoreError> {
    let current = row(db, &lease.session)?;
    let same = current.as_ref().is_some_and(|row| {
        row.epoch == lease.epoch && row.holder.as_deref() == Some(lease.holder.as_str())
    });
    if same {
        return Ok(());
    }
    Err(StoreError::Fenced {
        session: lease.session.clone(),
        epoch: lease.epoch,
        current: current.map_or(0, |row| row.epoch),
    })
}
