//! Telling what the browser replays from what is new.
//!
//! `Runtime.enable` and `Log.enable` each send again what the browser has
//! stored: the latest 1,000 messages of a page, with their original times. A
//! replayed message is one we have when its time and its content are equal to
//! one we took; for a lone string its time is enough, because that is what the
//! messages of a frame that is gone are turned into. Equal messages of the same instant are counted: three of them
//! replayed where we took two is one new message.

use std::collections::{HashMap, VecDeque};

/// How many messages the browser stores per page and kind.
const STORED: usize = 1_000;

/// Which of the browser's two stores a message comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Runtime,
    Log,
}

/// What was taken from one target, and what a running replay showed.
#[derive(Default)]
pub(crate) struct Seen {
    runtime: Keys,
    log: Keys,
    /// Up to which times messages were cleared, by store: a replay brings none of them back.
    cleared: [u64; 2],
    /// While a replay is possible.
    replay: Option<Replay>,
}

#[derive(Default)]
struct Keys(VecDeque<(u64, u64)>);

impl Keys {
    fn push(&mut self, key: (u64, u64)) {
        if self.0.len() == STORED {
            self.0.pop_front();
        }
        self.0.push_back(key);
    }
}

#[derive(Default)]
struct Replay {
    /// By time, the hashes of what we have and was not replayed yet.
    unmatched: [HashMap<u64, Vec<u64>>; 2],
    came: [usize; 2],
    recovered: u64,
}

/// What a replay brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    /// Messages we did not have.
    pub(crate) recovered: u64,
    /// Whether the browser's store was full, so that older ones may be lost.
    pub(crate) full: bool,
}

impl Seen {
    /// From now on the browser may replay.
    pub(crate) fn begin_replay(&mut self) {
        let mut replay = Replay::default();
        for (unmatched, keys) in replay.unmatched.iter_mut().zip([&self.runtime, &self.log]) {
            for (time, hash) in &keys.0 {
                unmatched.entry(*time).or_default().push(*hash);
            }
        }
        self.replay = Some(replay);
    }

    /// The replay is over.
    pub(crate) fn end_replay(&mut self) -> Tally {
        self.replay
            .take()
            .map_or_else(Tally::default, |replay| Tally {
                recovered: replay.recovered,
                full: replay.came.iter().any(|count| *count >= STORED),
            })
    }

    /// Whether a message is new; if so it is remembered. A loose one equals
    /// any other of its time.
    pub(crate) fn take(&mut self, store: Store, key: (u64, u64), loose: bool) -> New {
        let mut new = New::Live;
        if let Some(replay) = &mut self.replay {
            let index = usize::from(store == Store::Log);
            replay.came[index] += 1;
            // Times are never negative, so their bits are in order as well.
            if self.cleared[index] > 0 && key.0 <= self.cleared[index] {
                return New::No;
            }
            if let Some(hashes) = replay.unmatched[index].get_mut(&key.0) {
                let exact = hashes.iter().position(|hash| *hash == key.1);
                let found = exact.or((loose && !hashes.is_empty()).then_some(0));
                if let Some(at) = found {
                    hashes.swap_remove(at);
                    return New::No;
                }
            }
            replay.recovered += 1;
            new = New::Recovered;
        }
        match store {
            Store::Runtime => self.runtime.push(key),
            Store::Log => self.log.push(key),
        }
        new
    }

    /// Everything that was taken so far is cleared. Returns up to which times.
    pub(crate) fn clear(&mut self) -> [u64; 2] {
        for (mark, keys) in self.cleared.iter_mut().zip([&self.runtime, &self.log]) {
            let last = keys.0.iter().map(|(time, _)| *time).max();
            *mark = last.unwrap_or_default().max(*mark);
        }
        self.cleared
    }

    /// What was cleared in an earlier life.
    pub(crate) fn was_cleared(&mut self, marks: [u64; 2]) {
        self.cleared = marks;
    }

    /// Remembers a message that was taken in an earlier life.
    pub(crate) fn remember(&mut self, store: Store, key: (u64, u64)) {
        match store {
            Store::Runtime => self.runtime.push(key),
            Store::Log => self.log.push(key),
        }
    }
}

/// Whether a message is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum New {
    /// It is not.
    No,
    /// It is, and came outside of any replay.
    Live,
    /// It is, and came while the browser may replay.
    Recovered,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_messages_of_one_instant_are_counted() {
        let mut seen = Seen::default();
        for _ in 0..2 {
            assert_eq!(seen.take(Store::Runtime, (1, 7), false), New::Live);
        }
        seen.begin_replay();
        let answers: Vec<_> = (0..3)
            .map(|_| seen.take(Store::Runtime, (1, 7), false))
            .collect();
        assert_eq!(answers, [New::No, New::No, New::Recovered]);
        assert_eq!(
            seen.end_replay(),
            Tally {
                recovered: 1,
                full: false
            }
        );
    }

    #[test]
    fn a_loose_message_is_known_by_its_time() {
        let mut seen = Seen::default();
        for hash in [7, 8] {
            seen.take(Store::Runtime, (1, hash), false);
        }
        seen.begin_replay();
        assert_eq!(seen.take(Store::Runtime, (1, 8), true), New::No);
        assert_eq!(seen.take(Store::Runtime, (1, 9), false), New::Recovered);
        assert_eq!(seen.take(Store::Runtime, (1, 9), true), New::No);
        assert_eq!(seen.take(Store::Runtime, (1, 9), true), New::Recovered);
        assert_eq!(seen.take(Store::Runtime, (2, 7), true), New::Recovered);
    }

    #[test]
    fn a_full_store_is_told() {
        let mut seen = Seen::default();
        seen.begin_replay();
        for n in 0..1_000 {
            seen.take(Store::Log, (n, 1), false);
        }
        assert_eq!(
            seen.end_replay(),
            Tally {
                recovered: 1_000,
                full: true
            }
        );
    }

    proptest! {
        /// Whatever was taken before, and whatever part of it the browser still
        /// has: only what is new comes through, and a second replay of the same
        /// brings nothing.
        #[test]
        fn replaying_twice_is_replaying_once(
            before in proptest::collection::vec((0_u64..20, 1_u64..4), 0..200),
            start in 0_usize..200,
            gap in proptest::collection::vec((20_u64..30, 1_u64..4), 0..50),
        ) {
            let mut seen = Seen::default();
            for key in &before {
                prop_assert_eq!(seen.take(Store::Runtime, *key, false), New::Live);
            }
            let stored: Vec<_> =
                before.iter().skip(start.min(before.len())).chain(&gap).copied().collect();
            for expected in [gap.len() as u64, 0] {
                seen.begin_replay();
                for key in &stored {
                    seen.take(Store::Runtime, *key, false);
                }
                prop_assert_eq!(seen.end_replay().recovered, expected);
            }
        }
    }
}
