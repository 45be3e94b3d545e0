//! The record of an interval in which something may have been missed.
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::{Cause, Epoch, Str, TargetId, TargetInfo, Token};

/// One loss, and what it cost.
///
/// There is one record per loss that was overcome; a second loss before the link was usable again
/// belongs to the same record. A link that gives up makes a record without `to`; should it be
/// reconnected later, a second record with the same `from` replaces that one.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// The last connection that was in order.
    pub from: Epoch,
    /// The connection that is in order again; `None` when the link gave up.
    pub to: Option<Epoch>,
    /// The earliest moment of the loss: the last byte that came.
    pub lost_earliest: Instant,
    /// The latest moment of the loss: when it was noticed.
    pub lost_latest: Instant,
    /// When this record was made, which is when the link was usable again, or gave up.
    pub ended: Instant,
    /// Losses in this gap; more than 1 when the connection failed again during the restore.
    pub losses: u32,
    /// Why it was lost, first.
    pub cause: Cause,
    /// Whether it is the same browser, and how we know.
    pub identity: Identity,
    /// The old socket may live on at the browser's side for up to 45 s (450 s behind a dead path):
    /// until then its settings are in force too, init scripts run twice, and requests that it
    /// paused stay paused.
    pub zombie: bool,
    /// What every stream of events missed. Streams that nobody had enabled are not listed.
    pub streams: Vec<StreamGap>,
    /// Commands that had left us and whose outcome cannot be known.
    pub unknown: Vec<UnknownOutcome>,
    /// Commands that were sent again because repeating them is harmless.
    pub repeated: u32,
    /// Targets that are not there any more.
    pub gone: Vec<TargetInfo>,
    /// Targets that appeared meanwhile.
    pub new: Vec<TargetInfo>,
    /// Documents that were born while our init scripts were not in force.
    pub without_init_scripts: Vec<BornDocument>,
    /// What was set and could not be set again, or did not read back as it was set.
    pub not_restored: Vec<NotRestored>,
    /// Targets that had not answered when this record was made. Their commands wait.
    pub unanswered: Vec<TargetId>,
    /// The connection itself was not lost, only its owner: ids stay valid, everything that was set
    /// stayed in force, and `to` equals `from`. Only events and answers may be missing.
    pub handover: Option<Handover>,
}

/// What is known of the time in which a connection had no owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handover {
    /// Events that came while nobody was there to take them. What had reached the former owner and
    /// was not read by it is not among them.
    pub dropped: u64,
    /// Commands of the former owner that have left, and whose answer nobody has had.
    pub in_flight: usize,
}

impl Gap {
    /// How long nothing could be seen, at most.
    pub fn duration(&self) -> Duration {
        self.ended.saturating_duration_since(self.lost_earliest)
    }

    /// Whether it is the same browser as before. `false` only when that is known.
    pub fn same_browser(&self) -> bool {
        self.identity != Identity::Replaced
    }

    /// Whether nobody lost anything: no event, no outcome, no target, no setting.
    pub fn nothing_missed(&self) -> bool {
        self.to.is_some()
            && self.same_browser()
            && self
                .streams
                .iter()
                .all(|stream| stream.verdict == Verdict::Complete)
            && self.unknown.is_empty()
            && self.gone.is_empty()
            && self.without_init_scripts.is_empty()
            && self.not_restored.is_empty()
            && self.unanswered.is_empty()
            && self
                .handover
                .is_none_or(|handover| handover == Handover::default())
    }
}

