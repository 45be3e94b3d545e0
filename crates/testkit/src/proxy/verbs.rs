//! The words in which faults are told.

use std::time::{Duration, Instant};

/// Which way bytes flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the browser.
    Up,
    /// From the browser to the client.
    Down,
    /// Both ways.
    Both,
}

/// How a connection is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// TCP RST.
    Rst,
    /// TCP FIN without a close frame.
    Fin,
}

/// When a connection is dropped, seen from a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropWhen {
    /// The browser never gets the command.
    Before,
    /// The browser gets the command; the drop does not wait for its reply.
    After,
    /// The browser has done it; its reply is lost.
    AtReply,
}

/// What an upgrade is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Retry-After` header, sent in whole seconds.
    pub retry_after: Option<Duration>,
}

impl Answer {
    /// A status without `Retry-After`.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            retry_after: None,
        }
    }
}

/// How slow a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Throttle {
    /// The most bytes per second in each direction.
    pub bytes_per_second: Option<u64>,
    /// How much later than sent each frame arrives, in each direction.
    pub latency: Duration,
}

/// Ends a connection where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Rst,
    Fin,
}

impl From<How> for End {
    fn from(how: How) -> Self {
        match how {
            How::Rst => Self::Rst,
            How::Fin => Self::Fin,
        }
    }
}

/// Ends a connection between two frames, or in the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finish {
    Close {
        code: u16,
        reason: String,
        hold: bool,
    },
    Cut,
}

/// A one-time trap.
#[derive(Debug, Clone)]
pub(super) struct DropOn {
    pub(super) method: String,
    pub(super) when: DropWhen,
    pub(super) how: How,
}

/// Upgrades are answered, until then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate {
    pub(super) answer: Answer,
    pub(super) until: Instant,
}

impl Gate {
    pub(super) fn new(answer: Answer, time: Duration) -> Self {
        Self {
            answer,
            until: Instant::now() + time,
        }
    }
}
