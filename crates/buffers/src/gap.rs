//! The entry that says: here something may be missing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::redact;
use crate::text::keep;
use crate::wall::Wall;

/// An interval in which events may be missing from a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The last moment something was received.
    pub from: Wall,
    /// When the loss was noticed.
    pub noticed: Wall,
    /// When events came again; none while it lasts.
    pub to: Option<Wall>,
    /// The connection before.
    pub epoch_from: u32,
    /// The connection after.
    pub epoch_to: Option<u32>,
    /// Why.
    pub cause: String,
    /// Whether it is the same browser as before.
    pub same_browser: Option<bool>,
    /// What this stream has of the interval.
    pub verdict: Verdict,
    /// How many events are missing, where that is known.
    pub missed: Option<u64>,
    /// Commands whose outcome is not known.
    pub unknown_outcomes: u32,
    /// The methods of some of them.
    #[serde(default)]
    pub unknown_methods: Vec<String>,
    /// Addresses of some of the documents that were born in it without the
    /// init scripts that were to run in them.
    #[serde(default)]
    pub without_init_scripts: Vec<String>,
    /// Targets that were there before and not after.
    pub gone: Vec<String>,
    /// Targets that were there after and not before.
    pub new: Vec<String>,
}

/// What a stream has of a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The gap is not over.
    Open,
    /// All of it: so many entries came back from the browser's own store.
    Complete {
        /// How many.
        recovered: u64,
    },
    /// Some of it.
    Partial {
        /// How many entries came back.
        recovered: u64,
        /// What may be missing.
        why: String,
    },
    /// Nobody can tell.
    Unknown {
        /// Why not.
        why: String,
    },
}

/// The connection was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The last moment something was received.
    pub from: Wall,
    /// When the loss was noticed.
    pub noticed: Wall,
    /// The connection that was lost.
    pub epoch: u32,
    /// Why, for people.
    pub cause: String,
}

/// One tab could not be listened to for a while, although there was a
/// connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unheard {
    /// From when on.
    pub from: Wall,
    /// Until when.
    pub until: Wall,
    /// The connection.
    pub epoch: u32,
    /// Why, for people.
    pub cause: String,
    /// The address that it is about; secrets in it are not kept. Empty for none.
    pub url: String,
    /// What may be missing, for people.
    pub why: String,
}

/// The connection is back, and everything the browser replays was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// When events came again.
    pub at: Wall,
    /// The last moment something was received, where that is known better now
    /// than when the loss was noticed.
    pub from: Option<Wall>,
    /// The new connection.
    pub epoch: u32,
    /// Whether it is the same browser.
    pub same_browser: bool,
    /// The targets there are now.
    pub targets: Vec<TargetAfter>,
    /// The methods of the commands whose outcome is not known.
    pub unknown: Vec<String>,
    /// The addresses of documents without the init scripts that were set.
    pub without_init_scripts: Vec<String>,
}

/// A target as it was found after a loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetAfter {
    /// Its id.
    pub target: String,
    /// The `loaderId` of its main frame now, if it was asked for. A document
    /// that came and went within the gap took its messages along.
    pub loader_id: Option<String>,
    /// Whether `Runtime.enable` was sent again, so that messages were replayed.
    pub replayed: bool,
}

const MAX_NAMED: usize = 32;

/// The cause of a gap of our own making.
const OVERFLOW: &str = "events came too fast";
const MAX_CAUSE: usize = 400;

impl Gap {
    pub(crate) fn opened(loss: &Loss) -> Self {
        Gap {
            from: loss.from,
            noticed: loss.noticed,
            to: None,
            epoch_from: loss.epoch,
            epoch_to: None,
            cause: keep(&loss.cause, MAX_CAUSE),
            same_browser: None,
            verdict: Verdict::Open,
            missed: None,
            unknown_outcomes: 0,
            unknown_methods: Vec::new(),
            without_init_scripts: Vec::new(),
            gone: Vec::new(),
            new: Vec::new(),
        }
    }

    /// Another loss before this one was over: still one gap.
    pub(crate) fn again(&mut self, loss: &Loss) {
        if self.cause.len() < MAX_CAUSE && !self.cause.ends_with(&loss.cause) {
            self.cause = keep(&format!("{}; then {}", self.cause, loss.cause), MAX_CAUSE);
        }
    }

