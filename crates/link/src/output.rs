//! What a link asks its driver to do, and what it tells.
use std::time::{Duration, Instant};

use bytes::Bytes;
use keeptab_protocol::Raw;

use crate::{
    Condition, Epoch, Gap, NotRestored, Settlement, StateChange, Str, TargetEnd, TargetId,
    TargetInfo, Token,
};

/// One thing to do or to tell.
#[derive(Debug, Clone)]
pub enum Output {
    /// Resolve the address anew and connect; report with [`crate::Link::dialed`] or
    /// [`crate::Link::dial_failed`].
    Dial {
        /// For people: 0 is the attempt made at once.
        attempt: u32,
        /// Give up after this long, and report [`crate::DialError::Unreachable`].
        patience: Duration,
        /// How long to keep waiting once the handshake is known to wait for a person (at least
        /// 60 s); counts from [`crate::Link::dial_waits_for_human`].
        human_patience: Duration,
    },
    /// Drop the transport, or the dial under way, without ceremony, and report nothing.
    Abort,
    /// Send these bytes as one message. What was polled counts as sent, whatever becomes of it.
    Send(Bytes),
    /// Send a WebSocket ping.
    Ping,
    /// A command has ended.
    Settle {
        /// Which.
        token: Token,
        /// How.
        settlement: Settlement,
        /// The connection it was last sent over, or the present one.
        epoch: Epoch,
    },
    /// The browser sent an event.
    Event(EventMsg),
    /// The state changed.
    State(StateChange),
    /// What may have been missed at a loss. Comes before the first event of the new connection.
    Gap(Box<Gap>),
    /// A target came, changed or went.
    Target(TargetChange),
    /// A setting was made, and the very next output settles the call that made it: a driver that keeps
    /// snapshots keeps one before it hands that on.
    Keep,
}

/// An event. Cloning is cheap; `params` shares the memory of the message.
#[derive(Debug, Clone, PartialEq)]
pub struct EventMsg {
    /// The connection it came over.
    pub epoch: Epoch,
    /// The target it is about; `None` for the browser itself.
    pub target: Option<TargetId>,
    /// Full name, such as `Page.frameNavigated`.
    pub method: Str,
    /// The `params` member, with ids tagged, and session ids replaced by handles.
    pub params: Raw,
}

/// What happened to a target.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TargetChange {
    /// There is a new one.
    Created(Box<TargetInfo>),
    /// Its address or title changed.
    Info(Box<TargetInfo>),
    /// Commands reach it, and everything set on it is in force.
    Ready(TargetId),
    /// Its console was switched off by a caller and on again by the link: what the browser has kept
    /// of it is told once more, until [`TargetChange::Ready`].
    Retells(TargetId),
    /// A domain that one caller needs was switched off by another.
    Lapsed(Lapse),
    /// It does better or worse.
    Condition(TargetId, Condition),
    /// Something that was set on it is not in force, found out after the gap record was made.
    NotRestored(NotRestored),
    /// It is gone.
    Gone(Box<TargetInfo>, TargetEnd),
}

/// A time in which a target told less than a caller needs: another one switched a domain off, and the link
/// on again right behind it. What its domain tells once more is not missed, see [`TargetChange::Retells`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lapse {
    /// Which target.
    pub target: TargetId,
    /// The call that switches it on; `Target.detachFromTarget` when the other caller detached from the
    /// target, and all of it is off.
    pub method: Str,
    /// Since when it was off. It ends now, unless it was refused.
    pub since: Instant,
    /// Why it stays off, if it does.
    pub refused: Option<String>,
}
