//! What can go wrong.

use std::borrow::Cow;
use std::path::PathBuf;

use crate::filter::{
    A_CONSOLE_TYPE, A_NETWORK_TYPE, A_RANGE, A_STATUS, CONSOLE_TYPES, NETWORK_TYPES,
};

/// An event that is not what the protocol says. It was not taken.
#[derive(Debug, thiserror::Error)]
#[error("the browser sent a {method} that cannot be read")]
pub struct EventError {
    /// Which event.
    pub method: String,
    /// What is wrong with it.
    #[source]
    pub cause: serde_json::Error,
}

/// A filter that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {wanted}")]
pub struct FilterError {
    /// What was given.
    pub value: String,
    /// What is understood.
    pub wanted: &'static str,
}

impl FilterError {
    /// What to type instead.
    pub fn hint(&self) -> Cow<'static, str> {
        match self.wanted {
            A_STATUS => "for example: --status 404, --status 4xx, --status 200-299".into(),
            A_RANGE => "for example: --range 10-20".into(),
            A_CONSOLE_TYPE => format!("types: {}", CONSOLE_TYPES.join(", ")).into(),
            A_NETWORK_TYPE => format!("types: {}", NETWORK_TYPES.join(", ")).into(),
            _ => "for example: api, '*/api/*', 're:/v[12]/'".into(),
        }
    }
}

/// A body that could not be kept or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The disk said no.
    #[error("cannot use {}", path.display())]
    Disk {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// It was given up to stay within the budget, or never was there.
    #[error("the body is no longer kept")]
    Gone,
    /// The file does not hold what was written to it. It was removed.
    #[error("the file of the body is damaged")]
    Damaged,
}

/// Stored entries that could not be loaded.
#[derive(Debug, thiserror::Error)]
#[error("cannot load the entries of session {session}")]
pub struct LoadError {
    /// The session.
    pub session: String,
    /// What the store said.
    #[source]
    pub cause: keeptab_store::StoreError,
}
