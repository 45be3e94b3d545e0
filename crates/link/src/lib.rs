//! The link: one logical CDP connection that survives sockets, as a pure state machine.
//!
//! There is no socket, no clock and no task in here. A driver feeds it inputs ([`Link::received`],
//! [`Link::lost`], [`Link::timeout`], [`Link::submit`], …), each with the present time, and after
//! every input takes all outputs with [`Link::poll`] and arms one timer with
//! [`Link::poll_timeout`]. So every fault can be replayed in microseconds, under a seed.
//!
//! What a driver must know:
//!
//! - **Every submitted command settles exactly once** with [`Output::Settle`], whatever happens.
//! - **Ids that die with a socket are handled here.** Parameters are checked and stripped when they
//!   are *sent* (only then is the epoch known: a command may have waited), and results and events
//!   leave with their ids already tagged. Nobody above calls `keeptab_protocol::handles` for
//!   traffic that goes through a link; a stale id settles as [`NotSent::StaleHandle`].
//! - **Raw CDP session ids never leave the link.** A target is addressed by its target id; where
//!   the protocol shows a `sessionId`, callers see `target:<targetId>` and may send it back.
//! - There is never more than one dial or transport: [`Output::Dial`] comes only when the previous
//!   transport is gone or [`Output::Abort`] was output before it.
#![forbid(unsafe_code)]

mod adoption;
mod attaching;
mod backoff;
mod cause;
mod command;
mod commands;
mod config;
mod contexts;
mod documents;
mod ending;
mod envelope;
mod frame;
mod gap;
mod health;
mod heartbeat;
mod hung;
mod identity;
mod ids;
mod incoming;
mod inheritance;
mod ledger;
mod link;
mod losing;
mod output;
mod pending;
mod quick;
mod readback;
mod recovery;
mod refusals;
mod replay;
mod rtt;
mod settle;
mod setup;
mod snapshot;
mod standing;
mod state;
mod table;
mod target;
mod target_events;
mod targets;
mod timers;

pub use bytestring::ByteString as Str;
pub use cause::{Cause, DialError, DialInfo, Transport};
pub use command::Submit;
pub use config::{AttachPolicy, Backoff, Config, Limits, ReplacedPolicy};
pub use gap::{
    BornDocument, Gap, Handover, Identity, NotRestored, Stream, StreamGap, UnknownOutcome, Verdict,
};
pub use health::{Counters, Health};
pub use ids::{Epoch, Route, TargetId, Token};
pub use inheritance::{InFlight, Inheritance, StillOpen};
pub use link::Link;
pub use output::{EventMsg, Lapse, Output, TargetChange};
pub use settle::{CdpError, NotSent, Settlement, TargetEnd};
pub use snapshot::{Snapshot, SnapshotError};
pub use state::{State, StateChange};
pub use target::{Condition, Dialog, TargetInfo};
