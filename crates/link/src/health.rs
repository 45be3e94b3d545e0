//! How a link does, for `status`.
use std::time::{Duration, Instant};

use crate::{Epoch, State};

/// A snapshot of how a link does.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// The state.
    pub state: State,
    /// The present or last connection.
    pub epoch: Epoch,
    /// Age of the last byte from the browser; `None` before the first.
    pub last_byte: Option<Duration>,
    /// Median round trip of recent commands to the browser itself.
    pub rtt_p50: Option<Duration>,
    /// 99th percentile of the same.
    pub rtt_p99: Option<Duration>,
    /// Attempts in the present outage.
    pub attempts: u32,
    /// When the next attempt starts.
    pub next_attempt: Option<Instant>,
    /// Commands that were sent and are not answered.
    pub in_flight: usize,
    /// Commands that wait for a connection or a target.
    pub parked: usize,
    /// Targets that are known.
    pub targets: usize,
    /// What was counted since the link was made.
    pub counters: Counters,
}

/// What is counted since the link was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Connections lost.
    pub losses: u64,
    /// Gap records made.
    pub gaps: u64,
    /// Commands sent again after a loss.
    pub repeated: u64,
    /// Answers that came after their command had settled.
    pub late: u64,
    /// Answers and events that belong to nothing: unknown ids, unknown sessions.
    pub stray: u64,
    /// Messages that are not CDP.
    pub malformed: u64,
    /// Probes sent.
    pub probes: u64,
}
