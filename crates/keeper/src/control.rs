//! From the owner to the browser: who the owner is, its commands, and its words to the keeper.

use std::io::Write as _;
use std::time::Instant;

use crate::door::{Guest, Hello, Word};
use crate::ending::Phase;
use crate::keeper::{Keeper, MAX_UP};
use crate::ledger::{Fate, Name};
use crate::owner::{Owner, Said};
use crate::passing::OWN_ID;
use crate::wire::{Flat, MAX_CONTROL, VERSION, is_control, leading_id, name, quoted};

impl Guest {
    /// Says why not, and hangs up. Waits for nothing.
    pub(crate) fn refuse(&mut self, why: &str) {
        self.refuse_with(why, "");
    }

    fn refuse_with(&mut self, why: &str, more: &str) {
        let line = format!("{{\"keeper\":\"refused\",\"why\":\"{why}\"{more}}}\0");
        let _ = rustix::io::write(&self.stream, line.as_bytes());
    }
}

impl Keeper {
    /// A guest spoke: it becomes the owner, waits, or has to leave.
    pub(crate) fn greet(&mut self, mut guest: Guest, now: Instant) {
        match guest.listen() {
            Word::Waiting => self.keep_waiting(guest),
            Word::Left => {}
            Word::Refuse(why) => guest.refuse(why),
            Word::Hello(hello) => {
                let why = match self.epoch {
                    Some(epoch) if hello.epoch < epoch => "older_epoch",
                    Some(epoch) if hello.epoch == epoch && self.owner.is_some() => "epoch_taken",
                    _ => return self.accept(guest, hello, now),
                };
                let held = self
                    .owner
                    .as_ref()
                    .map_or("null".into(), |o| quoted(&o.client));
                let epoch = self.epoch.unwrap_or(0);
                guest.refuse_with(why, &format!(",\"epoch\":{epoch},\"owner\":{held}"));
            }
        }
    }

    fn accept(&mut self, guest: Guest, hello: Hello, now: Instant) {
        if self.owner.is_some() {
            self.supersede(hello.epoch, now);
        }
        self.epoch = Some(hello.epoch);
        self.alone_since = None;
        let exited = match &self.phase {
            Phase::Gone { status, .. } => quoted(status),
            _ => "null".to_owned(),
        };
        let reply = format!(
            "{{\"keeper\":{VERSION},\"epoch\":{},\"pid\":{},\"browserPid\":{},\"connection\":\"{}-{}\",\
             \"version\":{},\"browserExited\":{exited},\"dropped\":{},\"nextId\":{},\"inFlight\":{},\"dialogs\":{}}}\0",
            hello.epoch,
            self.state.pid,
            self.state.browser_pid,
            self.state.pid,
            self.state.started,
            quoted(&self.state.version),
            self.dropped,
            self.ledger.next_id(),
            self.ledger.to_json(),
            self.dialogs.to_json(),
        );
        let mut owner = Owner::new(guest.stream, hello);
        if owner.tell(reply.as_bytes()).is_ok() {
            self.dropped = 0;
            self.ledger.listed();
            self.owner = Some(owner);
            self.heed_owner(now);
        } else {
            self.alone_since = Some(now);
        }
    }

    /// Closes the present owner's connection in favour of one with epoch `by`.
    fn supersede(&mut self, by: u64, now: Instant) {
        let cut = if self.is_mid_message() { "\0" } else { "" };
        if let Some(owner) = &mut self.owner {
            // One attempt: a new owner does not wait for an old one to read.
            let _ =
                owner.tell(format!("{cut}{{\"keeper\":\"superseded\",\"by\":{by}}}\0").as_bytes());
        }
        self.lose_owner(now);
    }

    /// The owner's connection is over.
    pub(crate) fn lose_owner(&mut self, now: Instant) {
        let Some(owner) = self.owner.take() else {
            return;
        };
        self.abandon(owner.out.as_slice());
        if let Some(id) = owner.long
            && !self.refusing_long
        {
            // Half a command is in the pipe: spoil it, so that it cannot run.
            self.send_up(b"\x01\0");
            self.ledger.unsent(id);
        }
        self.refusing_long = false;
        self.alone_since = Some(now);
    }

