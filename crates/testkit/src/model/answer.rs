//! How a method answers.

use serde_json::{Value, json};

/// How a method answers.
pub(super) enum Answer {
    Result(Value),
    Error(i64, String),
    /// Never, or when what it waits for has happened.
    Later,
}

pub(super) fn done() -> Answer {
    Answer::Result(json!({}))
}

pub(super) fn refused(message: &str) -> Answer {
    Answer::Error(-32000, message.to_owned())
}

pub(super) fn text(params: &Value, key: &str) -> String {
    params[key].as_str().unwrap_or_default().to_owned()
}
