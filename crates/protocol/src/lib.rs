//! The Chrome DevTools Protocol: typed commands and events, method classes, the embedded spec, and
//! the ids that die with a connection.
//!
//! Each domain is a module behind a cargo feature of the same name; `all` turns on every one.
//!
//! ```
//! use keeptab_protocol::{Class, Command, Raw, page::Navigate};
//!
//! let command = Navigate::new("https://example.org/");
//! let params = Raw::of(&command)?;
//! assert_eq!(Navigate::METHOD, "Page.navigate");
//! assert_eq!(params.as_str(), r#"{"url":"https://example.org/"}"#);
//! assert_eq!(Class::of(Navigate::METHOD), Class::E);
//! # Ok::<(), keeptab_protocol::EncodeError>(())
//! ```
#![forbid(unsafe_code)]

mod class;
mod command;
mod generated;
pub mod handles;
mod json;
mod macros;
mod raw;
pub mod spec;

pub use class::Class;
pub use command::{Command, Empty, Event};
#[allow(unused_imports, reason = "a build without any domain has none")]
pub use generated::domains::*;
pub use raw::{DecodeError, EncodeError, Raw};
