//! What travels between the daemon and its clients: the bodies of `/v1`.
//!
//! Unknown fields of a request are refused, so that a misspelt option is never silently without
//! effect; unknown fields of an answer are ignored, so that a newer daemon can say more.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::ApiError;

mod dialog;
mod leftovers;
mod observe;
mod policies;

pub use dialog::{DialogAnswer, DialogAnswered, OpenDialog};
pub use leftovers::{AdoptRequest, Adopted, Fate, Leftover, LeftoverKind, SweepRequest, Swept};
pub use observe::{
    ClearRequest, Cleared, Entries, EntriesQuery, EntryDetail, EntryQuery, EventsQuery, LastGap,
    Recording, UnknownOutcome, UnknownRecording,
};
pub use policies::{OnBrowserDeath, OnCrash, Policies, PolicyChoice};

/// The one envelope of every answer.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    /// Whether it happened.
    pub ok: bool,
    /// The result, when it did.
    #[serde(borrow, default)]
    pub data: Option<&'a RawValue>,
    /// What went wrong, when it did not.
    #[serde(default)]
    pub error: Option<ApiError>,
}

/// A successful answer on its way out.
#[derive(Debug, Serialize)]
pub struct Success<T> {
    ok: bool,
    data: T,
}

impl<T> Success<T> {
    /// Wraps a result.
    pub fn new(data: T) -> Self {
        Success { ok: true, data }
    }
}

/// A failed answer on its way out.
#[derive(Debug, Serialize)]
pub struct Failure<'a> {
    ok: bool,
    error: &'a ApiError,
}

impl<'a> Failure<'a> {
    /// Wraps an error.
    #[must_use]
    pub fn new(error: &'a ApiError) -> Self {
        Failure { ok: false, error }
    }
}

/// `GET /v1/health`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Health {
    /// The daemon's version.
    pub version: String,
    /// Its version, source hash and file time in one line.
    pub build: String,
    /// Its process.
    pub pid: u32,
    /// How long it has been running, in seconds.
    pub uptime_s: u64,
    /// How many sessions it holds.
    pub sessions: usize,
    /// What is not as it should be although the daemon works.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The sessions that left browsers behind which run and which no session has.
    #[serde(default)]
    pub left_behind: Vec<String>,
}

/// `POST /v1/daemon/stop`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopRequest {
    /// Stop only if the daemon is this build; a newer one that came meanwhile goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Also end the browsers that no later daemon could take over.
    #[serde(default)]
    pub discard: bool,
}

/// The daemon ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stopped {
    /// The process that ends.
    pub pid: u32,
    /// The sessions that the next daemon takes over.
    pub kept: Vec<String>,
    /// The sessions that end with it.
    pub ended: Vec<String>,
}

/// `POST /v1/sessions/{name}/open`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenRequest {
    /// Where to go; a blank tab without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Show the browser's window, when a browser is launched.
    #[serde(default)]
    pub headful: bool,
    /// The browser program to launch instead of the one that is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// What to record, when the session is made for this; all of it without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Recording>,
    /// What the session does by itself from now on; what is not named stays.
    #[serde(default)]
    pub policies: PolicyChoice,
    /// The deadline in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// A tab was opened and is active now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Opened {
    /// The session.
    pub session: String,
    /// Whether the session, and a browser for it, was made for this.
    pub created: bool,
    /// The new tab.
    pub tab: TabLine,
    /// What the caller should know besides, one line each.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// `POST /v1/sessions/{name}/attach`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttachRequest {
    /// A WebSocket URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ws: Option<String>,
    /// A debugging port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The host of the port; this machine without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// A profile directory of a running browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The name of a running browser, or a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// The tab to make active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What to record; all of it without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Recording>,
    /// What the session does by itself.
    #[serde(default)]
    pub policies: PolicyChoice,
    /// The deadline in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// `POST /v1/sessions/{name}/close`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseRequest {
    /// Also throw away the profile of a browser that we launched.
    #[serde(default)]
    pub discard: bool,
}

/// `POST /v1/sessions/{name}/reconnect`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconnectRequest {
    /// The deadline in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// A session is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Closed {
    /// Its name.
    pub session: String,
    /// What became of the browser, for people.
    pub browser: String,
}

/// One tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TabLine {
    /// The target id.
    pub id: String,
    /// Its address.
    pub url: String,
    /// Its title; text of the page.
    pub title: String,
    /// Whether commands without a tab go to this one.
    pub active: bool,
    /// `ok`, or what is wrong with it.
    pub state: String,
}