    /// Handles what the owner said, as far as there is room for its effects.
    pub(crate) fn heed_owner(&mut self, now: Instant) {
        while self.up.len() <= MAX_UP
            && let Some(owner) = self.owner.as_mut().filter(|owner| owner.may_speak())
        {
            match owner.next() {
                Said::Nothing => return,
                Said::Whole(message) if message.is_empty() => {}
                Said::Whole(message) if is_control(&message) => self.control(&message, now),
                Said::Whole(mut message) => {
                    let name = name(&message, true);
                    if self.intend(leading_id(&message), name, now) {
                        message.push(0);
                        self.send_up(&message);
                    }
                }
                Said::Long(id, piece) => {
                    self.refusing_long = !self.intend(Some(id), name(&piece, false), now);
                    if !self.refusing_long {
                        self.send_up(&piece);
                    }
                }
                Said::Piece(piece, last) => {
                    if !self.refusing_long {
                        self.send_up(&piece);
                    }
                    self.refusing_long &= !last;
                }
                Said::Unfit => {
                    self.tell(r#"{"keeper":"refused","id":null,"why":"no_id"}"#, now);
                    self.lose_owner(now);
                }
            }
        }
    }

    pub(crate) fn send_up(&mut self, bytes: &[u8]) {
        if self.up.send(&self.browser.input, bytes).is_err() {
            self.up.clear();
        }
    }

    /// Notes a command before it leaves. False when it must not: the owner is
    /// told why, and may be sure that the browser never saw it.
    fn intend(&mut self, id: Option<i32>, name: Option<Name>, now: Instant) -> bool {
        let Some(owner) = &self.owner else {
            return false;
        };
        let why = match (&self.phase, id) {
            (Phase::Gone { .. }, _) => "browser_exited",
            (Phase::Starting { .. } | Phase::Ending { .. }, _) => "ending",
            (Phase::Serving, None | Some(OWN_ID)) => "no_id",
            (Phase::Serving, Some(id)) if self.ledger.sent(id, owner.epoch, name) => {
                return true;
            }
            (Phase::Serving, Some(_)) => "id_taken",
        };
        let id = id.map_or("null".to_owned(), |id| id.to_string());
        let next = self.ledger.next_id();
        self.tell(
            &format!(r#"{{"keeper":"refused","id":{id},"why":"{why}","nextId":{next}}}"#),
            now,
        );
        false
    }

    fn control(&mut self, message: &[u8], now: Instant) {
        let flat = (message.len() <= MAX_CONTROL)
            .then(|| Flat::parse(message))
            .flatten();
        let flat = flat.unwrap_or_default();
        let id = flat.number("id").and_then(|id| i32::try_from(id).ok());
        match (flat.text("keeper"), id) {
            (Some("ping"), _) => self.tell(r#"{"keeper":"pong"}"#, now),
            (Some("ledger?"), _) => {
                let next = self.ledger.next_id();
                let entries = self.ledger.to_json();
                self.tell(
                    &format!(r#"{{"keeper":"ledger","nextId":{next},"entries":{entries}}}"#),
                    now,
                );
            }
            (Some("fetch"), Some(id)) => self.answer_fetch(id, now),
            (Some("ack"), id) => self.ledger.acknowledge(id),
            (Some("end"), _) => self.end(flat.text("how") == Some("kill"), now),
            _ => self.tell(r#"{"keeper":"error","why":"not_understood"}"#, now),
        }
    }

    fn answer_fetch(&mut self, id: i32, now: Instant) {
        let mut line = Vec::new();
        let (state, length, text) = match self.ledger.fate(id) {
            Fate::Unseen => ("unseen", 0, None),
            Fate::Sent => ("sent", 0, None),
            Fate::Replied(length, text) => ("replied", length, text),
            Fate::Forgotten => ("forgotten", 0, None),
        };
        let _ = write!(
            line,
            r#"{{"keeper":"reply","id":{id},"state":"{state}","bytes":{length}"#
        );
        if let Some(text) = text {
            // The browser's own JSON, as it came.
            line.extend_from_slice(b",\"reply\":");
            line.extend_from_slice(text);
        }
        line.extend_from_slice(b"}");
        self.tell_bytes(&mut line, now);
    }

    pub(crate) fn tell(&mut self, line: &str, now: Instant) {
        self.tell_bytes(&mut line.as_bytes().to_vec(), now);
    }

    /// Tells the owner something between two of the browser's messages. If one
    /// of those is half-way through, what we say comes after it.
    fn tell_bytes(&mut self, line: &mut Vec<u8>, now: Instant) {
        line.push(0);
        let mid_message = self.is_mid_message();
        let Some(owner) = &mut self.owner else { return };
        if mid_message {
            owner.tell_later(line);
        } else if owner.tell(line).is_err() {
            self.lose_owner(now);
        }
    }
}
