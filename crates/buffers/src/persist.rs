//! Entries in the store, and back.
//!
//! The owner takes what changed from time to time ([`Buffers::unsaved`]) and
//! commits it. What was taken in after the last commit is lost with the daemon;
//! the gap that a restart leaves covers it, and console messages among it come
//! back with the replay. Numbers that were never saved may be given again.

use serde::{Deserialize, Serialize};

use keeptab_store::{Change, EntryBatch, Store, StoredEntry, StreamHead};

use crate::buffers::{Buffers, Stream};
use crate::cleared;
use crate::entry::{Entry, What};
use crate::error::LoadError;
use crate::gap::Gap;
use crate::limits::Limits;
use crate::wall::Wall;

/// The format of a stored entry. One of a higher format is not read, and shown
/// as a gap.
const FORMAT: u32 = 1;

/// How many entries are read from the store at a time.
const PAGE: u32 = 1_000;

#[derive(Serialize)]
struct Stored<'a> {
    format: u32,
    entry: &'a Entry,
}

#[derive(Deserialize)]
struct OnlyFormat {
    format: u32,
}

#[derive(Deserialize)]
struct Read {
    entry: Entry,
}

fn encode(entry: &Entry) -> Vec<u8> {
    // Only a map with keys that are no strings, or a writer that fails, could
    // make this fail; were it to, the entry would read as damaged.
    serde_json::to_vec(&Stored {
        format: FORMAT,
        entry,
    })
    .unwrap_or_default()
}

fn decode(bytes: &[u8]) -> Result<Entry, &'static str> {
    let OnlyFormat { format } = serde_json::from_slice(bytes).map_err(|_| "it is damaged")?;
    if format > FORMAT {
        return Err("a newer keeptab wrote it");
    }
    let Read { entry } = serde_json::from_slice(bytes).map_err(|_| "it is damaged")?;
    Ok(entry)
}

impl Buffers {
    /// Whether anything changed since it was last taken to be saved.
    pub fn has_unsaved(&self) -> bool {
        self.cleared.is_unsaved()
            || Stream::ALL
                .into_iter()
                .any(|stream| self.ring(stream).has_unsaved())
    }

    /// What changed since the last call, at most `limit` entries of each
    /// stream, to be committed to the store under this session's name. If that
    /// fails, hand it to [`Buffers::not_saved`].
    pub fn unsaved(&mut self, session: &str, limit: usize) -> Vec<Change> {
        // In one transaction with the entries that were cleared, if they are not too many.
        let mut changes: Vec<Change> = self.cleared.unsaved(session).into_iter().collect();
        for stream in Stream::ALL {
            let ring = self.ring_mut(stream);
            if !ring.has_unsaved() {
                continue;
            }
            let keep_from = ring.first();
            let head = StreamHead {
                next: ring.next(),
                dropped: ring.dropped(),
            };
            let put = ring
                .take_unsaved(limit)
                .into_iter()
                .map(|entry| StoredEntry {
                    number: entry.number,
                    bytes: encode(entry),
                })
                .collect();
            changes.push(Change::PutEntries(EntryBatch {
                session: session.to_owned(),
                stream: stream.name().to_owned(),
                put,
                keep_from,
                head,
            }));
        }
        changes
    }

    /// What [`Buffers::unsaved`] gave was not saved after all. It will be given
    /// again, as far as it is still kept.
    pub fn not_saved(&mut self, changes: &[Change]) {
        for change in changes {
            let Change::PutEntries(batch) = change else {
                continue;
            };
            if batch.stream == cleared::NAME {
                self.cleared.not_saved();
            }
            let stream = Stream::ALL
                .into_iter()
                .find(|stream| stream.name() == batch.stream);
            if let Some(stream) = stream {
                let numbers = batch.put.iter().map(|entry| entry.number);
                self.ring_mut(stream).mark_unsaved(numbers);
            }
        }
    }

    /// When the latest entry was made: the beginning of the gap that a restart
    /// leaves.
    pub fn last_time(&self) -> Option<Wall> {
        let last = |stream| self.ring(stream).iter().next_back().map(|entry| entry.at);
        Stream::ALL.into_iter().filter_map(last).max()
    }
}

/// The entries of a session as they were last saved. An entry that cannot be
/// read is shown as a gap. The caller was away, so a call of [`Buffers::lost`]
/// is due.
pub async fn load(store: &dyn Store, session: &str, limits: Limits) -> Result<Buffers, LoadError> {
    let failed = |cause| LoadError {
        session: session.to_owned(),
        cause,
    };
    let mut buffers = Buffers::new(limits);
    let marks = store.entries(session, cleared::NAME, 0, 1).await;
    if let Some(entry) = marks.map_err(failed)?.last() {
        buffers.cleared.restore(entry);
    }
    for stream in Stream::ALL {
        let Some(head) = store.stream(session, stream.name()).await.map_err(failed)? else {
            continue;
        };
        let mut from = 0;
        let mut at = Wall::default();
        loop {
            let page = store
                .entries(session, stream.name(), from, PAGE)
                .await
                .map_err(failed)?;
            let Some(last) = page.last() else { break };
            from = last.number + 1;
            for StoredEntry { number, bytes } in page {
                let entry = decode(&bytes).unwrap_or_else(|why| Entry {
                    number,
                    target: None,
                    at,
                    what: What::Gap(Box::new(Gap::unreadable(at, why))),
                });
                at = entry.at;
                buffers.restore(stream, Entry { number, ..entry });
            }
        }
        buffers
            .ring_mut(stream)
            .restore_head(head.next, head.dropped);
    }
    Ok(buffers)
}
