//! Every unsettled command, and when its time runs out.
use std::collections::BTreeSet;
use std::time::Instant;

use keeptab_protocol::{Class, Raw};

use crate::{Epoch, Str, TargetId, Token};

/// A sending of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) id: u32,
    pub(crate) epoch: Epoch,
    pub(crate) at: Instant,
}

/// Names a command in the table. It never names another one later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    /// Order of submission.
    pub(crate) seq: u64,
    slot: usize,
}

/// A command that has not settled, or whose caller has gone while its answer is still to come.
#[derive(Debug)]
pub(crate) struct Cmd {
    /// Who waits for it; `None` when nobody does any more.
    pub(crate) owner: Option<Token>,
    pub(crate) target: Option<TargetId>,
    pub(crate) method: Str,
    /// As the caller gave them, with ids tagged: every sending checks them anew.
    pub(crate) params: Raw,
    pub(crate) class: Class,
    /// Whether an answer changes the ledger.
    pub(crate) sticky: bool,
    /// See [`crate::Submit::standing`].
    pub(crate) standing: bool,
    pub(crate) deadline: Instant,
    /// When, over which connection and as what it was last sent.
    pub(crate) sent: Option<Sent>,
    /// Whether it waits to be sent, for the first time or again.
    parked: bool,
}

impl Cmd {
    pub(crate) fn new(
        owner: Token,
        target: Option<TargetId>,
        method: Str,
        params: Raw,
        class: Class,
        deadline: Instant,
    ) -> Self {
        Self {
            owner: Some(owner),
            target,
            sticky: false,
            standing: false,
            method,
            params,
            class,
            deadline,
            sent: None,
            parked: false,
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.method.len() + self.params.len()
    }

    /// Whether it has ever left us.
    pub(crate) fn was_sent(&self) -> bool {
        self.sent.is_some()
    }

    pub(crate) fn is_parked(&self) -> bool {
        self.parked
    }
}

/// The commands by key. What is taken out is settled by whoever took it, and cannot be taken twice.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<Option<(u64, Cmd)>>,
    free: Vec<usize>,
    next_seq: u64,
    deadlines: BTreeSet<(Instant, Key)>,
    parked: usize,
    parked_bytes: usize,
}

impl Table {
    pub(crate) fn insert(&mut self, cmd: Cmd) -> Key {
        let seq = self.next_seq;
        self.next_seq += 1;
        let deadline = cmd.deadline;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = Some((seq, cmd));
                slot
            }
            None => {
                self.slots.push(Some((seq, cmd)));
                self.slots.len() - 1
            }
        };
        let key = Key { seq, slot };
        self.deadlines.insert((deadline, key));
        key
    }

    pub(crate) fn get(&self, key: Key) -> Option<&Cmd> {
        match self.slots.get(key.slot)? {
            Some((seq, cmd)) if *seq == key.seq => Some(cmd),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut Cmd> {
        match self.slots.get_mut(key.slot)? {
            Some((seq, cmd)) if *seq == key.seq => Some(cmd),
            _ => None,
        }
    }

    /// Takes a command out for good.
    pub(crate) fn take(&mut self, key: Key) -> Option<Cmd> {
        self.get(key)?;
        let (_, cmd) = self.slots[key.slot].take()?;
        self.free.push(key.slot);
        self.deadlines.remove(&(cmd.deadline, key));
        if cmd.parked {
            self.parked -= 1;
            self.parked_bytes -= cmd.size();
        }
        Some(cmd)
    }

    /// Marks a command as waiting to be sent, or as sent.
    pub(crate) fn set_parked(&mut self, key: Key, parked: bool) {
        let Some(cmd) = self.get_mut(key) else { return };
        if cmd.parked == parked {
            return;
        }
        cmd.parked = parked;
        let size = cmd.size();
        if parked {
            self.parked += 1;
            self.parked_bytes += size;
        } else {
            self.parked -= 1;
            self.parked_bytes -= size;
        }
    }

    /// Nobody waits for it any more, and no deadline applies: only its answer is of interest.
    pub(crate) fn disown(&mut self, key: Key) -> Option<Token> {
        let cmd = self.get_mut(key)?;
        let token = cmd.owner.take();
        let deadline = cmd.deadline;
        self.deadlines.remove(&(deadline, key));
        token
    }

    pub(crate) fn parked(&self) -> usize {
        self.parked
    }

    pub(crate) fn parked_bytes(&self) -> usize {
        self.parked_bytes
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// A command whose time has run out.
    pub(crate) fn due(&self, now: Instant) -> Option<Key> {
        self.deadlines
            .first()
            .filter(|(at, _)| *at <= now)
            .map(|(_, key)| *key)
    }

    /// The command of a token. Looks at every one: cancelling is rare.
    pub(crate) fn find(&self, token: Token) -> Option<Key> {
        self.keys()
            .find(|key| self.get(*key).is_some_and(|cmd| cmd.owner == Some(token)))
    }

    /// All keys, in no order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(slot, entry)| entry.as_ref().map(|(seq, _)| Key { seq: *seq, slot }))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn cmd(token: u64, deadline: Instant) -> Cmd {
        let method = Str::from_static("Page.navigate");
        Cmd::new(
            Token(token),
            None,
            method,
            Raw::object_empty(),
            Class::E,
            deadline,
        )
    }

    #[test]
    fn a_key_never_names_a_later_command() {
        let now = Instant::now();
        let mut table = Table::default();
        let first = table.insert(cmd(1, now));
        assert!(table.take(first).is_some());
        let second = table.insert(cmd(2, now));
        assert!(table.take(first).is_none());
        assert!(table.get(first).is_none());
        assert_eq!(table.take(second).and_then(|cmd| cmd.owner), Some(Token(2)));
        assert!(table.is_empty());
        assert_eq!(table.next_deadline(), None);
    }

    #[test]
    fn parked_bytes_come_back_when_a_command_goes() {
        let mut table = Table::default();
        let key = table.insert(cmd(1, Instant::now()));
        table.set_parked(key, true);
        table.set_parked(key, true);
        assert_eq!((table.parked(), table.parked_bytes()), (1, 15));
        table.take(key);
        assert_eq!((table.parked(), table.parked_bytes()), (0, 0));
    }

    #[test]
    fn a_disowned_command_has_no_deadline() {
        let now = Instant::now();
        let mut table = Table::default();
        let key = table.insert(cmd(1, now));
        assert_eq!(table.due(now + Duration::from_secs(1)), Some(key));
        assert_eq!(table.disown(key), Some(Token(1)));
        assert_eq!(table.due(now + Duration::from_secs(1)), None);
        assert_eq!(table.disown(key), None);
    }
}