impl Gap {
    /// What it cost, in a few words: `nothing missed`, or what was lost or may be.
    pub fn summary(&self) -> String {
        if self.nothing_missed() {
            return "nothing missed".into();
        }
        let mut cost = Vec::new();
        let mut count = |number: u64, one: &str, many: &str| {
            if number > 0 {
                cost.push(format!("{number} {}", if number == 1 { one } else { many }));
            }
        };
        count(
            self.unknown.len() as u64,
            "outcome unknown",
            "outcomes unknown",
        );
        count(self.gone.len() as u64, "tab gone", "tabs gone");
        count(
            self.not_restored.len() as u64,
            "setting not restored",
            "settings not restored",
        );
        count(
            self.unanswered.len() as u64,
            "tab has not answered",
            "tabs have not answered",
        );
        let born = self.without_init_scripts.len() as u64;
        count(
            born,
            "document without init scripts",
            "documents without init scripts",
        );
        if let Some(Handover { dropped, in_flight }) = self.handover {
            count(dropped, "event dropped", "events dropped");
            count(
                in_flight as u64,
                "command without an answer",
                "commands without an answer",
            );
        }
        if !self.same_browser() {
            cost.push("another browser".into());
        }
        if let Some(streams) = self.named(Verdict::Partial) {
            cost.push(format!("{streams} as far as the browser kept them"));
        }
        if let Some(streams) = self.named(Verdict::Unknown) {
            cost.push(format!("{streams} may be missing"));
        }
        if cost.is_empty() {
            // Only a record that the link gave up on has nothing to name.
            cost.push("see the gap record".into());
        }
        cost.join(", ")
    }

    /// The streams with this verdict, each once.
    fn named(&self, verdict: Verdict) -> Option<String> {
        let of_verdict = self
            .streams
            .iter()
            .filter(|stream| stream.verdict == verdict);
        let names: BTreeSet<Stream> = of_verdict.map(|stream| stream.stream).collect();
        let names: Vec<&str> = names.into_iter().map(Stream::events).collect();
        match names.as_slice() {
            [] => None,
            [one] => Some((*one).to_owned()),
            [some @ .., last] => Some(format!("{} and {last}", some.join(", "))),
        }
    }
}

/// Whether the browser after the loss is the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// A target known before is still there. Target ids are random, so this is proof.
    KnownTarget,
    /// No known target is there, but the address carries the same identity.
    SameEndpoint,
    /// Nothing to compare.
    Unproven,
    /// Another browser.
    Replaced,
    /// No browser was reached.
    Unreached,
}

/// What one stream missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamGap {
    /// Which stream.
    pub stream: Stream,
    /// Of which target; `None` for the browser's own.
    pub target: Option<TargetId>,
    /// How much of it.
    pub verdict: Verdict,
}

/// A kind of event that a reader can look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stream {
    /// Console messages and exceptions (`Runtime`, `Log`).
    Console,
    /// Requests and responses.
    Network,
    /// Requests paused for a decision (`Fetch`).
    Interception,
    /// Navigation, lifecycle, dialogs, frames.
    Page,
    /// Targets that came and went.
    Targets,
    /// Downloads.
    Downloads,
    /// Screencast frames.
    Screencast,
    /// Everything else that was enabled.
    Other,
}

impl Stream {
    /// What it is made of, in words.
    fn events(self) -> &'static str {
        match self {
            Self::Console => "console messages",
            Self::Network => "requests",
            Self::Interception => "paused requests",
            Self::Page => "page events",
            Self::Targets => "target events",
            Self::Downloads => "downloads",
            Self::Screencast => "frames",
            Self::Other => "other events",
        }
    }
}

/// How much of a stream is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All of it.
    Complete,
    /// The browser tells part of it again: what it still has.
    Partial,
    /// What happened in the gap cannot be learnt any more.
    Unknown,
}

/// A command whose outcome cannot be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownOutcome {
    /// The command; `None` when its caller had gone away already.
    pub token: Option<Token>,
    /// Its method.
    pub method: Str,
    /// Its target.
    pub target: Option<TargetId>,
}

impl UnknownOutcome {
    pub(crate) fn of(cmd: &crate::table::Cmd) -> Self {
        Self {
            token: cmd.owner,
            method: cmd.method.clone(),
            target: cmd.target.clone(),
        }
    }
}

/// A document that began without our init scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BornDocument {
    /// Its target.
    pub target: TargetId,
    /// Its frame.
    pub frame: Str,
    /// Its address.
    pub url: Str,
}

/// Something that was set and is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRestored {
    /// On which target; `None` for the browser.
    pub target: Option<TargetId>,
    /// The call that had set it.
    pub method: Str,
    /// Why it is not in force.
    pub reason: String,
}
