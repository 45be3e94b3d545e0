//! The one table of error codes, shared by the daemon that sends them and the command line that
//! turns them into exit codes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::exit;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident: $name:literal, $exit:expr, $http:literal, $hint:expr;)+) => {
        /// What went wrong, as a word that never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// The word on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)+ }
            }

            /// The exit code of a process that ends with this error (see [`crate::exit`]).
            #[must_use]
            pub const fn exit_code(self) -> u8 {
                match self { $(Code::$variant => $exit,)+ }
            }

            /// The HTTP status that carries this error.
            #[must_use]
            pub const fn http_status(self) -> u16 {
                match self { $(Code::$variant => $http,)+ }
            }

            /// What to type next when the error itself knows nothing better.
            #[must_use]
            pub const fn default_hint(self) -> Option<&'static str> {
                match self { $(Code::$variant => $hint,)+ }
            }
        }
    };
}

codes! {
    /// The page or the browser said no.
    Failed: "failed", exit::FAILED, 422, None;
    /// The JavaScript of the caller did not parse, threw, or was stopped by a limit.
    Script: "script", exit::FAILED, 422, None;
    /// The browser answered a CDP command with an error.
    Protocol: "protocol", exit::FAILED, 422, None;
    /// A JavaScript dialog blocks the page.
    DialogOpen: "dialog_open", exit::FAILED, 409,
        Some("keeptab dialog, then: keeptab dialog accept, or: keeptab dialog dismiss");
    /// An id of an earlier connection was used.
    StaleHandle: "stale_handle", exit::FAILED, 409, Some("fetch the node or object again, then repeat");
    /// Something of ours broke.
    Internal: "internal", exit::FAILED, 500, Some("look into it: keeptab daemon logs");
    /// Too many of something at once; later it will work.
    Busy: "busy", exit::FAILED, 429, Some("wait a moment, then repeat");
    /// The machine did not let us: disk full, no permission.
    Machine: "machine", exit::FAILED, 507, Some("keeptab doctor");
    /// No Chromium was found or it did not start.
    LaunchFailed: "launch_failed", exit::FAILED, 422, Some("keeptab doctor");
    /// The request cannot be understood.
    Invalid: "invalid", exit::USAGE, 400, Some("keeptab help");
    /// There is no such door.
    NoSuchRoute: "no_such_route", exit::USAGE, 404, None;
    /// The door exists but not for this method.
    MethodNotAllowed: "method_not_allowed", exit::USAGE, 405, None;
    /// The body is not declared as JSON.
    NotJson: "not_json", exit::USAGE, 415, Some("send Content-Type: application/json");
    /// The body, or a command in it, is larger than allowed.
    TooLarge: "too_large", exit::USAGE, 413, None;
    /// Several things fit; the message names them.
    Ambiguous: "ambiguous", exit::USAGE, 409, None;
    /// Some items failed.
    Partial: "partial", exit::PARTIAL, 207, None;
    /// A command left us and its reply was lost.
    OutcomeUnknown: "outcome_unknown", exit::OUTCOME_UNKNOWN, 502,
        Some("look at the page before you repeat it: keeptab status");
    /// Somebody has to click or decide.
    NeedsPerson: "needs_person", exit::NEEDS_PERSON, 409, Some("keeptab status");
    /// No session of this name.
    NoSuchSession: "no_such_session", exit::NOT_THERE, 404, Some("keeptab sessions, or make it: keeptab open URL");
    /// No tab fits, or the session has none.
    NoSuchTab: "no_such_tab", exit::NOT_THERE, 404, Some("keeptab tab, or open one: keeptab tab new URL");
    /// The tab that was meant is closed.
    TabGone: "tab_gone", exit::NOT_THERE, 410, Some("keeptab tab, then: keeptab tab switch ID");
    /// The page of the tab that was meant has crashed; the tab is there.
    TabCrashed: "tab_crashed", exit::NOT_THERE, 410,
        Some("load it again (what was typed into it is lost): keeptab tab reload");
    /// The page of the tab that was meant does not answer, and the browser does.
    TabHung: "tab_hung", exit::DEADLINE, 504,
        Some("wait; or load it again: keeptab tab reload; or give it up: keeptab tab close");
    /// No documentation, browser or other named thing fits.
    NotFound: "not_found", exit::NOT_THERE, 404, None;
    /// A policy does not allow it.
    Refused: "refused", exit::REFUSED, 403, None;
    /// The session has no connection and recovery gave up.
    Disconnected: "disconnected", exit::NO_CONNECTION, 502, Some("keeptab reconnect, or give it up: keeptab close");
    /// The browser of the session has ended.
    BrowserGone: "browser_gone", exit::NO_CONNECTION, 410,
        Some("keeptab close, then a new one: keeptab open URL");
    /// Another browser answers in the place of the session's own.
    BrowserReplaced: "browser_replaced", exit::NO_CONNECTION, 410,
        Some("keeptab close, then take the new one: keeptab attach");
    /// The process that held the session's browser has died, and the browser with it.
    KeeperDied: "keeper_died", exit::NO_CONNECTION, 410,
        Some("keeptab close, then a new one: keeptab open URL");
    /// The endpoint does not let us in any more.
    SessionRefused: "session_refused", exit::NO_CONNECTION, 502,
        Some("check the address and its credentials, then: keeptab reconnect");
    /// The time that the endpoint grants is over.
    SessionExpired: "session_expired", exit::NO_CONNECTION, 410,
        Some("keeptab close, then get a new address: keeptab attach --ws URL");
    /// The endpoint has ended the session.
    SessionEnded: "session_ended", exit::NO_CONNECTION, 410,
        Some("keeptab close, then get a new address: keeptab attach --ws URL");
    /// It never left us, so nothing happened.
    NotSent: "not_sent", exit::NO_CONNECTION, 502, Some("safe to repeat");
    /// No daemon, and none could be started.
    NoDaemon: "no_daemon", exit::NO_CONNECTION, 502, Some("keeptab doctor");
    /// The daemon is ending and takes nothing new.
    Stopping: "stopping", exit::NO_CONNECTION, 503, Some("safe to repeat");
    /// The daemon is older than the command line that asks.
    DaemonOutdated: "daemon_outdated", exit::NO_CONNECTION, 426, Some("keeptab daemon restart");
    /// The time given was over.
    Deadline: "deadline", exit::DEADLINE, 504, Some("give it longer: --timeout 120s");
}

