//! Which entries a request id stands for, in constant time.

use std::collections::HashMap;
use std::sync::Arc;

use super::extra::Extra;
use crate::entry::{Entry, What};

/// What is known of a request beyond its entries.
#[derive(Default)]
pub(super) struct Request {
    /// The entries of its hops; the last is the current one. Long chains lose
    /// their oldest.
    pub(super) hops: Vec<u64>,
    /// How many hops there were before those.
    pub(super) forgotten: u32,
    pub(super) extra: Extra,
}

/// Chromium gives up after 20 redirects.
const MAX_HOPS: usize = 32;

/// How many requests may have extra information and no entry yet, per target.
const MAX_EARLY: usize = 256;

#[derive(Default)]
struct OfTarget {
    requests: HashMap<Box<str>, Request>,
    early: usize,
}

/// Request ids to entries. Holds no more requests than there are entries, plus
/// a few whose first event is yet to come.
#[derive(Default)]
pub(crate) struct Index {
    targets: HashMap<Arc<str>, OfTarget>,
}

impl Index {
    pub(super) fn get(&mut self, target: &str, id: &str) -> Option<&mut Request> {
        self.targets.get_mut(target)?.requests.get_mut(id)
    }

    /// The current entry of a request.
    pub(crate) fn current(&self, target: &str, id: &str) -> Option<u64> {
        self.targets
            .get(target)?
            .requests
            .get(id)?
            .hops
            .last()
            .copied()
    }

    /// The request, made if need be for an entry or for early information.
    pub(super) fn request(&mut self, target: &Arc<str>, id: &str, early: bool) -> &mut Request {
        let of_target = self.targets.entry(Arc::clone(target)).or_default();
        if !of_target.requests.contains_key(id) {
            if early {
                if of_target.early >= MAX_EARLY {
                    // Those that waited longest belong to requests whose first
                    // event was never sent.
                    of_target
                        .requests
                        .retain(|_, request| !request.hops.is_empty());
                    of_target.early = 0;
                }
                of_target.early += 1;
            }
        } else if !early && of_target.requests[id].hops.is_empty() {
            of_target.early = of_target.early.saturating_sub(1);
        }
        of_target.requests.entry(id.into()).or_default()
    }

    /// No event of this target will come any more.
    pub(crate) fn target_gone(&mut self, target: &str) {
        self.targets.remove(target);
    }

    /// An entry is gone.
    pub(crate) fn evicted(&mut self, entry: &Entry) {
        let (What::Network(network), Some(target)) = (&entry.what, &entry.target) else {
            return;
        };
        let Some(of_target) = self.targets.get_mut(target) else {
            return;
        };
        if let Some(request) = of_target.requests.get_mut(&*network.request_id) {
            request.drop_hop(entry.number);
            if request.hops.is_empty() {
                of_target.requests.remove(&*network.request_id);
            }
        }
        if of_target.requests.is_empty() {
            self.targets.remove(target);
        }
    }

    /// An entry that was stored is back.
    pub(crate) fn restored(&mut self, entry: &Entry) {
        let (What::Network(network), Some(target)) = (&entry.what, &entry.target) else {
            return;
        };
        let request = self.request(target, &network.request_id, false);
        if request.hops.is_empty() {
            request.forgotten = network.hop;
        }
        request.add_hop(entry.number);
    }

    pub(crate) fn clear(&mut self) {
        self.targets.clear();
    }
}

impl Request {
    pub(super) fn add_hop(&mut self, number: u64) {
        if self.hops.len() == MAX_HOPS {
            self.hops.remove(0);
            self.forgotten += 1;
            self.extra.forget_hop();
        }
        self.hops.push(number);
    }

    fn drop_hop(&mut self, number: u64) {
        if let Some(at) = self.hops.iter().position(|hop| *hop == number) {
            self.hops.remove(at);
            self.forgotten += 1;
            self.extra.forget_hop();
        }
    }

    /// Which hop the next entry is.
    pub(super) fn next_hop(&self) -> u32 {
        self.forgotten + self.hops.len() as u32
    }
}
