//! Taking secrets out, before anything is kept.
//!
//! What is recognised: the values of headers that carry credentials, user names
//! and passwords in addresses, all query values of WebSocket addresses,
//! telling query values of other addresses, `Bearer` and `Basic` credentials in
//! text, telling fields of what is posted, and in text what stands behind a
//! telling name (see [`crate::named`]): in JSON, and on the console also
//! `name=value` and `name: value`. The bodies of answers are treated as text.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem;
use regex::Regex;
use serde_json::Value;

use crate::named::{self, Names};

/// What stands where a secret was.
pub(crate) const MARK: &str = "[redacted]";

const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "x-amz-security-token",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-xsrf-token",
];

/// Whether the value that goes by this name is a secret. The name may have
/// any case and separators.
fn is_telling(name: &str) -> bool {
    const TELLING: &[&str] = &[
        "accesskey",
        "apikey",
        "auth",
        "authorization",
        "clientsecret",
        "code",
        "credential",
        "idtoken",
        "jwt",
        "key",
        "passwd",
        "password",
        "pwd",
        "refreshtoken",
        "secret",
        "session",
        "sessionid",
        "sid",
        "sig",
        "signature",
        "token",
    ];
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .take(64)
        .collect();
    TELLING.contains(&plain.as_str())
        || [
            "token",
            "secret",
            "password",
            "apikey",
            "signature",
            "credential",
        ]
        .iter()
        .any(|end| plain.ends_with(end))
}

/// The value of a header, as it may be kept.
pub(crate) fn header<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if name.eq_ignore_ascii_case("cookie") {
        let names = value.split(';').map(|pair| match pair.split_once('=') {
            Some((name, _)) => format!("{}={MARK}", name.trim()),
            None => MARK.to_owned(),
        });
        return Cow::Owned(names.collect::<Vec<_>>().join("; "));
    }
    if name.eq_ignore_ascii_case("set-cookie") {
        return Cow::Owned(
            value
                .split('\n')
                .map(set_cookie)
                .collect::<Vec<_>>()
                .join("\n"),
        );
    }
    if SECRET_HEADERS
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
    {
        let scheme = value.split_once(' ').map(|(scheme, _)| scheme);
        return Cow::Owned(match scheme {
            Some(scheme @ ("Basic" | "Bearer" | "Digest" | "Negotiate")) => {
                format!("{scheme} {MARK}")
            }
            _ => MARK.to_owned(),
        });
    }
    text(value)
}

/// The name and the attributes of a cookie stay.
fn set_cookie(line: &str) -> String {
    let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
    let name = pair.split_once('=').map_or("", |(name, _)| name.trim());
    let mut out = format!("{name}={MARK}");
    for attribute in attributes.split(';').map(str::trim) {
        let known = attribute
            .split('=')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let known = [
            "domain",
            "expires",
            "httponly",
            "max-age",
            "partitioned",
            "path",
            "priority",
            "samesite",
            "secure",
        ]
        .contains(&known.as_str());
        if known {
            out.push_str("; ");
            out.push_str(attribute);
        }
    }
    out
}

/// Text that may contain addresses or credentials. Works on JSON too: what is
/// replaced holds no quote and no backslash.
pub(crate) fn text(input: &str) -> Cow<'_, str> {
    then(places(input), |clean| named::clean(clean, Names::Quoted))
}

/// What was said on a console: text in which people also write `name=value`.
pub(crate) fn console(input: &str) -> Cow<'_, str> {
    then(places(input), |clean| named::clean(clean, Names::Any))
}

/// What a call of the console was given, as JSON.
pub(crate) fn arguments(raw: &str) -> Cow<'_, str> {
    if !named::is_any(raw) && !named::is_property(raw) {
        return text(raw);
    }
    match serde_json::from_str(raw) {
        Ok(mut value) => {
            clean_strings(&mut value);
            Cow::Owned(value.to_string())
        }
        // It came as JSON; what cannot be read is not kept.
        Err(_) => Cow::Borrowed("[]"),
    }
}

