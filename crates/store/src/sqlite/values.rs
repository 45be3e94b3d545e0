//! Between our types and SQLite's, and from its errors to ours.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::error::StoreError;
use crate::model::{OnBrowserDeath, OnCrash};

/// Milliseconds since 1970; negative before.
pub(super) fn to_ms(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    }
}

/// The time at so many milliseconds since 1970.
pub(super) fn from_ms(ms: i64) -> SystemTime {
    let distance = Duration::from_millis(ms.unsigned_abs());
    let time = if ms >= 0 {
        UNIX_EPOCH.checked_add(distance)
    } else {
        UNIX_EPOCH.checked_sub(distance)
    };
    time.unwrap_or(UNIX_EPOCH)
}

/// SQLite's integers are signed; counts beyond i64 do not occur in a lifetime.
pub(super) fn to_int(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(|_| StoreError::Invalid {
        what: format!("{count} is out of range"),
    })
}

pub(super) fn from_int(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| damaged(format!("a count of {value}")))
}

pub(super) fn damaged(what: impl Into<String>) -> StoreError {
    StoreError::Damaged { what: what.into() }
}

pub(super) fn on_crash_text(policy: OnCrash) -> &'static str {
    match policy {
        OnCrash::Report => "report",
        OnCrash::Reload => "reload",
    }
}

pub(super) fn on_crash(text: &str) -> Result<OnCrash, StoreError> {
    match text {
        "report" => Ok(OnCrash::Report),
        "reload" => Ok(OnCrash::Reload),
        other => Err(damaged(format!("on_crash is {other:?}"))),
    }
}

pub(super) fn on_browser_death_text(policy: OnBrowserDeath) -> &'static str {
    match policy {
        OnBrowserDeath::Fail => "fail",
        OnBrowserDeath::Relaunch => "relaunch",
    }
}

pub(super) fn on_browser_death(text: &str) -> Result<OnBrowserDeath, StoreError> {
    match text {
        "fail" => Ok(OnBrowserDeath::Fail),
        "relaunch" => Ok(OnBrowserDeath::Relaunch),
        other => Err(damaged(format!("on_browser_death is {other:?}"))),
    }
}

/// What an error of SQLite means for the caller.
pub(super) fn storage_error(error: rusqlite::Error) -> StoreError {
    let code = error.sqlite_error().map(|e| (e.code, e.extended_code));
    match code {
        Some((ErrorCode::DiskFull, _)) => StoreError::Full {
            cause: Arc::new(error),
        },
        Some((ErrorCode::SystemIoFailure, _)) => StoreError::Stopped {
            cause: Arc::new(error),
        },
        Some((ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _)) => StoreError::Busy,
        Some((ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _)) => {
            damaged(error.to_string())
        }
        Some((_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY)) => StoreError::NoSession,
        Some((ErrorCode::TooBig, _)) => StoreError::Invalid {
            what: "a value beyond SQLite's limit".into(),
        },
        _ => StoreError::Other {
            cause: Arc::new(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_the_way_there_and_back() {
        for ms in [0, 1, 1_795_000_000_123, -5] {
            assert_eq!(to_ms(from_ms(ms)), ms);
        }
    }
}
