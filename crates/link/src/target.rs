//! What is known about a target.
use std::time::Instant;

use crate::{Str, TargetEnd, TargetId};

/// A target as the browser describes it, and how it does.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetInfo {
    /// Its id.
    pub id: TargetId,
    /// `page`, `iframe`, `worker`, `service_worker`, …
    pub kind: Str,
    /// Address of its document or script.
    pub url: Str,
    /// Title of its document.
    pub title: Str,
    /// The target that opened it.
    pub opener: Option<TargetId>,
    /// The target through which it was attached: the page of a frame or worker.
    pub parent: Option<TargetId>,
    /// The browser context it belongs to.
    pub browser_context: Option<Str>,
    /// Whether the link is attached to it and everything set on it is in force.
    pub attached: bool,
    /// How it does.
    pub condition: Condition,
}

/// How a target does.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Condition {
    /// Nothing wrong is known.
    #[default]
    Fine,
    /// Its renderer died. Reloading or navigating revives it.
    Crashed(TargetEnd),
    /// It does not answer, and the browser does.
    Hung {
        /// Since when, at the latest.
        since: Instant,
    },
    /// A dialog is open.
    Dialog(Dialog),
}

impl Condition {
    /// A stable word for programs and people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Crashed(_) => "crashed",
            Self::Hung { .. } => "hung",
            Self::Dialog(dialog) if dialog.answerable => "dialog-blocked",
            Self::Dialog(_) => "dialog-blocked (unreachable)",
        }
    }

    /// What to do next, in one sentence; empty when nothing is wrong.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Fine => "",
            Self::Crashed(_) => "reload the tab; what was typed into it is lost",
            Self::Hung { .. } => {
                "wait; or end what it runs (Runtime.terminateExecution) and load it again, as `keeptab tab reload` does; or close it"
            }
            Self::Dialog(dialog) if dialog.answerable => "accept or dismiss the dialog",
            Self::Dialog(_) => {
                "Chromium lets no new connection answer this dialog: reload, navigate or close the tab (what was typed into it is lost)"
            }
        }
    }
}

/// A dialog of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    /// `alert`, `confirm`, `prompt` or `beforeunload`.
    pub kind: Str,
    /// Its text.
    pub message: Str,
    /// What a prompt offers as the answer.
    pub default_prompt: Str,
    /// Address of the page.
    pub url: Str,
    /// Whether it can be answered over this connection. `false` when a lost connection left it.
    pub answerable: bool,
}
