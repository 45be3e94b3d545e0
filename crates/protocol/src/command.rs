//! What typed commands and events have in common.
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A CDP command: the value is its parameters.
pub trait Command: Serialize {
    /// Full name, such as `Page.navigate`.
    const METHOD: &'static str;
    /// What the browser answers; [`Empty`] when it answers with no fields.
    type Returns: DeserializeOwned;
}

/// A CDP event: the value is its parameters.
pub trait Event: DeserializeOwned {
    /// Full name, such as `Page.frameNavigated`.
    const METHOD: &'static str;
}

/// The answer of a command that returns nothing. Fields that a newer browser adds are ignored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}
