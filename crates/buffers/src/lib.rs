//! What the pages of a session said and asked for.
//!
//! [`Buffers`] takes CDP events and keeps two streams of numbered entries, one
//! for the console and one for the network, each bounded in entries and bytes.
//! They outlive the socket: after a loss, what the browser replays is merged
//! without duplicates, and the loss itself is an entry ([`Gap`]) that no filter
//! hides. Secrets are taken out before anything is kept.
//!
//! No clock and no I/O, except in [`Bodies`], which keeps response bodies in
//! files, and [`load`], which reads a store.
#![forbid(unsafe_code)]

mod bodies;
mod buffers;
mod cdp;
mod cleared;
mod console;
mod entry;
mod error;
mod filter;
mod gap;
mod limits;
mod losses;
mod named;
mod network;
mod persist;
mod redact;
mod render;
mod ring;
mod text;
mod wall;

pub use bodies::{Bodies, BodiesOptions};
pub use buffers::{Buffers, Stream, Taken};
pub use entry::{
    Body, BodyRef, Console, ConsoleKind, Entry, Frame, Headers, Level, Network, Outcome, Served,
    Sockets, Timing, What,
};
pub use error::{BodyError, EventError, FilterError, LoadError};
pub use filter::{Filter, Pattern, Statuses};
pub use gap::{Gap, Loss, Restored, TargetAfter, Unheard, Verdict};
pub use limits::{Bounds, Limits};
pub use persist::load;
pub use render::{Shape, detail, json, line, note_of_drops};
pub use wall::Wall;
