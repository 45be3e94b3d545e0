//! Why a command was refused before it was sent.

/// A command does not fit the protocol, so it was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// What is wrong.
    pub kind: InvalidKind,
    /// One line for people, with the nearest right name in it.
    pub message: String,
    /// The nearest right name by itself.
    pub hint: Option<String>,
}

/// What can be wrong with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvalidKind {
    /// There is no such domain, or the name has no domain.
    UnknownDomain,
    /// The domain has no such command.
    UnknownMethod,
    /// The command, or an object in its parameters, has no such field.
    UnknownParameter,
    /// A required parameter, or a required field in one, is not there.
    MissingParameter,
    /// A value is of another kind than the protocol wants.
    WrongType,
    /// A string is none of those that the protocol names.
    UnknownValue,
    /// The parameters are not JSON, or not an object.
    NotAnObject,
}

impl Invalid {
    pub(super) fn new(
        kind: InvalidKind,
        text: String,
        nearest: Option<&str>,
        quoted: bool,
    ) -> Self {
        let message = match nearest {
            Some(name) if quoted => format!("{text}. Did you mean '{name}'?"),
            Some(name) => format!("{text}. Did you mean {name}?"),
            None => text,
        };
        Self {
            kind,
            message,
            hint: nearest.map(str::to_owned),
        }
    }
}
