//! What came of an eval.

use std::time::Duration;

use keeptab_protocol::Raw;
use serde::{Deserialize, Serialize};

/// What kind of failure an eval ended with. The names are stable: they are `error.kind` in a snippet and
/// `error.code` in JSON output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The snippet threw, or a promise it awaited was rejected.
    Thrown,
    /// The snippet is not JavaScript.
    Syntax,
    /// The browser said no to a command.
    Protocol,
    /// A command never left: it is safe to repeat.
    NotSent,
    /// A command left, and it cannot be known what it did; or its sandbox was lost after that.
    OutcomeUnknown,
    /// A command or the eval itself ran out of time.
    Deadline,
    /// The target was closed or crashed.
    TargetGone,
    /// The target shows a JavaScript dialog that someone has to answer.
    DialogOpen,
    /// There is no connection to a browser.
    NotConnected,
    /// An id of an earlier connection was used.
    StaleHandle,
    /// A name or an argument is wrong; nothing was sent.
    Invalid,
    /// A policy forbids it; nothing was sent.
    Refused,
    /// A message is larger than allowed.
    TooLarge,
    /// Code in the page threw (only with `strict`).
    PageException,
    /// A navigation failed (only with `strict`).
    NavigationFailed,
    /// The sandbox ran out of memory.
    OutOfMemory,
    /// The sandbox had to be killed, or died, before the snippet had sent anything that is not a read.
    SandboxLost,
    /// The sandbox could not be started.
    SandboxUnavailable,
}

impl ErrorKind {
    /// The stable name, as in `error.kind`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Thrown => "thrown",
            Self::Syntax => "syntax",
            Self::Protocol => "protocol",
            Self::NotSent => "not_sent",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Deadline => "deadline",
            Self::TargetGone => "target_gone",
            Self::DialogOpen => "dialog_open",
            Self::NotConnected => "not_connected",
            Self::StaleHandle => "stale_handle",
            Self::Invalid => "invalid",
            Self::Refused => "refused",
            Self::TooLarge => "too_large",
            Self::PageException => "page_exception",
            Self::NavigationFailed => "navigation_failed",
            Self::OutOfMemory => "out_of_memory",
            Self::SandboxLost => "sandbox_lost",
            Self::SandboxUnavailable => "sandbox_unavailable",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
    }
}

impl std::fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an eval, or a call it made, failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ScriptError {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// The CDP error code, when the browser gave one.
    pub code: Option<i64>,
    /// One line: what happened.
    pub message: String,
    /// What to type or do next.
    pub hint: Option<String>,
}

impl ScriptError {
    /// A failure without code or hint.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: None,
            message: message.into(),
            hint: None,
        }
    }

    /// The same failure with the next thing to type.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure with the browser's error code.
    #[must_use]
    pub fn with_code(mut self, code: i64) -> Self {
        self.code = Some(code);
        self
    }
}

/// What came of one eval.
#[derive(Clone, Debug)]
pub struct EvalOutcome {
    /// Whether the snippet ran to its end without an error.
    pub ok: bool,
    /// What belongs on standard output, to the byte: no line break is added.
    pub stdout: String,
    /// The value as JSON; `None` when there is none (`undefined`, an error) or it was cut.
    pub json: Option<Raw>,
    /// What belongs on standard error: console output, warnings, late errors, the error with its stack.
    pub stderr: String,
    /// Why it failed.
    pub error: Option<ScriptError>,
    /// The sandbox was lost: everything on its `globalThis` is gone.
    pub scope_lost: bool,
    /// `stdout` is only the beginning: the result was longer than [`crate::Limits::output`].
    pub truncated: bool,
}

impl EvalOutcome {
    /// An eval that failed before the sandbox could say anything.
    pub(crate) fn failed(error: ScriptError, stderr: String, scope_lost: bool) -> Self {
        let mut out = stderr;
        out.push_str(&format!("Error: {}\n", error.message));
        if let Some(hint) = &error.hint {
            out.push_str(&format!("hint: {hint}\n"));
        }
        Self {
            ok: false,
            stdout: String::new(),
            json: None,
            stderr: out,
            error: Some(error),
            scope_lost,
            truncated: false,
        }
    }
}

/// A duration in seconds as people read it: a deadline of 3 s of which the way took a moment is not one of 2.999 s.
pub(crate) fn seconds(duration: Duration) -> f64 {
    let exact = duration.as_secs_f64();
    if exact < 1.0 {
        exact
    } else {
        (exact * 10.0).round() / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_named_as_it_was_given() {
        let named = |ms| seconds(Duration::from_millis(ms)).to_string();
        assert_eq!(named(2_999), "3");
        assert_eq!(named(1_500), "1.5");
        assert_eq!(named(100), "0.1");
    }

    #[test]
    fn names_are_the_same_in_rust_and_in_json() {
        for kind in [
            ErrorKind::Thrown,
            ErrorKind::NotSent,
            ErrorKind::OutcomeUnknown,
            ErrorKind::DialogOpen,
            ErrorKind::SandboxUnavailable,
        ] {
            assert_eq!(
                serde_json::to_value(kind).expect("serialises"),
                kind.as_str()
            );
            assert_eq!(ErrorKind::from_name(kind.as_str()), Some(kind));
        }
        assert_eq!(ErrorKind::from_name("nonsense"), None);
    }
}
