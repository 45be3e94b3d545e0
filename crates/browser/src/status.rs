//! How a session does.
use keeptab_link::Health;

use crate::driver::{Shared, now};

/// A snapshot for people and for `keeptab status`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// State, epoch, age of the last byte, round trips, attempts and counters of the link.
    pub health: Health,
    /// Notices that readers of events lost by being slow, all readers together.
    pub dropped: u64,
}

impl Status {
    pub(crate) fn of(shared: &Shared) -> Self {
        let core = shared.lock();
        Self {
            health: core.link.health(now()),
            dropped: core.dropped(),
        }
    }
}
