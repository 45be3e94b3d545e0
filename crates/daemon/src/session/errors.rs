//! Errors of the browser and script rooms, as every door reports them.

use keeptab_browser::{CallError, ConnectError, ConnectKind, Kind};
use keeptab_script::{ErrorKind, ScriptError};
use serde_json::json;

use crate::error::{ApiError, Code};

/// A failed CDP call.
pub(super) fn from_call(error: &CallError) -> ApiError {
    let code = match error.kind() {
        Kind::Protocol | Kind::InvalidReply => Code::Protocol,
        Kind::NotSent => Code::NotSent,
        Kind::OutcomeUnknown => Code::OutcomeUnknown,
        Kind::Deadline => Code::Deadline,
        Kind::TargetGone => Code::TabGone,
        Kind::DialogOpen => Code::DialogOpen,
        Kind::Disconnected => Code::Disconnected,
        Kind::TooLarge => Code::TooLarge,
        Kind::StaleHandle => Code::StaleHandle,
        Kind::InvalidParams => Code::Invalid,
        _ => Code::Failed,
    };
    let mut ours = ApiError::new(code, error.to_string());
    // Ours name a command to type; the library's speak to programmers, so they come second.
    if ours.hint.is_none() {
        ours.hint = error.hint().map(str::to_owned);
    }
    match error.cdp() {
        Some(cdp) => ours.details(json!({"method": error.method(), "cdp_code": cdp.code})),
        None => ours.details(json!({"method": error.method()})),
    }
}

/// A browser that could not be reached or started.
pub(super) fn from_connect(error: &ConnectError) -> ApiError {
    let (code, next) = match error.kind() {
        ConnectKind::NotFound => (
            Code::NotFound,
            "keeptab browsers, or a new one: keeptab open URL",
        ),
        ConnectKind::NotInstalled => (Code::LaunchFailed, "keeptab doctor"),
        ConnectKind::Gone => (Code::BrowserGone, "keeptab browsers"),
        ConnectKind::NotAllowed => (
            Code::NeedsPerson,
            "click Allow in the browser, then: keeptab attach --timeout 2m",
        ),
        ConnectKind::Timeout => (Code::Deadline, "keeptab attach --timeout 2m"),
        ConnectKind::ProfileInUse | ConnectKind::StartFailed | ConnectKind::DefaultProfile => {
            (Code::LaunchFailed, "keeptab doctor")
        }
        ConnectKind::Invalid | ConnectKind::Unsupported => (Code::Invalid, "keeptab help attach"),
        ConnectKind::Refused => (Code::SessionRefused, "keeptab help attach"),
        ConnectKind::Unreachable | ConnectKind::Busy => (Code::Disconnected, "keeptab browsers"),
        _ => (Code::Failed, "keeptab doctor"),
    };
    let ours =
        ApiError::new(code, error.to_string()).details(json!({"reason": error.kind().as_str()}));
    match error.hint().filter(|hint| !hint.is_empty()) {
        Some(hint) => ours.hint(format!("{hint} ({next})")),
        None => ours.hint(next),
    }
}

/// A snippet that failed.
pub(super) fn from_script(error: &ScriptError) -> ApiError {
    let code = match error.kind {
        ErrorKind::Protocol => Code::Protocol,
        ErrorKind::NotSent => Code::NotSent,
        ErrorKind::OutcomeUnknown => Code::OutcomeUnknown,
        ErrorKind::Deadline => Code::Deadline,
        ErrorKind::TargetGone => Code::TabGone,
        ErrorKind::DialogOpen => Code::DialogOpen,
        ErrorKind::NotConnected => Code::Disconnected,
        ErrorKind::StaleHandle => Code::StaleHandle,
        ErrorKind::Refused => Code::Refused,
        ErrorKind::SandboxUnavailable => Code::Machine,
        // What the snippet says is wrong is not the command line's fault, so not exit 2.
        _ => Code::Script,
    };
    let mut ours = ApiError::new(code, error.message.clone());
    if let Some(hint) = &error.hint {
        ours.hint = Some(hint.clone());
    }
    let cdp_code = error.code.map_or(serde_json::Value::Null, Into::into);
    ours.details(json!({"kind": error.kind.as_str(), "cdp_code": cdp_code}))
}

/// An error of ours, as a snippet sees it.
pub(super) fn to_script(error: ApiError) -> ScriptError {
    let kind = match error.code {
        Code::Refused => ErrorKind::Refused,
        Code::Deadline => ErrorKind::Deadline,
        Code::Invalid | Code::Ambiguous => ErrorKind::Invalid,
        Code::NoSuchTab | Code::TabGone => ErrorKind::TargetGone,
        Code::Protocol | Code::Failed => ErrorKind::Protocol,
        Code::OutcomeUnknown => ErrorKind::OutcomeUnknown,
        Code::NotSent => ErrorKind::NotSent,
        _ => ErrorKind::NotConnected,
    };
    let ours = ScriptError::new(kind, error.message);
    match error.hint {
        Some(hint) => ours.with_hint(hint),
        None => ours,
    }
}
