//! The states of a link.
use std::fmt;
use std::time::{Duration, Instant};

use crate::{Cause, Epoch};

/// Where a link stands.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Made, not opened.
    Idle,
    /// The first connection is being made.
    Connecting {
        /// Which attempt, from 1.
        attempt: u32,
        /// When the next attempt starts; `None` while one is under way.
        next: Option<Instant>,
    },
    /// A person must allow the connection in the browser.
    WaitingForHuman {
        /// Since when.
        since: Instant,
    },
    /// Commands and events flow.
    Connected {
        /// Which connection.
        epoch: Epoch,
    },
    /// Connected over a pipe that cannot be replaced, and the browser is silent. It goes back to
    /// `Connected` with the first byte.
    Unresponsive {
        /// Which connection.
        epoch: Epoch,
        /// The last byte from the browser.
        since: Instant,
    },
    /// The connection was lost and is being made anew, or what was set is being restored.
    Reconnecting {
        /// Which attempt; 0 is the one made at once.
        attempt: u32,
        /// When the loss was noticed.
        since: Instant,
        /// Why it was lost.
        cause: Cause,
        /// When the next attempt starts; `None` while one is under way.
        next: Option<Instant>,
    },
    /// Given up. Nothing is tried any more unless [`crate::Link::reconnect`] is called.
    Disconnected {
        /// Why.
        cause: Cause,
    },
    /// Ended on request, for good.
    Closed,
}

impl State {
    /// A stable word for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting { .. } => "connecting",
            Self::WaitingForHuman { .. } => "waiting_for_human",
            Self::Connected { .. } => "connected",
            Self::Unresponsive { .. } => "unresponsive",
            Self::Reconnecting { .. } => "reconnecting",
            Self::Disconnected { .. } => "disconnected",
            Self::Closed => "closed",
        }
    }

    /// Whether nothing will happen any more without being asked.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Disconnected { .. } | Self::Closed)
    }
}

/// A change of state. Its `Display` is the log line for it.
#[derive(Debug, Clone, PartialEq)]
pub struct StateChange {
    /// The new state.
    pub state: State,
    /// For `Connected` after a loss: how long the link was without a usable connection.
    pub outage: Option<Duration>,
    /// For `Connected` after a loss: what it cost, see [`crate::Gap::summary`].
    pub cost: Option<String>,
}

impl fmt::Display for StateChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Idle => f.write_str("Not connected"),
            State::Connecting { attempt, .. } => write!(f, "Connecting (attempt {attempt})"),
            State::WaitingForHuman { .. } => {
                f.write_str("Waiting for a person to click Allow in the browser")
            }
            State::Connected { epoch } => match self.outage {
                None => write!(f, "Connected (epoch {epoch})"),
                Some(outage) => {
                    write!(f, "Reconnected (epoch {epoch}, {} ms", outage.as_millis())?;
                    if let Some(cost) = &self.cost {
                        write!(f, ", {cost}")?;
                    }
                    f.write_str(")")
                }
            },
            State::Unresponsive { .. } => f.write_str("The browser does not answer"),
            State::Reconnecting {
                attempt: 0,
                cause,
                next: None,
                ..
            } => {
                write!(f, "Connection lost ({cause})")
            }
            State::Reconnecting {
                attempt,
                next: Some(_),
                ..
            } => {
                write!(f, "Waiting before attempt {attempt}")
            }
            State::Reconnecting { attempt, .. } => write!(f, "Reconnecting (attempt {attempt})"),
            State::Disconnected { cause } => write!(f, "Disconnected ({cause})"),
            State::Closed => f.write_str("Closed"),
        }
    }
}