fn clean_strings(value: &mut Value) {
    match value {
        Value::String(said) => {
            if let Cow::Owned(clean) = console(said) {
                *said = clean;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(clean_strings),
        Value::Object(fields) => {
            // A property of an object, as a preview shows it.
            let named = fields.get("name").and_then(Value::as_str);
            if named.is_some_and(is_telling_in_text)
                && let Some(Value::String(shown)) = fields.get_mut("value")
            {
                *shown = MARK.to_owned();
            }
            fields.values_mut().for_each(clean_strings);
        }
        _ => {}
    }
}

fn is_telling_in_text(name: &str) -> bool {
    named::is_any(&format!("{name}:"))
}

/// One step after another, without a copy where nothing is found.
fn then<'a>(input: Cow<'a, str>, next: impl Fn(&str) -> Cow<'_, str>) -> Cow<'a, str> {
    let clean = match next(&input) {
        Cow::Owned(clean) => Some(clean),
        Cow::Borrowed(kept) => (kept.len() != input.len()).then(|| kept.to_owned()),
    };
    clean.map_or(input, Cow::Owned)
}

/// Addresses and credentials that a scheme announces.
fn places(input: &str) -> Cow<'_, str> {
    static ADDRESS: LazyLock<memmem::Finder<'static>> =
        LazyLock::new(|| memmem::Finder::new("://"));
    let bytes = input.as_bytes();
    let mut out: Cow<'_, str> = Cow::Borrowed(input);
    if ADDRESS.find(bytes).is_some() {
        out = addresses(input);
    }
    for scheme in ["Bearer ", "Basic "] {
        if memmem::find(out.as_bytes(), scheme.as_bytes()).is_some() {
            out = Cow::Owned(credentials(&out, scheme));
        }
    }
    out
}

fn credentials(input: &str, scheme: &str) -> String {
    let mut out = String::with_capacity(input.len());
    let mut rest = input;
    while let Some(at) = rest.find(scheme) {
        let (before, after) = rest.split_at(at + scheme.len());
        out.push_str(before);
        let end = after
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-._~+/=".contains(c)))
            .unwrap_or(after.len());
        // A word of prose is shorter than any credential worth hiding.
        let secret = end >= 8;
        out.push_str(if secret { MARK } else { &after[..end] });
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

fn addresses(input: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(found) = memmem::find(&input.as_bytes()[from..], b"://") {
        let colon = from + found;
        let start = input[..colon]
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
            .map_or(0, |at| {
                at + input[at..].chars().next().map_or(1, char::len_utf8)
            });
        let length = input[colon..]
            .find(|c: char| c.is_whitespace() || c.is_control() || "\"'<>\\`{}|^".contains(c))
            .unwrap_or(input.len() - colon);
        let end = colon + length;
        if start >= copied
            && let Cow::Owned(clean) = url(&input[start..end])
        {
            out.push_str(&input[copied..start]);
            out.push_str(&clean);
            copied = end;
        }
        from = end.max(colon + 3);
    }
    if copied == 0 {
        return Cow::Borrowed(input);
    }
    out.push_str(&input[copied..]);
    Cow::Owned(out)
}

/// An address, as it may be kept.
pub(crate) fn url(input: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = input.split_once("://") else {
        return Cow::Borrowed(input);
    };
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(authority_end);
    let userinfo = authority.rfind('@');
    let all_values = scheme.eq_ignore_ascii_case("ws") || scheme.eq_ignore_ascii_case("wss");
    let clean_tail = tail.contains(['?', '#']).then(|| queries(tail, all_values));
    if userinfo.is_none() && clean_tail.as_deref().is_none_or(|clean| clean == tail) {
        return Cow::Borrowed(input);
    }
    let mut out = format!("{scheme}://");
    match userinfo {
        Some(at) => {
            out.push_str(MARK);
            out.push_str(&authority[at..]);
        }
        None => out.push_str(authority),
    }
    out.push_str(clean_tail.as_deref().unwrap_or(tail));
    Cow::Owned(out)
}

/// The part from `?` on, in which the fragment counts too: tokens are handed
/// over in it.
fn queries(tail: &str, all_values: bool) -> String {
    let mut out = String::with_capacity(tail.len());
    let mut in_query = false;
    let mut in_query_values = false;
    for part in tail.split_inclusive(['?', '#', '&', ';']) {
        let (pair, separator) = match part.char_indices().next_back() {
            Some((at, c)) if "?#&;".contains(c) => (&part[..at], &part[at..]),
            _ => (part, ""),
        };
        match pair.split_once('=') {
            Some((name, value))
                if in_query
                    && !value.is_empty()
                    && ((all_values && in_query_values) || is_telling(name)) =>
            {
                out.push_str(name);
                out.push('=');
                out.push_str(MARK);
            }
            // A bare word after the `?` of a WebSocket address is a token.
            None if all_values && in_query_values && !pair.is_empty() => out.push_str(MARK),
            _ => out.push_str(pair),
        }
        out.push_str(separator);
        match separator {
            "?" => (in_query, in_query_values) = (true, true),
            "#" => (in_query, in_query_values) = (true, false),
            _ => {}
        }
    }
    out
}

/// What a page posts: fields of a form or of JSON with telling names are
/// replaced.
pub(crate) fn post_data(input: &str) -> String {
    static JSON_FIELD: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#""([^"\\]{1,64})"\s*:\s*("(?:[^"\\]|\\.)*"?|[0-9.eE+-]+)"#).ok()
    });
    static FORM_PART: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?s)name="([^"]{1,64})"\r?\n\r?\n(.*?)(\r?\n--|$)"#).ok());
    let trimmed = input.trim_start();
    let clean = if trimmed.starts_with(['{', '[']) {
        replaced(&JSON_FIELD, input, |name| format!("\"{name}\":\"{MARK}\""))
    } else if trimmed.starts_with("--") {
        replaced(&FORM_PART, input, |name| {
            format!("name=\"{name}\"\n\n{MARK}\n--")
        })
    } else {
        queries(&format!("?{input}"), false)[1..].to_owned()
    };
    text(&clean).into_owned()
}

