//! What a process of ours ends with. Stable: scripts depend on these numbers.

/// It happened.
pub const OK: u8 = 0;
/// It failed: the page, the browser or the machine said no.
pub const FAILED: u8 = 1;
/// The command line or the request is wrong; nothing was tried.
pub const USAGE: u8 = 2;
/// Some items failed; the message names them.
pub const PARTIAL: u8 = 3;
/// It left us and nobody can say whether it happened.
pub const OUTCOME_UNKNOWN: u8 = 4;
/// A person must act: an approval, Chrome's Allow prompt, a hand-over.
pub const NEEDS_PERSON: u8 = 5;
/// No such session, tab, run or element.
pub const NOT_THERE: u8 = 6;
/// A policy refused it; nothing was tried.
pub const REFUSED: u8 = 7;
/// No connection, and recovery gave up (or there is nothing to connect to).
pub const NO_CONNECTION: u8 = 8;
/// The time given was over.
pub const DEADLINE: u8 = 124;