    /// A moment in which events were thrown away on our side.
    pub(crate) fn overflow(at: Wall, epoch: u32, missed: u64) -> Self {
        let loss = Loss {
            from: at,
            noticed: at,
            epoch,
            cause: OVERFLOW.into(),
        };
        Gap {
            to: Some(at),
            epoch_to: Some(epoch),
            same_browser: Some(true),
            verdict: Verdict::Unknown {
                why: format!("{missed} events were dropped unread"),
            },
            missed: Some(missed),
            ..Gap::opened(&loss)
        }
    }

    /// One tab could not be listened to.
    pub(crate) fn unheard(unheard: &Unheard) -> Self {
        let from = unheard.from.min(unheard.until);
        let cause = format!("{} {}", unheard.cause, redact::url(&unheard.url));
        let loss = Loss {
            from,
            noticed: from,
            epoch: unheard.epoch,
            cause: cause.trim_end().to_owned(),
        };
        Gap {
            to: Some(unheard.until),
            epoch_to: Some(unheard.epoch),
            same_browser: Some(true),
            verdict: Verdict::Unknown {
                why: keep(&unheard.why, MAX_CAUSE),
            },
            ..Gap::opened(&loss)
        }
    }

    /// More of the same, with nothing in between that got through: still one gap. Returns whether it is.
    pub(crate) fn overflow_again(&mut self, at: Wall, epoch: u32, missed: u64) -> bool {
        let (Some(before), Some(_)) = (self.missed, self.to) else {
            return false;
        };
        if self.cause != OVERFLOW || self.epoch_to != Some(epoch) {
            return false;
        }
        // Never backwards: the clock may have been set.
        let until = at.max(self.from);
        *self = Gap {
            from: self.from,
            noticed: self.noticed,
            to: Some(until),
            ..Gap::overflow(at, epoch, before.saturating_add(missed))
        };
        true
    }

    /// An entry that was stored and cannot be read back.
    pub(crate) fn unreadable(at: Wall, why: &str) -> Self {
        let cause = format!("an entry could not be read back: {why}");
        Gap {
            to: Some(at),
            verdict: Verdict::Unknown {
                why: "it is damaged or of a newer keeptab".into(),
            },
            missed: Some(1),
            ..Gap::opened(&Loss {
                from: at,
                noticed: at,
                epoch: 0,
                cause,
            })
        }
    }

    pub(crate) fn close(
        &mut self,
        restored: &Restored,
        verdict: Verdict,
        before: &BTreeSet<String>,
    ) {
        let after = |id: &&String| restored.targets.iter().any(|t| &&t.target == id);
        self.to = Some(restored.at);
        // Never later than the loss was noticed: the clock may have been set.
        if let Some(from) = restored.from.filter(|from| *from <= self.noticed) {
            self.from = from;
        }
        self.epoch_to = Some(restored.epoch);
        self.same_browser = Some(restored.same_browser);
        self.unknown_outcomes = u32::try_from(restored.unknown.len()).unwrap_or(u32::MAX);
        self.unknown_methods = restored
            .unknown
            .iter()
            .take(MAX_NAMED)
            .map(|method| keep(method, 100))
            .collect();
        let plain = restored.without_init_scripts.iter().take(MAX_NAMED);
        self.without_init_scripts = plain.map(|url| keep(url, 200)).collect();
        self.verdict = verdict;
        self.gone = before
            .iter()
            .filter(|id| !after(id))
            .take(MAX_NAMED)
            .cloned()
            .collect();
        self.new = restored
            .targets
            .iter()
            .map(|t| &t.target)
            .filter(|id| !before.contains(*id))
            .take(MAX_NAMED)
            .cloned()
            .collect();
    }

    pub(crate) fn weight(&self) -> usize {
        let names: usize = self
            .gone
            .iter()
            .chain(&self.new)
            .chain(&self.unknown_methods)
            .chain(&self.without_init_scripts)
            .map(|id| id.len() + 24)
            .sum();
        self.cause.len() + names + 128
    }
}
