//! A tab of the model: its document, its console store, and what can go wrong with it.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::browser::ConnectionId;

/// How many console messages Chromium keeps for a page that nobody listens to.
pub(super) const CONSOLE_STORE: usize = 1000;

/// What kind of JavaScript dialog is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialogKind {
    /// `alert()`.
    Alert,
    /// `confirm()`.
    Confirm,
}

impl DialogKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Confirm => "confirm",
        }
    }
}

/// An open JavaScript dialog.
#[derive(Debug, Clone)]
pub struct ModelDialog {
    /// Which function opened it.
    pub kind: DialogKind,
    /// Its text.
    pub message: String,
    /// The connections that were told of it: only they can answer it.
    pub(super) told: Vec<ConnectionId>,
}

/// A message in the page's console store.
#[derive(Debug, Clone)]
pub(super) struct ConsoleEntry {
    pub(super) text: String,
    /// Milliseconds since the epoch, as `Runtime.Timestamp` has it.
    pub(super) timestamp: f64,
}

/// A command that waits for something: a dialog to be answered.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) connection: ConnectionId,
    pub(super) session: String,
    pub(super) id: i64,
    /// The result to give when the wait is over.
    pub(super) result: Value,
}

/// A document: what dies with a navigation.
#[derive(Debug, Clone, Default)]
pub(super) struct Document {
    /// The part of the loader id that changes with every document.
    pub(super) loader: u64,
    /// `globalThis` as far as the model's little language reaches.
    pub(super) globals: BTreeMap<String, Value>,
    /// Bindings that were put into this document.
    pub(super) bindings: Vec<String>,
}

/// What is in force on a page: the last one to set something wins.
#[derive(Debug, Clone, Default)]
pub(super) struct InForce {
    pub(super) user_agent: Option<String>,
    pub(super) timezone: Option<String>,
    pub(super) viewport: Option<(i64, i64)>,
}

/// One page.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) url: String,
    pub(super) opener: Option<String>,
    pub(super) in_force: InForce,
    pub(super) document: Document,
    pub(super) console: VecDeque<ConsoleEntry>,
    pub(super) dialog: Option<ModelDialog>,
    pub(super) crashed: bool,
    pub(super) hung: bool,
    pub(super) waiting: Vec<Waiting>,
}

impl Target {
    pub(super) fn new(url: &str, opener: Option<String>) -> Self {
        Self {
            url: url.to_owned(),
            opener,
            in_force: InForce::default(),
            document: Document::default(),
            console: VecDeque::new(),
            dialog: None,
            crashed: false,
            hung: false,
            waiting: Vec::new(),
        }
    }

    /// Whether the renderer answers nobody now.
    pub(super) fn silent(&self) -> bool {
        self.crashed || self.hung || self.dialog.is_some()
    }

    /// Replaces the document, as a navigation or a reload does.
    pub(super) fn load(&mut self, url: &str) {
        self.url = url.to_owned();
        self.document = Document {
            loader: self.document.loader + 1,
            ..Document::default()
        };
        self.console.clear();
        self.dialog = None;
        self.crashed = false;
        self.hung = false;
    }

    pub(super) fn log(&mut self, entry: ConsoleEntry) {
        if self.console.len() == CONSOLE_STORE {
            self.console.pop_front();
        }
        self.console.push_back(entry);
    }
}
