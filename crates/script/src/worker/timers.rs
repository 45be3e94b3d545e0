//! When which timer is due. What it does is known to the prelude.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Instant;

/// Timers by due time; equal times fire in the order in which they were set.
#[derive(Default)]
pub(super) struct Timers {
    queue: BinaryHeap<Reverse<(Instant, u64, u32)>>,
    /// The entry of `queue` that counts, by timer; others are leftovers of timers that were cleared.
    live: HashMap<u32, u64>,
    sequence: u64,
}

impl Timers {
    pub(super) fn set(&mut self, id: u32, due: Instant) {
        self.sequence += 1;
        self.live.insert(id, self.sequence);
        self.queue.push(Reverse((due, self.sequence, id)));
    }

    pub(super) fn clear(&mut self, id: u32) {
        self.live.remove(&id);
        // Leftovers must not outgrow what lives.
        if self.queue.len() > 64 && self.queue.len() > self.live.len() * 2 {
            let live = &self.live;
            self.queue
                .retain(|Reverse((_, sequence, id))| live.get(id) == Some(sequence));
        }
    }

    /// When the next timer is due.
    pub(super) fn next(&mut self) -> Option<Instant> {
        while let Some(Reverse((due, sequence, id))) = self.queue.peek() {
            if self.live.get(id) == Some(sequence) {
                return Some(*due);
            }
            self.queue.pop();
        }
        None
    }

    /// Takes one timer that is due at `now`.
    pub(super) fn pop(&mut self, now: Instant) -> Option<u32> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, _, id)) = self.queue.pop()?;
        self.live.remove(&id);
        Some(id)
    }

    pub(super) fn len(&self) -> usize {
        self.live.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn cleared_and_reset_timers_fire_once_and_in_order() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        timers.set(1, at(10));
        timers.set(2, at(5));
        timers.set(3, at(5));
        timers.set(1, at(1));
        timers.clear(3);
        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!(timers.pop(at(0)), None);
        assert_eq!(timers.pop(at(20)), Some(1));
        assert_eq!(timers.pop(at(20)), Some(2));
        assert_eq!(timers.pop(at(20)), None);
    }

    #[test]
    fn a_million_set_and_cleared_leave_nothing_behind() {
        let now = Instant::now();
        let mut timers = Timers::default();
        for id in 0..1_000_000 {
            timers.set(id, now + Duration::from_secs(1));
            timers.clear(id);
        }
        assert!(timers.queue.len() <= 65);
        assert_eq!(timers.len(), 0);
    }
}
