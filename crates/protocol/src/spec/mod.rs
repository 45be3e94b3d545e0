//! The protocol definition, inside the program: domains, commands, events, types and their docs.
//!
//! A domain is parsed on first use and then kept; until then it is one static string. Everything
//! handed out lives as long as the program.
mod lookup;
mod model;
mod source;

pub use lookup::{command, domain, domain_names, event, resolve, type_};
pub use model::{Command, Domain, Event, Field, Kind, Shape, Type};
pub(crate) use source::Source;
