//! The intent ledger: which commands were passed on, and what they answered.
//!
//! It holds the last [`MAX_COMMANDS`] commands in the order they were sent.
//! Replies are kept, also those that an owner was given, because an owner that
//! was killed may never have read them.

use std::collections::VecDeque;
use std::fmt::Write as _;

/// How many commands are remembered; the oldest is forgotten first.
pub(crate) const MAX_COMMANDS: usize = 2048;
/// Longest reply that is kept, in bytes. Of a longer one only the length is.
pub(crate) const MAX_REPLY: usize = 256 * 1024;
/// All kept replies together, in bytes; the oldest command's goes first.
pub(crate) const MAX_REPLIES: usize = 1024 * 1024;

/// What is known of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate<'a> {
    /// It was never passed to the browser.
    Unseen,
    /// It was passed on; no answer yet.
    Sent,
    /// It was answered with that many bytes; the text may be gone.
    Replied(usize, Option<&'a [u8]>),
    /// It is older than the ledger: sent, and more is not known.
    Forgotten,
}

/// What a command was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) method: Box<str>,
    /// The session it was sent over; `None` for the browser's own, and where that was not read.
    pub(crate) session: Option<Box<str>>,
}

#[derive(Debug)]
struct Entry {
    id: i32,
    epoch: u64,
    /// Length of the reply in bytes, once there is one.
    replied: Option<usize>,
    text: Option<Box<[u8]>>,
    /// What it was, until its answer was told.
    name: Option<Name>,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: VecDeque<Entry>,
    kept: usize,
    last: i32,
    /// The newest command that fell out of the ledger.
    floor: Option<i32>,
}

impl Ledger {
    /// The id the next owner starts with. Ids run from 1 to 2^31-1 and wrap.
    pub(crate) fn next_id(&self) -> i32 {
        self.last.checked_add(1).unwrap_or(1)
    }

    /// Notes command `id` of the owner with `epoch`. False when `id` still
    /// stands for another command, and the two answers could be confused.
    pub(crate) fn sent(&mut self, id: i32, epoch: u64, name: Option<Name>) -> bool {
        // An owner that keeps to the rule never pays for the search.
        if !after(id, self.last)
            && let Some(at) = self.position(id)
        {
            let old = &self.entries[at];
            if old.replied.is_none() || old.epoch != epoch {
                return false;
            }
            self.remove(at);
        }
        if self.entries.len() == MAX_COMMANDS
            && let Some(oldest) = self.entries.pop_front()
        {
            self.kept -= oldest.text.map_or(0, |text| text.len());
            self.floor = Some(oldest.id);
        }
        self.entries.push_back(Entry {
            id,
            epoch,
            replied: None,
            text: None,
            name,
        });
        self.last = id;
        true
    }

    /// Takes back the newest command: it did not reach the browser whole.
    pub(crate) fn unsent(&mut self, id: i32) {
        if let Some(at) = self.position(id) {
            self.remove(at);
        }
    }

    /// Whether an answer to `id` is waited for.
    pub(crate) fn expects(&self, id: i32) -> bool {
        self.position(id)
            .is_some_and(|at| self.entries[at].replied.is_none())
    }

    /// Notes the reply to `id`: its length, its text unless that was too long, and whether an owner
    /// is told of it.
    pub(crate) fn replied(&mut self, id: i32, length: usize, text: Option<&[u8]>, told: bool) {
        let Some(at) = self.position(id) else { return };
        let text: Option<Box<[u8]>> = text.filter(|text| text.len() <= MAX_REPLY).map(Box::from);
        self.kept += text.as_ref().map_or(0, |text| text.len());
        let entry = &mut self.entries[at];
        entry.replied = Some(length);
        entry.text = text;
        if told {
            entry.name = None;
        }
        let mut oldest = 0;
        while self.kept > MAX_REPLIES && oldest < self.entries.len() {
            self.kept -= self.entries[oldest]
                .text
                .take()
                .map_or(0, |text| text.len());
            oldest += 1;
        }
    }

    pub(crate) fn fate(&self, id: i32) -> Fate<'_> {
        match self.position(id).map(|at| &self.entries[at]) {
            Some(Entry {
                replied: Some(length),
                text,
                ..
            }) => Fate::Replied(*length, text.as_deref()),
            Some(_) => Fate::Sent,
            None => match self.floor {
                Some(floor) if !after(id, floor) => Fate::Forgotten,
                _ => Fate::Unseen,
            },
        }
    }

    /// Forgets `id` if it was answered, or with `None` all that was answered.
    pub(crate) fn acknowledge(&mut self, id: Option<i32>) {
        match id {
            Some(id) => {
                if let Some(at) = self.position(id)
                    && self.entries[at].replied.is_some()
                {
                    self.remove(at);
                }
            }
            None => {
                self.entries.retain(|entry| entry.replied.is_none());
                self.kept = 0;
            }
        }
    }

    /// A new owner was given the list: it knows what was answered while nobody was there.
    pub(crate) fn listed(&mut self) {
        let answered = self.entries.iter_mut().filter(|e| e.replied.is_some());
        answered.for_each(|entry| entry.name = None);
    }

    /// The ledger as a JSON array, oldest first.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::with_capacity(2 + self.entries.len() * 48);
        out.push('[');
        for (at, entry) in self.entries.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(
                out,
                "{comma}{{\"id\":{},\"epoch\":{}",
                entry.id, entry.epoch
            );
            let _ = match entry.replied {
                None => write!(out, ",\"state\":\"sent\""),
                Some(length) => {
                    let kept = entry.text.is_some();
                    write!(
                        out,
                        ",\"state\":\"replied\",\"bytes\":{length},\"kept\":{kept}"
                    )
                }
            };
            if let Some(name) = &entry.name {
                let _ = write!(out, ",\"method\":\"{}\"", name.method);
                if let Some(session) = &name.session {
                    let _ = write!(out, ",\"sessionId\":\"{session}\"");
                }
            }
            out.push('}');
        }
        out.push(']');
        out
    }

    /// Newest first: what is asked for is nearly always recent.
    fn position(&self, id: i32) -> Option<usize> {
        self.entries.iter().rposition(|entry| entry.id == id)
    }

    fn remove(&mut self, at: usize) {
        if let Some(old) = self.entries.remove(at) {
            self.kept -= old.text.map_or(0, |text| text.len());
        }
    }
}

