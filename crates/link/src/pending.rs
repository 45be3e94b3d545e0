//! What was sent over the present connection and is not answered.
use std::collections::VecDeque;
use std::time::Instant;

use crate::quick::QuickMap;
use crate::table::Key;
use crate::{Str, TargetId};

/// Answers that nobody waits for are expected up to this number; the oldest is forgotten then.
const UNWANTED: usize = 4096;

/// Chromium reads ids as int32.
const LAST_ID: u32 = i32::MAX as u32;

/// Somebody who waits for the answer with a certain id.
#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) session: Option<Str>,
    pub(crate) who: Who,
}

/// Who that is.
#[derive(Debug)]
pub(crate) enum Who {
    /// A command of a caller.
    Cmd(Key),
    /// The link itself.
    Own(Own, Instant),
}

/// What the link sends by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Own {
    /// Is the browser there?
    Probe,
    /// Is the renderer of this target there?
    Ask(TargetId),
    /// Which targets are there? The first question after a reconnect.
    Identity,
    /// Tell us of all targets.
    Discover,
    /// A browser-level setting.
    Restore(Str),
    /// Attach to this target.
    Attach(TargetId),
    /// A step of making a target ready.
    Setup(TargetId, Step),
    /// Attach to this target once more, to hear what it has kept.
    Replay(TargetId),
    /// All of it was told over this session.
    Replayed(TargetId, Str),
    /// A domain that is needed goes on although a caller has switched it off.
    Standing(TargetId, Str),
    /// Nobody needs the answer.
    Nothing,
}

/// A step of making a target ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A domain that the link needs for itself.
    Domain,
    /// Which documents are there?
    FrameTree,
    /// A setting of the ledger, by its key.
    Entry(String),
    /// Does what was set read back?
    ReadBack,
    /// Does it answer?
    Alive,
    /// Release what was held down.
    Release,
}

/// The ids in use.
#[derive(Debug)]
pub(crate) struct Pending {
    waits: QuickMap<u32, Wait>,
    unwanted: VecDeque<(u32, Key)>,
    last: u32,
}

impl Default for Pending {
    fn default() -> Self {
        Self::starting_after(0)
    }
}

impl Pending {
    pub(crate) fn starting_after(last: u32) -> Self {
        Self {
            waits: QuickMap::default(),
            unwanted: VecDeque::new(),
            last,
        }
    }

    /// A fresh id. It wraps at the end of int32 and skips those still in use.
    pub(crate) fn add(&mut self, wait: Wait) -> u32 {
        loop {
            self.last = if self.last >= LAST_ID {
                1
            } else {
                self.last + 1
            };
            if !self.waits.contains_key(&self.last) {
                self.waits.insert(self.last, wait);
                return self.last;
            }
        }
    }

    pub(crate) fn peek(&self, id: u32) -> Option<&Wait> {
        self.waits.get(&id)
    }

    pub(crate) fn take(&mut self, id: u32) -> Option<Wait> {
        self.waits.remove(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.waits.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Wait> {
        self.waits.values()
    }

    /// The command with this id, if it is one of a caller's.
    pub(crate) fn key(&self, id: u32) -> Option<Key> {
        match self.waits.get(&id)?.who {
            Who::Cmd(key) => Some(key),
            Who::Own(..) => None,
        }
    }

    /// Ids of everything that matches.
    pub(crate) fn ids(&self, mut which: impl FnMut(&Wait) -> bool) -> Vec<u32> {
        let mut ids: Vec<u32> = self
            .waits
            .iter()
            .filter(|(_, wait)| which(wait))
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        ids
    }

    /// Remembers that nobody waits for this answer. Returns a command that is to be forgotten for it.
    pub(crate) fn unwanted(&mut self, id: u32, key: Key) -> Option<Key> {
        self.unwanted.push_back((id, key));
        if self.unwanted.len() <= UNWANTED {
            return None;
        }
        let (id, key) = self.unwanted.pop_front()?;
        let same =
            matches!(self.waits.get(&id), Some(Wait { who: Who::Cmd(found), .. }) if *found == key);
        if same {
            self.waits.remove(&id);
            return Some(key);
        }
        None
    }

    /// The connection is gone: everything that was waiting, in the order of submission.
    pub(crate) fn drain(&mut self) -> Vec<Key> {
        self.unwanted.clear();
        let mut keys: Vec<Key> = self
            .waits
            .drain()
            .filter_map(|(_, wait)| match wait.who {
                Who::Cmd(key) => Some(key),
                Who::Own(..) => None,
            })
            .collect();
        keys.sort_unstable();
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Wait {
        Wait {
            session: None,
            who: Who::Own(Own::Nothing, Instant::now()),
        }
    }

    #[test]
    fn ids_wrap_within_int32_and_skip_those_in_use() {
        let mut pending = Pending::starting_after(LAST_ID - 1);
        assert_eq!(pending.add(own()), LAST_ID);
        assert_eq!(pending.add(own()), 1);
        let mut wrapped = Pending::starting_after(0);
        assert_eq!(wrapped.add(own()), 1);
        wrapped.last = LAST_ID;
        assert_eq!(wrapped.add(own()), 2, "1 is still in use");
    }
}
