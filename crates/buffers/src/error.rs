//! What can go wrong.

use std::path::PathBuf;

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
    /// An example to type instead.
    pub fn hint(&self) -> &'static str {
        match self.wanted {
            crate::filter::A_STATUS => "for example: --status 404, --status 4xx, --status 200-299",
            crate::filter::A_RANGE => "for example: --range 10-20",
            _ => "for example: --url api, --url '*/api/*', --url 're:/v[12]/'",
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