/// Whether id `a` comes after `b` in the circle of ids, seen the short way round.
fn after(a: i32, b: i32) -> bool {
    let ahead = (i64::from(a) - i64::from(b)).rem_euclid(i64::from(i32::MAX));
    ahead > 0 && ahead < i64::from(i32::MAX) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_goes_from_unseen_to_sent_to_replied() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.next_id(), 1);
        assert_eq!(ledger.fate(1), Fate::Unseen);
        assert!(ledger.sent(1, 7, None));
        assert_eq!(ledger.fate(1), Fate::Sent);
        ledger.replied(1, 4, Some(b"text"), true);
        assert_eq!(ledger.fate(1), Fate::Replied(4, Some(b"text")));
        assert_eq!(
            ledger.to_json(),
            r#"[{"id":1,"epoch":7,"state":"replied","bytes":4,"kept":true}]"#
        );
        ledger.acknowledge(Some(1));
        assert_eq!(ledger.to_json(), "[]");
    }

    #[test]
    fn an_id_never_stands_for_two_commands() {
        let mut ledger = Ledger::default();
        assert!(ledger.sent(5, 1, None));
        assert!(!ledger.sent(5, 1, None), "still in flight");
        ledger.replied(5, 1, Some(b"x"), true);
        assert!(
            !ledger.sent(5, 2, None),
            "another owner's answer is kept under it"
        );
        assert!(ledger.sent(5, 1, None), "its own owner may use it again");
        assert_eq!(ledger.fate(5), Fate::Sent);
        ledger.unsent(5);
        assert_eq!(ledger.fate(5), Fate::Unseen);
    }

    #[test]
    fn what_nobody_had_an_answer_to_is_named() {
        let mut ledger = Ledger::default();
        let name = |session: Option<&str>| {
            Some(Name {
                method: "Page.navigate".into(),
                session: session.map(Into::into),
            })
        };
        assert!(ledger.sent(1, 7, name(Some("AB"))));
        assert!(ledger.sent(2, 7, name(None)));
        assert!(ledger.sent(3, 7, name(None)));
        ledger.replied(2, 4, None, false);
        ledger.replied(3, 4, None, true);
        let sent = r#"{"id":1,"epoch":7,"state":"sent","method":"Page.navigate","sessionId":"AB"}"#;
        let replied = |id: i32, name: &str| {
            format!(r#"{{"id":{id},"epoch":7,"state":"replied","bytes":4,"kept":false{name}}}"#)
        };
        let unheard = replied(2, r#","method":"Page.navigate""#);
        assert_eq!(
            ledger.to_json(),
            format!("[{sent},{unheard},{}]", replied(3, ""))
        );
        ledger.listed();
        assert_eq!(
            ledger.to_json(),
            format!("[{sent},{},{}]", replied(2, ""), replied(3, ""))
        );
    }

    #[test]
    fn ids_wrap() {
        let mut ledger = Ledger::default();
        assert!(ledger.sent(i32::MAX, 1, None));
        assert_eq!(ledger.next_id(), 1);
        assert!(ledger.sent(1, 1, None));
        assert_eq!(ledger.fate(2), Fate::Unseen);
        assert!(after(1, i32::MAX) && !after(i32::MAX, 1) && !after(3, 3));
    }

    #[test]
    fn memory_is_bounded_and_what_is_forgotten_is_said() {
        let mut ledger = Ledger::default();
        let big = vec![b'x'; 100_000];
        let count = 3 * MAX_COMMANDS as i32;
        for id in 1..=count {
            assert!(ledger.sent(id, 1, None));
            ledger.replied(id, big.len(), Some(&big), true);
            assert!(ledger.kept <= MAX_REPLIES && ledger.entries.len() <= MAX_COMMANDS);
        }
        let real: usize = ledger
            .entries
            .iter()
            .filter_map(|e| e.text.as_ref())
            .map(|t| t.len())
            .sum();
        assert_eq!(real, ledger.kept);
        assert_eq!(ledger.fate(1), Fate::Forgotten);
        assert_eq!(ledger.fate(count + 1), Fate::Unseen);
        assert_eq!(ledger.fate(count), Fate::Replied(big.len(), Some(&big[..])));
        assert_eq!(ledger.fate(count - 20), Fate::Replied(big.len(), None));
        assert!(ledger.sent(count + 1, 1, None));
        ledger.replied(
            count + 1,
            MAX_REPLY + 1,
            Some(&vec![0; MAX_REPLY + 1]),
            true,
        );
        assert_eq!(ledger.fate(count + 1), Fate::Replied(MAX_REPLY + 1, None));
        ledger.acknowledge(None);
        assert_eq!((ledger.kept, ledger.entries.len()), (0, 0));
    }
}
