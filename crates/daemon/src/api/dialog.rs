//! The bodies of the doors for JavaScript dialogs.

use serde::{Deserialize, Serialize};

use super::TabLine;

/// `GET /v1/sessions/{name}/dialog`: the dialog that is open in the active tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenDialog {
    /// The session.
    pub session: String,
    /// The tab that it blocks.
    pub tab: TabLine,
    /// `alert`, `confirm`, `prompt` or `beforeunload`.
    pub kind: String,
    /// Its text; text of the page.
    pub message: String,
    /// What a prompt offers as the answer.
    #[serde(default)]
    pub default_prompt: String,
    /// Whether it can be answered. A dialog that a lost connection left open often cannot.
    pub answerable: bool,
}

/// `POST /v1/sessions/{name}/dialog`: an answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DialogAnswer {
    /// OK, or Cancel.
    pub accept: bool,
    /// What to type into a prompt; its own proposal without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The deadline in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// A dialog was answered and is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialogAnswered {
    /// The session.
    pub session: String,
    /// Whether it was accepted.
    pub accepted: bool,
    /// The dialog as it was.
    pub dialog: OpenDialog,
    /// The session whose connection could still answer it, when that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
