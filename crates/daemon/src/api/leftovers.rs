//! What daemons that were killed have left behind: browsers above all.

use serde::{Deserialize, Serialize};

use super::SessionStatus;

/// What kind of thing was left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeftoverKind {
    /// A browser that runs with its keeper; it can be adopted.
    Browser,
    /// A keeper that runs although its state file is gone; nobody can know its browser.
    Nameless,
    /// What a dead keeper left: its files, and its browser if that still runs.
    DeadKeeper,
    /// The state file of a keeper that this build cannot read.
    Unreadable,
    /// A socket at which nobody listens.
    Socket,
    /// A log of a keeper that is gone.
    File,
    /// A temporary profile of a browser that is gone.
    Profile,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fate {
    /// Nothing yet; it is only listed.
    Found,
    /// It ran, and has ended.
    Ended,
    /// Its files are removed.
    Removed,
    /// Nothing, on purpose.
    LeftAlone,
    /// It is still there although it should not be.
    Failed,
}

/// One thing that was left behind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Leftover {
    /// What it is.
    pub kind: LeftoverKind,
    /// The session that left it, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The same for people, in one line.
    pub what: String,
    /// The file by which it is known.
    pub path: String,
    /// The keeper's process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeper_pid: Option<u32>,
    /// The browser's process, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser_pid: Option<u32>,
    /// What became of it.
    pub fate: Fate,
    /// Why it was left alone, or is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// `POST /v1/sweep`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepRequest {
    /// List only.
    #[serde(default)]
    pub dry_run: bool,
}

/// Everything that was left behind, and what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Swept {
    /// In the order in which it was looked at.
    pub leftovers: Vec<Leftover>,
}

/// `POST /v1/sessions/{name}/adopt`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptRequest {
    /// The session that left the browser; without it that of the same name, or else the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_by: Option<String>,
    /// The deadline in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// A session has a browser that was left behind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Adopted {
    /// The session that left it.
    pub left_by: String,
    /// How the session that has it now does.
    pub status: SessionStatus,
}
