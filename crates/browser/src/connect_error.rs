//! How opening a session can fail.
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use keeptab_link::{Cause, DialError};

/// Why there is no session.
#[derive(Debug)]
pub struct ConnectError {
    kind: ConnectKind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What kept a session from opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectKind {
    /// No browser with remote debugging is running.
    NotFound,
    /// No browser is installed.
    NotInstalled,
    /// Nothing answers at the address.
    Unreachable,
    /// The endpoint refuses us.
    Refused,
    /// The endpoint does not exist any more.
    Gone,
    /// The endpoint is busy.
    Busy,
    /// Nobody allowed the connection in the browser.
    NotAllowed,
    /// It took longer than the caller allowed.
    Timeout,
    /// Another browser uses the profile.
    ProfileInUse,
    /// The profile is a browser's default one.
    DefaultProfile,
    /// The browser ended, or did not get ready.
    StartFailed,
    /// The address or an option makes no sense.
    Invalid,
    /// This system cannot do it.
    Unsupported,
}

impl ConnectKind {
    /// The name of this kind in JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "browser_not_found",
            Self::NotInstalled => "browser_not_installed",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Gone => "endpoint_gone",
            Self::Busy => "busy",
            Self::NotAllowed => "not_allowed",
            Self::Timeout => "timeout",
            Self::ProfileInUse => "profile_in_use",
            Self::DefaultProfile => "default_profile",
            Self::StartFailed => "browser_did_not_start",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
        }
    }
}

impl ConnectError {
    pub(crate) fn new(kind: ConnectKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            source: None,
        }
    }

    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn caused(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    pub(crate) fn from_cause(endpoint: &str, cause: &Cause) -> Self {
        let kind = match cause {
            Cause::Refused { .. } => ConnectKind::Refused,
            // What this connection started itself has its own words: see `of_start`.
            Cause::Gone(_) | Cause::ProcessExited { .. } => ConnectKind::Gone,
            Cause::Busy => ConnectKind::Busy,
            Cause::NotAllowed => ConnectKind::NotAllowed,
            _ => ConnectKind::Unreachable,
        };
        // There is no session yet that could be connected again.
        let hint = match (kind, cause) {
            (
                _,
                Cause::Refused {
                    status: 401 | 403 | 407,
                    ..
                },
            ) => "check the address and its credentials",
            (ConnectKind::Refused, _) => "check that this is the address of a browser",
            (ConnectKind::Unreachable, _) => "check the address, and that the browser is running",
            _ => cause.hint(),
        };
        Self::new(kind, format!("{endpoint}: {cause}")).hinted(hint)
    }

    pub(crate) fn from_dial(endpoint: &str, error: DialError) -> Self {
        match error {
            DialError::Refused { status, reason } => {
                Self::from_cause(endpoint, &Cause::Refused { status, reason })
            }
            DialError::Gone { reason } => Self::from_cause(endpoint, &Cause::Gone(reason)),
            // Nothing was started: it is another process's browser, and that has ended.
            DialError::Exited { status } => {
                let reason = format!("its keeper: its browser has ended ({status})");
                Self::from_cause(endpoint, &Cause::Gone(reason.into()))
            }
            DialError::Unreachable { reason } => {
                Self::from_cause(endpoint, &Cause::Unreachable(reason))
            }
            _ => Self::from_cause(endpoint, &Cause::Busy),
        }
    }

    /// The same for a browser that we started: whatever was noticed first, it did not start. `words` is what
    /// it wrote last.
    pub(crate) fn of_start(mut self, words: &str) -> Self {
        if !self.message.contains(words) {
            self.message.push_str(words);
        }
        Self::new(ConnectKind::StartFailed, self.message)
            .hinted("see what the browser says, or start it by hand with the same flags")
    }

    pub(crate) fn timeout(endpoint: &str, after: Duration, asks: bool) -> Self {
        let message = format!(
            "{endpoint}: not connected after {:.1} s",
            after.as_secs_f64()
        );
        if asks {
            Self::new(ConnectKind::NotAllowed, message).hinted(
                "the browser asks its person: click Allow there, then try again with more time",
            )
        } else {
            Self::new(ConnectKind::Timeout, message).hinted("try again with more time")
        }
    }

    /// What kept the session from opening, as a category.
    pub fn kind(&self) -> ConnectKind {
        self.kind
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ConnectError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}
