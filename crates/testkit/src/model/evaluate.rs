//! The model's JavaScript: the handful of expressions that the conformance suite and the simulation use.

use serde_json::{Value, json};

/// What evaluating an expression does.
#[derive(Debug, PartialEq)]
pub(super) enum Effect {
    /// It has this value and did nothing.
    Value(Value),
    /// It has no value.
    Undefined,
    /// It reads a property of the page that overrides may change.
    Read(Read),
    /// It sets a global to a value.
    Set(String, Value),
    /// It adds one to a global that counts.
    Increment(String),
    /// It reads a global.
    Get(String),
    /// It asks whether a global function is there.
    TypeOf(String),
    /// It writes to the console.
    Log(String),
    /// It opens an alert.
    Alert(String),
    /// It opens a confirm.
    Confirm(String),
    /// It never ends.
    Spin,
    /// The model does not speak this.
    Unknown,
}

/// A property that emulation can override.
#[derive(Debug, PartialEq, Clone, Copy)]
pub(super) enum Read {
    UserAgent,
    InnerWidth,
    TimeZone,
    Href,
}

/// Reads one expression of the model's little language.
pub(super) fn parse(expression: &str) -> Effect {
    let text = expression.trim().trim_end_matches(';').trim();
    match text {
        "1+1" => return Effect::Value(json!(2)),
        "navigator.userAgent" => return Effect::Read(Read::UserAgent),
        "innerWidth" => return Effect::Read(Read::InnerWidth),
        "Intl.DateTimeFormat().resolvedOptions().timeZone" => return Effect::Read(Read::TimeZone),
        "location.href" => return Effect::Read(Read::Href),
        "for(;;)" => return Effect::Spin,
        "undefined" => return Effect::Undefined,
        _ => {}
    }
    if let Some(text) = call(text, "console.log") {
        return Effect::Log(text);
    }
    if let Some(text) = call(text, "alert") {
        return Effect::Alert(text);
    }
    if let Some(text) = call(text, "confirm") {
        return Effect::Confirm(text);
    }
    if let Some(name) = text.strip_prefix("typeof ") {
        return Effect::TypeOf(name.trim_start_matches("globalThis.").to_owned());
    }
    let Some(rest) = text.strip_prefix("globalThis.") else {
        return Effect::Unknown;
    };
    match rest.split_once('=') {
        None => Effect::Get(rest.trim().to_owned()),
        Some((name, value)) => {
            let (name, value) = (name.trim().to_owned(), value.trim());
            if value == format!("(globalThis.{name} || 0) + 1") {
                return Effect::Increment(name);
            }
            match serde_json::from_str(value) {
                Ok(value) => Effect::Set(name, value),
                Err(_) => Effect::Unknown,
            }
        }
    }
}

/// The text in `function('text')`.
fn call(text: &str, function: &str) -> Option<String> {
    let inner = text
        .strip_prefix(function)?
        .strip_prefix("('")?
        .strip_suffix("')")?;
    (!inner.contains('\'')).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_little_language() {
        assert_eq!(
            parse("globalThis.n = 4;"),
            Effect::Set("n".into(), json!(4))
        );
        assert_eq!(
            parse("globalThis.n = (globalThis.n || 0) + 1"),
            Effect::Increment("n".into())
        );
        assert_eq!(parse("globalThis.n"), Effect::Get("n".into()));
        assert_eq!(parse("alert('hi')"), Effect::Alert("hi".into()));
        assert_eq!(
            parse("typeof globalThis.report"),
            Effect::TypeOf("report".into())
        );
        assert_eq!(parse("fetch('/x')"), Effect::Unknown);
    }
}
