//! The ledger: what was set over CDP and dies with the socket, so that it can be set again.
//!
//! | module | what belongs there |
//! |---|---|
//! | `book` | the entries of one target, and what the calls that were done make of them |
//! | `entry` | one entry |
//! | `rules` | which call sets, adds, removes or forgets what, and its phase in the restore |
//! | `given_ids` | ids that the browser hands out, and those that callers know instead |
//! | `restoring` | what is set again, in which order, and what cannot be |
//! | `held` | keys, buttons and fingers that are down |
//! | `kept` | a ledger as it is written down for the next process |
mod book;
mod entry;
mod given_ids;
mod held;
mod kept;
mod restoring;
mod rules;
#[cfg(test)]
mod sample;

pub(crate) use book::Ledger;
pub(crate) use held::Held;
pub(crate) use kept::KeptEntry;
pub(crate) use rules::{Phase, adds, is_sticky, phase};
