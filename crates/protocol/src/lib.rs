//! The Chrome DevTools Protocol: typed commands and events, method classes, the embedded spec, and
//! the ids that die with a connection.
#![forbid(unsafe_code)]

mod class;
mod command;
mod generated;
pub mod handles;
mod raw;

pub use class::Class;
pub use command::{Command, Empty, Event};
pub use raw::{DecodeError, EncodeError, Raw};
