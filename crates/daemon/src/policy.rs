//! Where a tab may be sent, and which commands snippets may not send.
//!
//! This is the courteous first layer: it answers before anything happens and says why. What a page
//! does by itself is not its business.

mod address;
mod commands;

pub(crate) use address::address;
pub(crate) use commands::{known, permit};
