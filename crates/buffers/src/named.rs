//! Values that stand behind a telling name in free text: `password=…`, `token: '…'`, `"api_key": "…"`.
//!
//! The names are fewer than those of fields and addresses: `code`, `key`, `session` and their like are everyday
//! words in text. What counts as a value, so that prose stays as it is:
//!
//! - behind a name in quotes and a colon: whatever stands in quotes, or a number;
//! - behind a bare name: what stands in quotes, where it looks like a value and not like the end of a quotation;
//! - directly behind `=`: the next word, unless it is `null`, `undefined`, `true` or the like;
//! - behind a colon, or `=` and a space: the next word, if it has a digit and at least six characters. So
//!   `password: required` and `token: expired` stay.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::redact::MARK;

/// Which names are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// Those in quotes, as in JSON. Programs and markup stay as they are.
    Quoted,
    /// Bare ones too, as people write them to a console.
    Any,
}

/// How a telling name ends.
const ENDS: &str = "(?i)(?:token|secret|password|passwd|pwd|api[_.-]?key|access[_.-]?key|credential|jwt|\
                    authorization|session[_.-]?id)";

/// The end of a telling name, the quote behind it, and the sign.
static NAMED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&[ENDS, r#"(\\{0,7}["'])?[ \t]{0,8}([:=])"#].concat()).ok());

/// A property with a telling name, as CDP describes one.
static PROPERTY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&[r#""name":"[^"]*"#, ENDS, "\""].concat()).ok());

/// Whether any telling name stands in the text as it would before a value.
pub(crate) fn is_any(input: &str) -> bool {
    NAMED.as_ref().is_none_or(|pattern| pattern.is_match(input))
}

/// Whether a property with a telling name is described in JSON.
pub(crate) fn is_property(json: &str) -> bool {
    PROPERTY
        .as_ref()
        .is_none_or(|pattern| pattern.is_match(json))
}

/// The text without the values behind telling names. Takes time in proportion to its length.
pub(crate) fn clean(input: &str, names: Names) -> Cow<'_, str> {
    let Some(pattern) = NAMED.as_ref() else {
        // The pattern is constant and tested; were it wrong, nothing is kept.
        return Cow::Borrowed(MARK);
    };
    let mut out = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(found) = pattern.captures_at(input, from) {
        let (Some(whole), Some(sign)) = (found.get(0), found.get(2)) else {
            break;
        };
        from = whole.end();
        let named = Named {
            input,
            start: whole.start(),
            quote: found.get(1).map(|quote| quote.as_str()),
            is_colon: sign.as_str() == ":",
            after: whole.end(),
        };
        if let Some((secret, quote)) = named.secret(names) {
            out.push_str(&input[copied..secret.start]);
            out.push_str(quote);
            out.push_str(MARK);
            out.push_str(quote);
            copied = secret.end;
            from = secret.end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(input);
    }
    out.push_str(&input[copied..]);
    Cow::Owned(out)
}

/// A telling name and the sign behind it.
struct Named<'a> {
    input: &'a str,
    /// Where the telling end of the name begins.
    start: usize,
    /// The quote that closes the name, with the backslashes of a quotation in a quotation.
    quote: Option<&'a str>,
    is_colon: bool,
    /// Behind the sign.
    after: usize,
}

impl<'a> Named<'a> {
    /// What is secret, and in which quotes the mark must be put so that JSON stays JSON.
    fn secret(&self, names: Names) -> Option<(Range<usize>, &'a str)> {
        let rest = &self.input[self.after..];
        let value = rest.trim_start_matches([' ', '\t']);
        let at = self.after + rest.len() - value.len();
        if value.starts_with(MARK) {
            return None;
        }
        let bare = match self.quote {
            Some(quote) if self.is_colon => return of_quoted(value, at, quote),
            Some(_) => return None,
            None => names == Names::Any,
        };
        if !bare {
            return None;
        }
        let is_apart = at > self.after;
        let secret = match opening(value) {
            Some(quote) => self.in_quotes(value, quote, is_apart),
            None => self
                .is_word(word(value), is_apart)
                .then(|| 0..word(value).len()),
        }?;
        Some((at + secret.start..at + secret.end, ""))
    }

    /// Behind a bare name; what follows may also be the quote that closes a label: `"Password:" is empty`.
    fn in_quotes(&self, value: &str, quote: &str, is_apart: bool) -> Option<Range<usize>> {
        if self.is_colon && !is_apart && !self.is_in_list() {
            return None;
        }
        if value[quote.len()..].starts_with(MARK) {
            return None;
        }
        let inside = match closed(value, quote) {
            Some(inside) => inside,
            None => quote.len()..quote.len() + word(&value[quote.len()..]).len(),
        };
        let text = value[inside.clone()].trim_start();
        let is_value =
            text.contains(char::is_alphanumeric) && !text.starts_with([',', '}', ']', ')', ':']);
        is_value.then_some(inside)
    }

    /// Whether the name is that of a property: `{token:"…"` or `, token:"…"`.
    fn is_in_list(&self) -> bool {
        let before = &self.input.as_bytes()[self.start.saturating_sub(64)..self.start];
        let name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
        let mut before = before.iter().rev().skip_while(|byte| name(byte));
        before
            .find(|byte| **byte != b' ')
            .is_some_and(|byte| b"{,(".contains(byte))
    }

    fn is_word(&self, word: &str, is_apart: bool) -> bool {
        const NOTHING: &[&str] = &["null", "undefined", "true", "false", "none", "nan"];
        if !self.is_colon && !is_apart {
            return !word.is_empty()
                && !word.starts_with('=')
                && !NOTHING
                    .iter()
                    .any(|nothing| word.eq_ignore_ascii_case(nothing));
        }
        // Line and column stand directly behind a colon.
        let may_be_digits = is_apart || word.contains(char::is_alphabetic);
        may_be_digits
            && word.len() >= 6
            && word.contains(|c: char| c.is_ascii_digit())
            && !word.contains("://")
    }
}

/// Behind a name in quotes.
fn of_quoted<'a>(value: &str, at: usize, name: &'a str) -> Option<(Range<usize>, &'a str)> {
    if let Some(quote) = opening(value) {
        let inside = closed(value, quote).unwrap_or_else(|| {
            let line = value.find('\n').unwrap_or(value.len());
            quote.len()..line
        });
        let text = &value[inside.clone()];
        let is_secret = !text.is_empty() && !text.starts_with(MARK);
        return is_secret.then(|| (at + inside.start..at + inside.end, ""));
    }
    let number = value
        .find(|c: char| !(c.is_ascii_digit() || ".+-eE".contains(c)))
        .unwrap_or(value.len());
    let is_number = value.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    (is_number && number > 0).then(|| (at..at + number, name))
}

