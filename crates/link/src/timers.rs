//! The clocks of a link, except those of commands and of the heartbeat.
use std::collections::BTreeSet;
use std::time::Instant;

use crate::TargetId;

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The next attempt to connect.
    Dial,
    /// The browser has not answered who it is.
    Greeting,
    /// The gap record waits no longer for slow targets.
    Gap,
    /// Look for targets that do not answer.
    Hung,
    /// A connection has held for a while.
    Settled,
    /// Commands that were in flight when a dialog opened have had their chance.
    Dialog(TargetId),
    /// The details of a crash have not come.
    Crashed(TargetId),
    /// A target whose session ended was not destroyed either.
    Detached(TargetId),
    /// A target takes too long to become ready.
    Setup(TargetId),
    /// Try again what a leftover of our old socket blocks.
    Retry(TargetId),
}

/// Everything that is due one day, earliest first.
#[derive(Debug, Default)]
pub(crate) struct Timers(BTreeSet<(Instant, Timer)>);

impl Timers {
    pub(crate) fn set(&mut self, at: Instant, timer: Timer) {
        self.clear(&timer);
        self.0.insert((at, timer));
    }

    pub(crate) fn clear(&mut self, timer: &Timer) {
        self.0.retain(|(_, other)| other != timer);
    }

    pub(crate) fn clear_all(&mut self) {
        self.0.clear();
    }

    pub(crate) fn has(&self, timer: &Timer) -> bool {
        self.0.iter().any(|(_, other)| other == timer)
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    pub(crate) fn due(&mut self, now: Instant) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, timer)| timer)
    }
}