fn replaced(
    pattern: &LazyLock<Option<Regex>>,
    input: &str,
    with: impl Fn(&str) -> String,
) -> String {
    match pattern.as_ref() {
        Some(pattern) => pattern
            .replace_all(input, |found: &regex::Captures<'_>| {
                if is_telling(&found[1]) {
                    with(&found[1])
                } else {
                    found[0].to_owned()
                }
            })
            .into_owned(),
        // The patterns are constant and tested; were one wrong, nothing is kept.
        None => MARK.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_headers_go_and_names_stay() {
        for (name, value, kept) in [
            (
                "Cookie",
                "sid=abc; theme=dark",
                "sid=[redacted]; theme=[redacted]",
            ),
            ("cookie", "abc", "[redacted]"),
            (
                "Set-Cookie",
                "sid=abc==; Path=/; HttpOnly\nb=secret; x=secret; Secure",
                "sid=[redacted]; Path=/; HttpOnly\nb=[redacted]; Secure",
            ),
            ("set-cookie", "secret", "=[redacted]"),
            ("Authorization", "Bearer abc.def", "Bearer [redacted]"),
            ("authorization", "opaque", "[redacted]"),
            ("Proxy-Authorization", "Basic dTpw", "Basic [redacted]"),
            ("X-Api-Key", "k", "[redacted]"),
            ("Accept", "text/html", "text/html"),
            (
                "Location",
                "https://u:p@h/?token=t&a=1",
                "https://[redacted]@h/?token=[redacted]&a=1",
            ),
        ] {
            assert_eq!(header(name, value), kept, "{name}: {value}");
        }
    }

    #[test]
    fn credentials_in_addresses_go() {
        for (before, after) in [
            ("https://h/a?b=1&c=2#d", "https://h/a?b=1&c=2#d"),
            (
                "wss://u:p@h:1/p?x=1&y=2",
                "wss://[redacted]@h:1/p?x=[redacted]&y=[redacted]",
            ),
            ("ws://h/devtools?sometoken", "ws://h/devtools?[redacted]"),
            (
                "https://h/?access_token=s&q=cats",
                "https://h/?access_token=[redacted]&q=cats",
            ),
            (
                "https://h/cb#id_token=s&state=1",
                "https://h/cb#id_token=[redacted]&state=1",
            ),
            (
                "https://h/?X-Amz-Signature=s",
                "https://h/?X-Amz-Signature=[redacted]",
            ),
            ("https://h/@user/?a=b@c", "https://h/@user/?a=b@c"),
            ("data:text/plain,hi", "data:text/plain,hi"),
        ] {
            assert_eq!(url(before), after);
        }
    }

    #[test]
    fn credentials_in_text_go_and_the_text_stays() {
        for (before, after) in [
            (
                "open wss://h/?t=s1 and ws://u:p@h failed",
                "open wss://h/?t=[redacted] and ws://[redacted]@h failed",
            ),
            (
                r#"{"u":"wss://h/?t=s1","v":"é"}"#,
                r#"{"u":"wss://h/?t=[redacted]","v":"é"}"#,
            ),
            ("sent Bearer abcdefgh.ij ok", "sent Bearer [redacted] ok"),
            ("Basic understanding is fine", "Basic [redacted] is fine"),
            ("Bearer of news", "Bearer of news"),
            ("é://é é://u@h", "é://é é://[redacted]@h"),
            ("://", "://"),
        ] {
            assert_eq!(text(before), after);
        }
    }

    #[test]
    fn objects_on_the_console_keep_their_names_and_lose_their_secrets() {
        let raw = r#"[{"type":"string","value":"token=abc\nhttps://u:p@h/"},{"type":"object","preview":{"properties":[{"name":"password","type":"string","value":"s3cret"},{"name":"user","type":"string","value":"me"}]}}]"#;
        let clean = arguments(raw);
        assert!(
            clean.contains("password") && clean.contains("\"me\""),
            "{clean}"
        );
        for secret in ["abc", "u:p", "s3cret"] {
            assert!(!clean.contains(secret), "{clean}");
        }
        let plain = r#"[{"type":"string","value":"said"}]"#;
        assert!(matches!(arguments(plain), Cow::Borrowed(kept) if kept == plain));
    }

    #[test]
    fn telling_fields_of_posts_go() {
        for (before, after) in [
            (
                "user=me&password=hunter2&x=1",
                "user=me&password=[redacted]&x=1",
            ),
            (
                r#"{"user":"me","password": "hu\"nter"}"#,
                r#"{"user":"me","password":"[redacted]"}"#,
            ),
            (
                r#"{"pin":1,"apiKey":12}"#,
                r#"{"pin":1,"apiKey":"[redacted]"}"#,
            ),
            (r#"{"password":"cut of"#, r#"{"password":"[redacted]""#),
            (
                "--b\r\nContent-Disposition: form-data; name=\"pwd\"\r\n\r\nhunter2\r\n--b--",
                "--b\r\nContent-Disposition: form-data; name=\"pwd\"\n\n[redacted]\n--b--",
            ),
        ] {
            assert_eq!(post_data(before), after);
        }
    }
}
