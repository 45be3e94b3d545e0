//! The one task that moves a link: bytes in and out, timers, dials.
//!
//! Handles and the task share [`Shared`]: a handle submits under a short lock and wakes the task, so a
//! call costs no channel and, on a current-thread runtime, no change of thread.
mod dialing;
mod shared;
mod task;

pub(crate) use shared::{Settled, Shared, now};
pub(crate) use task::Driver;
