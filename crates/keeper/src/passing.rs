//! From the browser to the owner: messages pass by in pieces and are never held
//! whole; only their heads are looked at, and short replies are noted.

use std::time::Instant;

use crate::dialogs::{self, MAX_EVENT};
use crate::keeper::Keeper;
use crate::ledger::{Ledger, MAX_REPLY};
use crate::wire::{HEAD, leading_id};

/// The id of the keeper's own commands. Owners start at 1.
pub(crate) const OWN_ID: i32 = 0;

/// The browser's message that is coming in.
#[derive(Default)]
pub(crate) struct Passing {
    head: [u8; HEAD],
    length: usize,
    kind: Kind,
    /// Whether the present owner gets it: never a message whose start it missed.
    deliver: bool,
}

#[derive(Default)]
enum Kind {
    #[default]
    Unknown,
    Event,
    /// An event about a dialog, with its text while that is short enough to keep.
    Dialog(Option<Vec<u8>>),
    /// A reply that nobody asked for, or whose command is forgotten.
    Stray,
    /// A reply, with its text while that is short enough to keep.
    Reply(i32, Option<Vec<u8>>),
}

impl Passing {
    /// Looks at the next piece; `last` when the message ends with it.
    fn add(&mut self, piece: &[u8], last: bool, ledger: &Ledger) {
        let before = self.length.min(HEAD);
        let head = piece.len().min(HEAD - before);
        self.head[before..before + head].copy_from_slice(&piece[..head]);
        self.length += piece.len();
        if matches!(self.kind, Kind::Unknown) && (last || self.length >= HEAD) {
            self.kind = match leading_id(&self.head[..self.length.min(HEAD)]) {
                Some(id) if id == OWN_ID || ledger.expects(id) => {
                    Kind::Reply(id, Some(self.head[..before].to_vec()))
                }
                Some(_) => Kind::Stray,
                None if dialogs::is_about(&self.head[..self.length.min(HEAD)]) => {
                    Kind::Dialog(Some(self.head[..before].to_vec()))
                }
                None => Kind::Event,
            };
        }
        let (text, limit) = match &mut self.kind {
            Kind::Reply(_, text) => (text, MAX_REPLY),
            Kind::Dialog(text) => (text, MAX_EVENT),
            _ => return,
        };
        if let Some(kept) = text {
            if kept.len() + piece.len() <= limit {
                kept.extend_from_slice(piece);
            } else {
                *text = None;
            }
        }
    }
}

impl Keeper {
    /// Passes on what the browser said.
    pub(crate) fn browser_said(&mut self, chunk: &[u8], now: Instant) {
        let mut deliver_from = 0;
        let mut at = 0;
        while at < chunk.len() {
            if self.passing.length == 0 {
                self.passing.deliver = self.owner.is_some();
            }
            let end = memchr::memchr(0, &chunk[at..]).map(|end| at + end);
            let piece = &chunk[at..end.unwrap_or(chunk.len())];
            self.passing.add(piece, end.is_some(), &self.ledger);
            at = end.map_or(chunk.len(), |end| end + 1);
            if !self.passing.deliver {
                deliver_from = at;
            }
            if end.is_some() {
                self.passed(now);
                if let Some(owner) = self.owner.as_mut().filter(|owner| owner.has_more()) {
                    let whole = &chunk[deliver_from..at];
                    let told = owner.tell(whole).and_then(|()| owner.tell_rest());
                    deliver_from = at;
                    if told.is_err() {
                        self.lose_owner(now);
                    }
                }
            }
        }
        if let Some(owner) = &mut self.owner
            && owner.tell(&chunk[deliver_from..]).is_err()
        {
            self.lose_owner(now);
        }
    }

    /// The browser is gone in the middle of a message: ends it where it stopped,
    /// so that the owner sees something unreadable and then our words.
    pub(crate) fn cut_message(&mut self, now: Instant) {
        let cut = self.is_mid_message();
        self.passing = Passing::default();
        if let Some(owner) = self.owner.as_mut().filter(|_| cut)
            && owner.tell(b"\0").and_then(|()| owner.tell_rest()).is_err()
        {
            self.lose_owner(now);
        }
    }

    /// A message is complete.
    fn passed(&mut self, now: Instant) {
        let passed = std::mem::take(&mut self.passing);
        match passed.kind {
            Kind::Event if !passed.deliver => self.dropped += 1,
            Kind::Dialog(event) => {
                self.dropped += u64::from(!passed.deliver);
                self.dialogs.heard(&event.unwrap_or_default());
            }
            Kind::Reply(OWN_ID, text) => self.on_own_reply(&text.unwrap_or_default(), now),
            Kind::Reply(id, text) => {
                let (length, told) = (passed.length, passed.deliver);
                self.ledger.replied(id, length, text.as_deref(), told);
            }
            Kind::Event | Kind::Stray | Kind::Unknown => {}
        }
    }

    /// The owner is gone with `unsent` still in our hands: counts the events in
    /// it, and lets the message that is coming in go nowhere. A first message
    /// whose head was already sent counts as an event.
    pub(crate) fn abandon(&mut self, unsent: &[u8]) {
        self.passing.deliver = false;
        let mut rest = unsent;
        while let Some(end) = memchr::memchr(0, rest) {
            if leading_id(&rest[..end]).is_none() {
                self.dropped += 1;
            }
            rest = &rest[end + 1..];
        }
    }

    /// Whether a message to the owner is under way and not finished.
    pub(crate) fn is_mid_message(&self) -> bool {
        self.passing.length > 0 && self.passing.deliver
    }
}
