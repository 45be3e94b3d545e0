//! A ledger as it is written down for whoever comes after us.
use keeptab_protocol::Raw;
use serde::{Deserialize, Serialize};

use super::book::Ledger;
use super::entry::{Entry, Kind};
use crate::Str;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptEntry {
    key: String,
    method: String,
    params: Raw,
    order: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fragile: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    added: Option<KeptId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    standing: Option<Raw>,
}

/// An id that the browser handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptId {
    field: String,
    shown: String,
    real: String,
}

impl Ledger {
    /// All entries, in the order in which they would be set again.
    pub(crate) fn keep(&self) -> Vec<KeptEntry> {
        let mut kept: Vec<KeptEntry> = self
            .entries
            .iter()
            .map(|(key, entry)| KeptEntry {
                key: key.clone(),
                method: entry.method.to_string(),
                params: entry.params.clone(),
                order: entry.order,
                fragile: entry.kind == Kind::Fragile,
                added: match &entry.kind {
                    Kind::Added { field, shown, real } => Some(KeptId {
                        field: (*field).to_owned(),
                        shown: shown.clone(),
                        real: real.clone(),
                    }),
                    _ => None,
                },
                standing: self.standing.get(&entry.method).cloned(),
            })
            .collect();
        kept.sort_unstable_by_key(|entry| entry.order);
        kept
    }

    /// The ledger that was kept. All of it is older than any call to come.
    pub(crate) fn from_kept(kept: Vec<KeptEntry>) -> Self {
        let mut ledger = Self::default();
        for entry in kept {
            ledger.next = ledger.next.max(entry.order);
            if let Some(params) = &entry.standing {
                let method = Str::from(entry.method.as_str());
                ledger.standing.insert(method, params.clone());
            }
            ledger.entries.insert(entry.key.clone(), entry.into());
        }
        ledger
    }

    /// What was taken out as lost with its connection turned out not to be.
    pub(crate) fn take_back_fragile(&mut self, kept: Vec<KeptEntry>) {
        for entry in kept.into_iter().filter(|entry| entry.fragile) {
            self.entries
                .entry(entry.key.clone())
                .or_insert_with(|| entry.into());
        }
    }
}

impl From<KeptEntry> for Entry {
    fn from(kept: KeptEntry) -> Self {
        let field = |name: &str| {
            ["identifier", "breakpointId", "authenticatorId"]
                .into_iter()
                .find(|field| *field == name)
        };
        let kind = match kept.added {
            _ if kept.fragile => Kind::Fragile,
            Some(KeptId {
                field: name,
                shown,
                real,
            }) => field(&name).map_or(Kind::Set, |field| Kind::Added { field, shown, real }),
            None => Kind::Set,
        };
        Entry {
            method: Str::from(kept.method),
            params: kept.params,
            seq: 0,
            order: kept.order,
            kind,
        }
    }
}
