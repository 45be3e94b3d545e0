//! Console messages: from event to entry, and merged after a loss.

mod build;
mod format;
mod replay;

pub(crate) use build::{api, exception, log};
pub(crate) use replay::{New, Seen, Store as ReplayStore, Tally};
