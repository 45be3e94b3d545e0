//! The ledger: what was set over CDP and dies with the socket, so that it can be set again.
mod book;
mod held;
mod kept;
mod rules;

pub(crate) use book::Ledger;
pub(crate) use held::Held;
pub(crate) use kept::KeptEntry;
pub(crate) use rules::{Phase, adds, is_sticky, phase};
