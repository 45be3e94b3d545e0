//! What passed through the proxy: connections and commands.

use std::collections::HashMap;

/// How many commands are remembered one by one. Counts go on beyond it.
const REMEMBERED: usize = 50_000;

/// One command that a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// The number of the WebSocket connection it came on; the first is 1.
    pub connection: u64,
    /// Its id in that connection.
    pub id: i64,
    /// The CDP method.
    pub method: String,
    /// The message as sent, at most its first 4096 bytes.
    pub text: String,
    /// Whether it was passed on to the browser.
    pub forwarded: bool,
}

/// Counts and the list of commands.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) accepted: u64,
    pub(super) upgraded: u64,
    pub(super) turned_away: u64,
    by_method: HashMap<String, (u64, u64)>,
    seen: Vec<Seen>,
}

impl Ledger {
    /// Notes a command and returns its place, for [`forwarded`](Self::forwarded).
    pub(super) fn saw(&mut self, command: Seen) -> usize {
        self.by_method.entry(command.method.clone()).or_default().0 += 1;
        if self.seen.len() < REMEMBERED {
            self.seen.push(command);
            self.seen.len() - 1
        } else {
            usize::MAX
        }
    }

    pub(super) fn forwarded(&mut self, place: usize, method: &str) {
        if let Some((_, forwarded)) = self.by_method.get_mut(method) {
            *forwarded += 1;
        }
        if let Some(command) = self.seen.get_mut(place) {
            command.forwarded = true;
        }
    }

    /// How many commands of this method came, and how many of them were passed on.
    pub(super) fn count(&self, method: &str) -> (u64, u64) {
        self.by_method.get(method).copied().unwrap_or_default()
    }

    pub(super) fn seen(&self) -> &[Seen] {
        &self.seen
    }
}
