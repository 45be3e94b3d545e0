//! The protocol definition, inside the program: domains, commands, events, types and their docs.
//!
//! A domain is parsed on first use and then kept; until then it is one static string. Everything
//! handed out lives as long as the program.
mod describe;
mod dts;
mod invalid;
mod lookup;
mod model;
mod nearest;
mod search;
mod shape;
mod source;
mod validate;

pub use describe::describe;
pub use dts::dts;
pub use invalid::{Invalid, InvalidKind};
pub use lookup::{command, domain, domain_names, event, resolve, type_};
pub use model::{Command, Domain, Event, Field, Kind, Shape, Type};
pub use nearest::{NameKind, nearest, nearest_of};
pub use search::{Hit, search};
pub(crate) use source::Source;
pub use validate::validate;
