//! The text of a console call, as DevTools would show it.

use std::fmt::Write;

use crate::cdp::{Preview, RemoteObject};
use crate::limits::MAX_TEXT;

/// The arguments, joined by spaces; a format string in front is filled in.
pub(super) fn text(args: &[RemoteObject<'_>]) -> String {
    let mut out = String::new();
    let mut rest = args;
    if let Some((first, others)) = args.split_first()
        && !others.is_empty()
        && &*first.kind == "string"
    {
        let format = string_of(first);
        if format.contains('%') {
            rest = fill(&format, others, &mut out);
            if !rest.is_empty() {
                out.push(' ');
            }
        }
    }
    for (index, arg) in rest.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        if out.len() > MAX_TEXT {
            break;
        }
        value(arg, &mut out);
    }
    out
}

/// Fills in a format string; returns the arguments it did not use.
fn fill<'a, 'b>(
    format: &str,
    mut args: &'a [RemoteObject<'b>],
    out: &mut String,
) -> &'a [RemoteObject<'b>] {
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let code = rest[at + 1..].chars().next();
        rest = &rest[at..];
        match (code, args.split_first()) {
            (Some('%'), _) => out.push('%'),
            (Some('c'), Some((_, others))) => args = others,
            (Some('s' | 'o' | 'O' | 'j'), Some((arg, others))) => {
                value(arg, out);
                args = others;
            }
            (Some(code @ ('d' | 'i' | 'f')), Some((arg, others))) => {
                number(arg, code != 'f', out);
                args = others;
            }
            _ => {
                out.push('%');
                rest = &rest[1..];
                continue;
            }
        }
        rest = &rest[2..];
    }
    out.push_str(rest);
    args
}

fn number(arg: &RemoteObject<'_>, whole: bool, out: &mut String) {
    let parsed = arg
        .value
        .and_then(|raw| raw.get().trim_matches('"').parse::<f64>().ok());
    // Writing to a String cannot fail.
    let _ = match parsed {
        Some(n) if whole => write!(out, "{}", n.trunc()),
        Some(n) => write!(out, "{n}"),
        None => write!(out, "NaN"),
    };
}

fn string_of(arg: &RemoteObject<'_>) -> String {
    arg.value
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}

/// One value.
pub(super) fn value(arg: &RemoteObject<'_>, out: &mut String) {
    if &*arg.kind == "string" {
        match arg.value.map(|raw| raw.get()) {
            // Without escapes the text between the quotes is the string.
            Some(raw) if !raw.contains('\\') => out.push_str(raw.trim_matches('"')),
            _ => out.push_str(&string_of(arg)),
        }
    } else if let Some(odd) = &arg.unserializable_value {
        out.push_str(odd);
    } else if &*arg.kind == "undefined" {
        out.push_str("undefined");
    } else if arg.subtype.as_deref() == Some("null") {
        out.push_str("null");
    } else if let Some(preview) = arg.preview.as_ref().filter(|_| is_plain(arg)) {
        with_preview(arg, preview, out);
    } else if let Some(description) = &arg.description {
        out.push_str(description);
    } else if let Some(raw) = arg.value {
        out.push_str(raw.get());
    } else {
        out.push_str(&arg.kind);
    }
}

/// Errors, dates, functions and the like say all in their description.
fn is_plain(arg: &RemoteObject<'_>) -> bool {
    &*arg.kind == "object" && matches!(arg.subtype.as_deref(), None | Some("array" | "typedarray"))
}

fn with_preview(arg: &RemoteObject<'_>, preview: &Preview<'_>, out: &mut String) {
    let list = arg.subtype.is_some();
    match arg.class_name.as_deref() {
        Some("Object" | "Array") | None => {}
        Some(class) => {
            out.push_str(class);
            out.push(' ');
        }
    }
    out.push(if list { '[' } else { '{' });
    for (index, property) in preview.properties.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        if !list {
            out.push_str(&property.name);
            out.push_str(": ");
        }
        let value = property.value.as_deref().unwrap_or(&property.kind);
        if &*property.kind == "string" {
            out.push('\'');
            out.push_str(value);
            out.push('\'');
        } else {
            out.push_str(value);
        }
    }
    if preview.overflow {
        out.push_str(", …");
    }
    out.push(if list { ']' } else { '}' });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(args: &str) -> String {
        text(&serde_json::from_str::<Vec<RemoteObject<'_>>>(args).unwrap())
    }

    #[test]
    fn values_look_as_in_devtools() {
        for (args, expected) in [
            ("[]", ""),
            (
                r#"[{"type":"string","value":"a\"b"},{"type":"number","value":1.5,"description":"1.5"}]"#,
                "a\"b 1.5",
            ),
            (
                r#"[{"type":"undefined"},{"type":"object","subtype":"null","value":null}]"#,
                "undefined null",
            ),
            (
                r#"[{"type":"number","unserializableValue":"NaN","description":"NaN"}]"#,
                "NaN",
            ),
            (r#"[{"type":"bigint","unserializableValue":"9n"}]"#, "9n"),
            (r#"[{"type":"boolean","value":true}]"#, "true"),
            (
                r#"[{"type":"object","className":"Object","description":"Object","preview":{"overflow":true,"properties":[{"name":"a","type":"number","value":"1"},{"name":"b","type":"string","value":"x"}]}}]"#,
                "{a: 1, b: 'x', …}",
            ),
            (
                r#"[{"type":"object","subtype":"array","className":"Array","description":"Array(2)","preview":{"properties":[{"name":"0","type":"number","value":"1"},{"name":"1","type":"object","value":"Array(0)"}]}}]"#,
                "[1, Array(0)]",
            ),
            (
                r#"[{"type":"object","className":"Foo","description":"Foo","preview":{"properties":[]}}]"#,
                "Foo {}",
            ),
            (
                r#"[{"type":"object","subtype":"error","description":"Error: x\n    at f","preview":{"properties":[]}}]"#,
                "Error: x\n    at f",
            ),
        ] {
            assert_eq!(shown(args), expected, "{args}");
        }
    }

    #[test]
    fn format_strings_are_filled_in() {
        let string = |s: &str| format!(r#"{{"type":"string","value":{s:?}}}"#);
        let n = r#"{"type":"number","value":3.7,"description":"3.7"}"#;
        for (format, args, expected) in [
            (
                "%cred%c plain",
                vec![string("color:red"), string("")],
                "red plain",
            ),
            (
                "%s=%d (%f) 100%%",
                vec![string("x"), n.into(), n.into()],
                "x=3 (3.7) 100%",
            ),
            ("%s", vec![string("a"), string("b")], "a b"),
            ("%s %s", vec![string("a")], "a %s"),
            ("50% of %é", vec![string("a")], "50% of %é a"),
            ("%d", vec![string("x")], "NaN"),
        ] {
            let args = format!("[{},{}]", string(format), args.join(","));
            assert_eq!(shown(&args), expected);
        }
    }
}
