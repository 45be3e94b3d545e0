//! The JSON payloads of the frames between a worker and its owner.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::outcome::ErrorKind;

/// Payload of `Eval`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EvalStart<'a> {
    #[serde(borrow)]
    pub(crate) code: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) file: Cow<'a, str>,
    pub(crate) timeout_ms: u64,
    pub(crate) strict: bool,
    /// Handle of the session's active target.
    pub(crate) active: Option<Cow<'a, str>>,
    pub(crate) connected: bool,
    /// What the caller was told to drive (`BU_TARGET_ID`, `BU_CDP_PORT`).
    pub(crate) assigned: Assigned,
}

/// The target that a caller's environment assigns to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assigned {
    /// `BU_TARGET_ID`: the target to drive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    /// `BU_CDP_PORT`: the port its browser listens on, on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// Payload of `Done`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EvalEnd<'a> {
    /// How the output text reads as JSON.
    pub(crate) shape: Shape,
    /// The value as JSON, where the output text does not show it (`null`, `[]`, …).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) json: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure<'a>>,
    /// The error as a person reads it, with its stack.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Cow<'a, str>>,
}

/// What the output text of an eval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shape {
    /// There is no value (`undefined`, or an error).
    Nothing,
    /// Bare text: as JSON it is a string.
    Text,
    /// It is JSON already.
    Json,
    /// Longer than allowed and therefore cut.
    Cut,
}

/// Payload of `Failed`, and part of `Done`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Failure<'a> {
    pub(crate) kind: ErrorKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<i64>,
    #[serde(borrow)]
    pub(crate) message: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<&'a RawValue>,
}

/// Payload of `Call`: something only the owner can do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Call {
    /// `session.connect(options)`.
    Connect {
        options: crate::host::ConnectOptions,
    },
    /// `session.close()`.
    Close,
    /// `session.use(targetId)`.
    Use { target_id: String },
    /// `detectBrowsers()`.
    Browsers,
    /// `resolveWsUrl(options)`.
    Resolve {
        options: crate::host::ConnectOptions,
    },
}

/// Head of a `Command` frame's payload; the parameters follow it unparsed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommandHead<'a> {
    #[serde(borrow)]
    pub(crate) method: Cow<'a, str>,
    /// Handle of the target, or nothing for the browser itself.
    pub(crate) target: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(crate) timeout_ms: Option<u64>,
    /// The eval whose code sends it; 0: code of none.
    #[serde(default)]
    pub(crate) eval: u32,
}

/// Payload of `Listen`: everything the worker wants to hear from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listen {
    /// Everything, whatever `methods` says.
    pub(crate) all: bool,
    pub(crate) methods: Vec<String>,
}

/// Payload of `Link`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) connected: bool,
    /// The session is over and will not come back by itself: waiters give up, for this reason.
    pub(crate) lost: Option<String>,
}