/// `GET /v1/sessions/{name}/tabs`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tabs {
    /// The session.
    pub session: String,
    /// Its tabs, those of other sessions left out.
    pub tabs: Vec<TabLine>,
    /// How many tabs of the same browser belong to other sessions.
    #[serde(default)]
    pub elsewhere: usize,
}

/// `POST /v1/sessions/{name}/tabs/{switch,close}` and `…/tabs` (new).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TabRequest {
    /// A target id or its beginning, or a part of the address or title; for a new tab, the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The deadline in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// What a session is and how it does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionStatus {
    /// Its name.
    pub session: String,
    /// `connected`, `connecting` (also while it is taken over from the daemon before), `reconnecting`,
    /// `unresponsive` (the browser is silent), `waiting_for_human`, `closed`, `no_browser`; or, when nothing goes on by itself, the code of the error: `disconnected`,
    /// `browser_gone`, `browser_replaced`, `keeper_died`, `session_refused`, `session_expired`, `session_ended`.
    pub state: String,
    /// The state in one line for people.
    pub detail: String,
    /// Whether commands can be sent now.
    pub healthy: bool,
    /// Product and version of the browser, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// How it is reached, without secrets.
    pub endpoint: String,
    /// Whether the browser was launched by us, and so ends with the session.
    pub launched: bool,
    /// The number of physical connections so far.
    pub epoch: u32,
    /// What keeps a second driver out: `keeper` or `none`.
    pub fence: String,
    /// The tab that commands go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<TabLine>,
    /// How many tabs it has.
    pub tabs: usize,
    /// What is recorded of its tabs.
    #[serde(default)]
    pub record: Recording,
    /// How many gaps the link has had: losses that were overcome, or not.
    #[serde(default)]
    pub gaps: u64,
    /// The newest of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_gap: Option<LastGap>,
    /// Events that readers inside the daemon lost by being slow.
    #[serde(default)]
    pub dropped: u64,
    /// What it does by itself when something is lost.
    #[serde(default)]
    pub policies: Policies,
    /// What it has done by itself, with when, the newest last; at most eight.
    #[serde(default)]
    pub done: Vec<String>,
    /// Age of the last byte from the browser, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_byte_ms: Option<u64>,
    /// Median round trip to the browser itself, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_p50_ms: Option<f64>,
    /// 99th percentile of the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_p99_ms: Option<f64>,
    /// Attempts to connect again in the present outage.
    #[serde(default)]
    pub attempts: u32,
    /// Milliseconds until the next attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_ms: Option<u64>,
    /// Commands that were sent and are not answered.
    #[serde(default)]
    pub in_flight: usize,
    /// Commands that wait for the connection or for a tab.
    #[serde(default)]
    pub waiting: usize,
    /// Connections lost since the daemon holds the session.
    #[serde(default)]
    pub losses: u64,
    /// What to type next, when it is not healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// How long it exists, in seconds.
    pub age_s: u64,
    /// The sessions that left browsers behind which no session has; only in the status of one session.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_behind: Vec<String>,
}

/// `GET /v1/sessions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sessions {
    /// All of them, by name.
    pub sessions: Vec<SessionStatus>,
}

/// A running browser that allows remote debugging.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BrowserLine {
    /// Its name.
    pub name: String,
    /// Its profile directory.
    pub profile_dir: String,
    /// Its debugging port.
    pub port: u16,
    /// The address that a WebSocket client connects to.
    pub ws_url: String,
}

/// `GET /v1/browsers`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Browsers {
    /// The one started last comes first.
    pub browsers: Vec<BrowserLine>,
}

/// `POST /v1/sessions/{name}/js`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsRequest {
    /// The snippet.
    pub code: String,
    /// What error messages call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Exceptions of the page and failed navigations are errors.
    #[serde(default)]
    pub strict: bool,
    /// The deadline in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// The caller's `BU_TARGET_ID`, for `connectToAssignedTarget()`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    /// The caller's `BU_CDP_PORT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cdp_port: Option<u16>,
    /// Methods (`Domain.method`, `Domain.*`) that reach outside the page and are allowed to this snippet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
}

/// A snippet ran to its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JsResult {
    /// What goes to standard output, to the byte.
    pub stdout: String,
    /// Its console, warnings, and what was cut.
    #[serde(default)]
    pub stderr: String,
    /// `stdout` is only the beginning of the result.
    #[serde(default)]
    pub cut: bool,
    /// The result as JSON, when it can be written as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Box<RawValue>>,
}
