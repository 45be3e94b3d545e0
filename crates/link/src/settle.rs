//! How a command ends.
use std::fmt;

use keeptab_protocol::Raw;
use keeptab_protocol::handles::StaleHandle;

use crate::{Cause, Str};

/// The one end of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// The browser did it; the `result` member, with ids tagged.
    Reply(Raw),
    /// The browser said no.
    Error(CdpError),
    /// It never left us, so it is safe to repeat.
    NotSent(NotSent),
    /// It left us, and whether it took effect cannot be known.
    OutcomeUnknown {
        /// Why the answer cannot come any more.
        cause: Cause,
    },
    /// Its time ran out.
    Deadline {
        /// Whether it had left us. If so it may still take effect.
        sent: bool,
    },
    /// Its target cannot answer any more.
    TargetGone(TargetEnd),
    /// A dialog of the page (alert, confirm, prompt, beforeunload) stands in the way.
    DialogOpen {
        /// Whether it had left us. If so it takes effect, or is answered, when the dialog goes.
        sent: bool,
        /// `alert`, `confirm`, `prompt` or `beforeunload`; empty when a lost connection left the
        /// dialog behind and its kind is not known.
        kind: Str,
        /// The text of the dialog.
        message: Str,
        /// `false` when the dialog was left behind by a lost connection: Chromium does not let a
        /// new one answer it. Then only reloading, navigating or closing the tab helps.
        answerable: bool,
    },
}

impl Settlement {
    /// The word of the design for it: `reply`, `error`, `not_sent`, `outcome_unknown`, `deadline`,
    /// `target_gone` or `dialog_open`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reply(_) => "reply",
            Self::Error(_) => "error",
            Self::NotSent(_) => "not_sent",
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::Deadline { .. } => "deadline",
            Self::TargetGone(_) => "target_gone",
            Self::DialogOpen { .. } => "dialog_open",
        }
    }
}

/// The `error` member of an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct CdpError {
    /// The code, `-32000` for most.
    pub code: i64,
    /// What the browser says.
    pub message: String,
    /// More of it, where the browser gives more.
    pub data: Option<Raw>,
}

/// Why a command was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSent {
    /// The link was closed.
    #[error("the session is closed")]
    Closed,
    /// The link has given up; only a reconnect asked for by somebody tries again.
    #[error("disconnected: {0}")]
    Disconnected(Cause),
    /// Longer than the limit.
    #[error("the command has {size} bytes; at most {limit} can be sent")]
    TooLarge {
        /// Length of the command in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A queue is full.
    #[error("too many {what} (limit {limit})")]
    Overloaded {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The parameters are not one JSON object.
    #[error("the parameters are not a JSON object")]
    InvalidParams,
    /// A parameter is an id of an earlier connection.
    #[error(transparent)]
    StaleHandle(#[from] StaleHandle),
    /// The browser does not let us attach to the target.
    #[error("cannot attach to the target: {0}")]
    AttachFailed(String),
    /// The method works on raw CDP sessions, which the link keeps to itself.
    #[error("{method} does not work through a link: {instead}")]
    Unsupported {
        /// The method.
        method: String,
        /// What to do instead.
        instead: &'static str,
    },
}

impl NotSent {
    /// What to do next, in one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Closed => "open a new session",
            Self::Disconnected(cause) => cause.hint(),
            Self::TooLarge { .. } => "send it in parts, or let the page fetch it",
            Self::Overloaded { .. } => "wait for earlier commands to settle",
            Self::InvalidParams => "give the parameters as one JSON object",
            Self::StaleHandle(stale) => stale.hint(),
            Self::AttachFailed(_) => "list the tabs to see which ones can be used",
            Self::Unsupported { instead, .. } => instead,
        }
    }
}

/// How a target ended, or why it cannot answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetEnd {
    /// It was closed.
    Closed,
    /// Its renderer process died.
    Crashed {
        /// What the browser calls it: `crashed`, `oom`, `killed`, …
        status: Str,
        /// Exit code of the process, where the browser says it.
        code: i64,
    },
    /// The browser took the debugging connection of this target away.
    Detached,
    /// There is no target with this id in the browser.
    Unknown,
    /// It was not there any more after a reconnect.
    GoneInGap,
}

impl fmt::Display for TargetEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the tab was closed"),
            Self::Crashed { status, code } => write!(f, "the tab crashed ({status}, code {code})"),
            Self::Detached => f.write_str("the browser detached from the tab"),
            Self::Unknown => f.write_str("there is no such tab"),
            Self::GoneInGap => f.write_str("the tab was closed while the connection was lost"),
        }
    }
}

impl TargetEnd {
    /// What to do next, in one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Crashed { .. } => "reload the tab; what was typed into it is lost",
            Self::Detached => "send the command again to attach anew",
            Self::Closed | Self::Unknown | Self::GoneInGap => {
                "list the tabs and choose another; no other tab was touched"
            }
        }
    }
}