/// The quote with which a text begins, with the backslashes before it.
fn opening(text: &str) -> Option<&str> {
    let slashes = text
        .bytes()
        .take(8)
        .take_while(|byte| *byte == b'\\')
        .count();
    let quote = *text.as_bytes().get(slashes)?;
    b"\"'`".contains(&quote).then(|| &text[..=slashes])
}

/// What stands in the quotes with which a text begins, if they are closed on the same line. In a quotation in a
/// quotation each backslash is doubled, and each quote has one more.
fn closed(text: &str, quote: &str) -> Option<Range<usize>> {
    let deep = quote.len() - 1;
    let mark = quote.as_bytes()[deep];
    let mut slashes = 0;
    for (at, byte) in text.bytes().enumerate().skip(quote.len()) {
        match byte {
            b'\n' => return None,
            b'\\' => slashes += 1,
            _ => {
                // With fewer it is the end of the quotation around it.
                let closes = slashes < deep || slashes % (2 * (deep + 1)) == deep;
                if byte == mark && closes {
                    return Some(quote.len()..at - slashes.min(deep));
                }
                slashes = 0;
            }
        }
    }
    None
}

/// The word with which a text begins.
fn word(text: &str) -> &str {
    let end = text
        .find(|c: char| c.is_whitespace() || c.is_control() || "\"'`\\&,;)}]<>|".contains(c))
        .unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_behind_telling_names_go() {
        for (before, after) in [
            ("password=hunter2", "password=[redacted]"),
            (
                "login with password=hunter2, ok",
                "login with password=[redacted], ok",
            ),
            ("api_key=abcdef&x=1", "api_key=[redacted]&x=1"),
            ("X-Api-Key: 9f8e7d6c", "X-Api-Key: [redacted]"),
            (
                "the token: eyJhbGciOi9.x is sent",
                "the token: [redacted] is sent",
            ),
            ("password: hunter2", "password: [redacted]"),
            ("password = \"x y\"", "password = \"[redacted]\""),
            (
                "{user: 'me', password: 's3cret'}",
                "{user: 'me', password: '[redacted]'}",
            ),
            (
                "f({accessToken:\"abc\"})",
                "f({accessToken:\"[redacted]\"})",
            ),
            ("{\"password\":\"x\"}", "{\"password\":\"[redacted]\"}"),
            (
                "{\"password\" : \"a\\\"b\", \"n\":1}",
                "{\"password\" : \"[redacted]\", \"n\":1}",
            ),
            ("{\"token\":12345}", "{\"token\":\"[redacted]\"}"),
            (
                "{\\\"secret\\\":\\\"x\\\",\\\"n\\\":1}",
                "{\\\"secret\\\":\\\"[redacted]\\\",\\\"n\\\":1}",
            ),
            (
                "Error: login failed, client_secret='abc'\n    at f",
                "Error: login failed, client_secret='[redacted]'\n    at f",
            ),
            (
                "AWS_SECRET_ACCESS_KEY=abc/def",
                "AWS_SECRET_ACCESS_KEY=[redacted]",
            ),
            ("a password=é1 b", "a password=[redacted] b"),
        ] {
            assert_eq!(clean(before, Names::Any), after);
        }
    }

    #[test]
    fn prose_and_programs_stay() {
        for text in [
            "token expired",
            "token: expired",
            "password: required field",
            "Password: must have 8 characters",
            "the field \"Password:\" is empty, see \"Help\"",
            "<input placeholder=\"Password:\" name=\"x\">",
            "<input type=\"password\" value=\"x\">",
            "token=null, password=undefined",
            "if (token === other) password == x; token => 1; token != 2",
            "Unexpected token '<', \"<!DOCTYPE\" is not valid JSON",
            "Unexpected token: '}'",
            "at getToken (https://h/token.js:12:3456)",
            "at getToken:1234:5678",
            "key: Enter, code: KeyA1234, session: 123456",
            "{\"code\":\"E_1\",\"key\":\"Enter\",\"password\":null,\"token\":true,\"secret\":\"\"}",
            "{\"a\":\"password: \",\"b\":\"y\"}",
            "tokens: 123456789, maxTokens=5",
            "{credentials: 'include'}",
            "password=[redacted] and token: '[redacted]'",
            "password=",
            "token:",
        ] {
            assert_eq!(clean(text, Names::Any), text);
        }
    }

    #[test]
    fn where_programs_stand_only_names_in_quotes_count() {
        for (before, after) in [
            (
                "{\"access_token\":\"abc\"}",
                "{\"access_token\":\"[redacted]\"}",
            ),
            (
                "var token = 'abc'; f({password:\"abc\"})",
                "var token = 'abc'; f({password:\"abc\"})",
            ),
            ("token=abc", "token=abc"),
        ] {
            assert_eq!(clean(before, Names::Quoted), after);
        }
    }

    #[test]
    fn a_long_text_takes_time_in_proportion() {
        for part in [
            "token:\\'",
            "\"password\":\"",
            "secret= ",
            "token:'",
            "\\\\\\\"token\\\\\\\":",
        ] {
            let text = part.repeat(50_000);
            // A pass that looks ahead at each name to the end would take hours here.
            assert!(clean(&text, Names::Any).len() <= 3 * text.len() + MARK.len());
        }
    }

    proptest! {
        #[test]
        fn json_stays_json_and_its_secrets_go(
            secret in "[a-z0-9 \"\\\\'é\n]{1,20}",
            other in "[a-z:= \"\\\\',]{0,30}",
            nested in any::<bool>(),
        ) {
            let secret = format!("CANARY{secret}");
            let mut json = serde_json::json!({"a": other, "password": secret, "b": {"x-api-key": secret}}).to_string();
            if nested {
                json = serde_json::json!({"text": json}).to_string();
            }
            let cleaned = clean(&json, Names::Quoted);
            prop_assert!(!cleaned.contains("CANARY"), "{}", cleaned);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&cleaned).is_ok(), "{}", cleaned);
        }

        #[test]
        fn nothing_is_cleaned_twice(text in "(token|password|\"secret\"|=|:| |'|\"|\\\\|a1|hunter22|é|\n|,){0,20}") {
            for names in [Names::Quoted, Names::Any] {
                let once = clean(&text, names).into_owned();
                prop_assert_eq!(clean(&once, names), once.as_str());
            }
        }
    }
}
