//! A bounded run of numbered entries.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::entry::{Entry, What};
use crate::limits::Bounds;
use crate::wall::Wall;

struct Slot {
    entry: Entry,
    weight: usize,
    /// Whether it is in `unsaved`.
    unsaved: bool,
}

/// Entries in the order of their numbers. The oldest are dropped to stay within
/// the bounds, and counted.
pub(crate) struct Ring {
    slots: VecDeque<Slot>,
    bounds: Bounds,
    bytes: usize,
    next: u64,
    dropped: u64,
    unsaved: VecDeque<u64>,
    /// Whether something other than an entry must be saved: the head or what
    /// is kept.
    head_unsaved: bool,
}

impl Ring {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Ring {
            slots: VecDeque::new(),
            bounds: bounds.sane(),
            bytes: 0,
            next: 1,
            dropped: 0,
            unsaved: VecDeque::new(),
            head_unsaved: false,
        }
    }

    /// Adds an entry and returns its number. `evicted` hears of each entry that
    /// had to go.
    pub(crate) fn push(
        &mut self,
        target: Option<Arc<str>>,
        at: Wall,
        what: What,
        evicted: impl FnMut(&Entry),
    ) -> u64 {
        let number = self.next;
        self.next += 1;
        self.insert(
            Entry {
                number,
                target,
                at,
                what,
            },
            true,
        );
        self.shrink(evicted);
        number
    }

    /// Puts back an entry that was stored, with a number above all others.
    pub(crate) fn restore(&mut self, entry: Entry, evicted: impl FnMut(&Entry)) {
        if entry.number >= self.next {
            self.next = entry.number + 1;
            self.insert(entry, false);
            self.shrink(evicted);
        }
    }

    /// Adds what was stored of the stream as a whole, once.
    pub(crate) fn restore_head(&mut self, next: u64, dropped: u64) {
        self.next = self.next.max(next);
        self.dropped += dropped;
    }

    fn insert(&mut self, entry: Entry, unsaved: bool) {
        let weight = entry.weight();
        self.bytes += weight;
        if unsaved {
            self.unsaved.push_back(entry.number);
        }
        self.slots.push_back(Slot {
            entry,
            weight,
            unsaved,
        });
    }

    fn shrink(&mut self, mut evicted: impl FnMut(&Entry)) {
        while self.slots.len() > self.bounds.entries
            || (self.bytes > self.bounds.bytes && self.slots.len() > 1)
        {
            let Some(slot) = self.slots.pop_front() else {
                break;
            };
            self.bytes -= slot.weight;
            self.dropped += 1;
            self.head_unsaved = true;
            evicted(&slot.entry);
        }
        // Numbers of entries that went before they were saved.
        while self.unsaved.len() > 2 * self.bounds.entries {
            let first = self.first();
            self.unsaved.retain(|number| *number >= first);
        }
    }

    /// Numbers have no holes, except where stored entries were missing.
    fn index(&self, number: u64) -> Option<usize> {
        let first = self.slots.front()?.entry.number;
        let guess = usize::try_from(number.checked_sub(first)?).ok()?;
        match self.slots.get(guess) {
            Some(slot) if slot.entry.number == number => Some(guess),
            _ => self
                .slots
                .binary_search_by_key(&number, |slot| slot.entry.number)
                .ok(),
        }
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Entry> {
        self.index(number).map(|index| &self.slots[index].entry)
    }

    /// Changes an entry in place. None when it is no longer there.
    pub(crate) fn update<T>(
        &mut self,
        number: u64,
        change: impl FnOnce(&mut What) -> T,
        evicted: impl FnMut(&Entry),
    ) -> Option<T> {
        let index = self.index(number)?;
        let slot = &mut self.slots[index];
        let result = change(&mut slot.entry.what);
        let weight = slot.entry.weight();
        self.bytes = self.bytes - slot.weight + weight;
        slot.weight = weight;
        if !slot.unsaved {
            slot.unsaved = true;
            self.unsaved.push_back(number);
        }
        self.shrink(evicted);
        Some(result)
    }

    /// Removes all entries. Numbers go on from where they were.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.unsaved.clear();
        self.bytes = 0;
        self.dropped = 0;
        self.head_unsaved = true;
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.slots.iter().map(|slot| &slot.entry)
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of the oldest entry, or of the next when there is none.
    pub(crate) fn first(&self) -> u64 {
        self.slots
            .front()
            .map_or(self.next, |slot| slot.entry.number)
    }

    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn has_unsaved(&self) -> bool {
        self.head_unsaved || !self.unsaved.is_empty()
    }

    /// At most `limit` entries that were not saved since they last changed.
    /// They count as saved from now on.
    pub(crate) fn take_unsaved(&mut self, limit: usize) -> Vec<&Entry> {
        self.head_unsaved = false;
        let mut indices = Vec::new();
        while indices.len() < limit
            && let Some(number) = self.unsaved.pop_front()
        {
            if let Some(index) = self.index(number)
                && std::mem::take(&mut self.slots[index].unsaved)
            {
                indices.push(index);
            }
        }
        indices
            .into_iter()
            .map(|index| &self.slots[index].entry)
            .collect()
    }

    /// They were not saved after all.
    pub(crate) fn mark_unsaved(&mut self, numbers: impl Iterator<Item = u64>) {
        self.head_unsaved = true;
        for number in numbers {
            if let Some(index) = self.index(number)
                && !std::mem::replace(&mut self.slots[index].unsaved, true)
            {
                self.unsaved.push_back(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gap::Gap;

    fn gap(length: usize) -> What {
        let mut gap = Gap::overflow(Wall(0), 1, 1);
        gap.gone = vec!["x".repeat(length)];
        What::Gap(Box::new(gap))
    }

    fn ring(entries: usize) -> Ring {
        Ring::new(Bounds { entries, bytes: 0 })
    }

    #[test]
    fn bytes_are_those_of_the_entries_also_after_updates() {
        let mut ring = ring(100);
        for n in 0..10 {
            ring.push(None, Wall(n), gap(1_000), |_| {});
        }
        ring.update(4, |what| *what = gap(5_000), |_| {});
        ring.update(5, |what| *what = gap(10), |_| {});
        assert_eq!(ring.bytes(), ring.iter().map(Entry::weight).sum::<usize>());
    }

    #[test]
    fn an_update_that_needs_room_takes_it_from_the_oldest() {
        let mut ring = ring(100);
        for n in 0..10 {
            ring.push(None, Wall(n), gap(50_000), |_| {});
        }
        assert_eq!(ring.len(), 10);
        let mut gone = Vec::new();
        ring.update(
            9,
            |what| *what = gap(200_000),
            |entry| gone.push(entry.number),
        );
        assert_eq!(gone, [1, 2, 3]);
        assert_eq!((ring.dropped(), ring.first()), (3, 4));
        assert_eq!(ring.update(2, |_| (), |_| {}), None);
    }

    #[test]
    fn numbers_with_holes_are_found() {
        let mut ring = ring(100);
        for number in [3, 4, 9, 12] {
            let entry = Entry {
                number,
                target: None,
                at: Wall(0),
                what: gap(1),
            };
            ring.restore(entry, |_| {});
        }
        let found: Vec<_> = (0..14).filter(|n| ring.get(*n).is_some()).collect();
        assert_eq!(found, [3, 4, 9, 12]);
        assert_eq!(ring.next(), 13);
    }

    #[test]
    fn what_is_never_saved_does_not_pile_up() {
        let mut ring = ring(10);
        for n in 0..1_000 {
            ring.push(None, Wall(n), gap(1), |_| {});
        }
        assert!(ring.unsaved.len() <= 20);
        assert_eq!(ring.take_unsaved(100).len(), 10);
    }
}