impl Code {
    /// The code of a word, if we know it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Code> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        // A newer daemon may know words that we do not; its message still tells.
        Ok(Code::from_name(&name).unwrap_or(Code::Failed))
    }
}

/// An error as every door reports it: a word, a line, and what to type next.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What went wrong.
    pub code: Code,
    /// One line for people: what happened and what it means for the page.
    pub message: String,
    /// The next command to type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// More for machines: the CDP code, the names that fit, the tab that went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
}

impl ApiError {
    /// An error with the hint that its code has by default.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        ApiError {
            code,
            message: message.into(),
            hint: code.default_hint().map(str::to_owned),
            details: None,
        }
    }

    /// The same error with a better hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error with more for machines.
    #[must_use]
    pub fn details(mut self, details: serde_json::Value) -> Self {
        self.details = Some(details);
        self
    }

    /// The exit code of a process that ends with this error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.code.exit_code()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_has_its_own_word_and_comes_back_from_it() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::from_name(code.name()), Some(*code));
        }
    }

    #[test]
    fn every_code_fails_and_has_an_http_error_status() {
        for code in Code::ALL {
            assert_ne!(code.exit_code(), exit::OK, "{code:?}");
            assert!(
                code.http_status() == 207 || code.http_status() >= 400,
                "{code:?}"
            );
        }
    }

    #[test]
    fn a_word_from_the_future_is_a_failure_with_its_message() {
        let error: ApiError =
            serde_json::from_str(r#"{"code":"quantum","message":"both"}"#).expect("parses");
        assert_eq!((error.code, error.message.as_str()), (Code::Failed, "both"));
    }
}
