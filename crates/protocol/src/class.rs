//! Method classes: what repeating a CDP method would do.
use std::fmt;

use crate::generated::classes::CLASSES;

/// What happens when a method is sent a second time. It decides whether a command whose answer was
/// lost may be sent again, and whether what it set must be restored after a reconnect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Read: repeat freely, on any connection.
    R,
    /// Read that uses ids or stores of one connection: repeat on that connection only. (A read that
    /// merely *returns* such ids is [`Class::R`]: repeated, it returns those of the new connection.)
    R1,
    /// Sticky: sets something that lasts until changed and dies with the socket; the last one wins.
    S,
    /// Idempotent write: twice is the same as once, and it outlives the socket.
    I,
    /// Creates or consumes something: twice is not once, but whether it happened can be looked up.
    C,
    /// Evaluates code of the caller: what repeating does depends on that code.
    Eval,
    /// Effect: repeating may do it twice. Also everything unknown.
    E,
}

impl Class {
    /// The class of a method such as `Page.navigate`. A method that is not in the spec is
    /// [`Class::E`], the class that is never repeated.
    pub fn of(method: &str) -> Self {
        match CLASSES.binary_search_by_key(&method, |(name, _)| name) {
            Ok(found) => CLASSES[found].1,
            Err(_) => Self::E,
        }
    }

    /// Every method of the spec with its class, in the order of the names.
    pub fn table() -> &'static [(&'static str, Self)] {
        CLASSES
    }

    /// Whether a lost command of this class may be sent again on a new connection without asking.
    pub fn is_repeatable(self) -> bool {
        matches!(self, Self::R)
    }

    /// The short name: `R`, `R1`, `S`, `I`, `C`, `EVAL` or `E`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::R => "R",
            Self::R1 => "R1",
            Self::S => "S",
            Self::I => "I",
            Self::C => "C",
            Self::Eval => "EVAL",
            Self::E => "E",
        }
    }

    /// One sentence for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::R => "read; repeated silently when its answer was lost",
            Self::R1 => "read with ids that die with the connection; not repeated on a new one",
            Self::S => "setting; in force again after a reconnect",
            Self::I => "write with the same result when repeated",
            Self::C => "creates or consumes something; looked up before it is repeated",
            Self::Eval => "runs code; repeated only on request",
            Self::E => "effect; sent at most once",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
