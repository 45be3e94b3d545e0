//! How far the console was cleared, per target: the browser still has those messages, and would bring
//! them back with its next replay, also to the next process.

use std::collections::BTreeMap;

use keeptab_store::{Change, EntryBatch, StoredEntry, StreamHead};

/// The name under which the store has it. No stream that people see.
pub(crate) const NAME: &str = "console-cleared";

/// Targets whose marks are remembered, before those that are not here any more are forgotten.
const MAX_TARGETS: usize = 1_000;

/// The last times that were cleared, as `f64` bits: of `Runtime` and of `Log`.
pub(crate) type Marks = [u64; 2];

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Cleared {
    marks: BTreeMap<String, Marks>,
    /// Counts what was written; the number of the one entry in the store.
    written: u64,
    unsaved: bool,
}

impl Cleared {
    pub(crate) fn set(&mut self, marks: impl Iterator<Item = (String, Marks)>) {
        if self.marks.len() >= MAX_TARGETS {
            self.marks.clear();
        }
        self.marks
            .extend(marks.filter(|(_, marks)| *marks != [0; 2]));
        self.unsaved = true;
    }

    pub(crate) fn of(&self, target: &str) -> Marks {
        self.marks.get(target).copied().unwrap_or_default()
    }

    pub(crate) fn is_unsaved(&self) -> bool {
        self.unsaved
    }

    /// To be committed, if it changed. See [`Cleared::not_saved`].
    pub(crate) fn unsaved(&mut self, session: &str) -> Option<Change> {
        if !std::mem::take(&mut self.unsaved) {
            return None;
        }
        self.written += 1;
        let number = self.written;
        let put = StoredEntry {
            number,
            // A map with names as keys can always be written.
            bytes: serde_json::to_vec(&self.marks).unwrap_or_default(),
        };
        Some(Change::PutEntries(EntryBatch {
            session: session.to_owned(),
            stream: NAME.to_owned(),
            put: vec![put],
            keep_from: number,
            head: StreamHead {
                next: number + 1,
                dropped: 0,
            },
        }))
    }

    pub(crate) fn not_saved(&mut self) {
        self.unsaved = true;
    }

    /// As it was stored. What cannot be read marks nothing: a message too many is better than one too few.
    pub(crate) fn restore(&mut self, entry: &StoredEntry) {
        self.written = self.written.max(entry.number);
        self.marks = serde_json::from_slice(&entry.bytes).unwrap_or_default();
    }
}
