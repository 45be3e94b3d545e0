//! The words of the wire: what is ours among the messages, and how ours are read and written.
//!
//! Nothing here copies a message or looks beyond its first bytes, except in
//! the keeper's own small, flat control objects.

use std::fmt::Write as _;

use crate::ledger::Name;

/// Version of the keeper protocol, sent as `"hello"` by the owner and as
/// `"keeper"` by the keeper.
pub const VERSION: u64 = 1;

/// Longest hello or control object that is read, in bytes.
pub(crate) const MAX_CONTROL: usize = 4096;

/// As many first bytes of a message as are needed to tell a reply from an event.
pub(crate) const HEAD: usize = 32;

const CONTROL_HEAD: &[u8] = b"{\"keeper\":";

/// The first message of an owner: `epoch` is the owner's fencing number and
/// `client` a name for messages to people. Ends with its NUL.
#[must_use]
pub fn hello(epoch: u64, client: &str) -> Vec<u8> {
    terminated(format!(
        "{{\"hello\":{VERSION},\"epoch\":{epoch},\"client\":{}}}",
        quoted(client)
    ))
}

/// Asks for the whole ledger. Ends with its NUL.
#[must_use]
pub fn ask_ledger() -> Vec<u8> {
    terminated("{\"keeper\":\"ledger?\"}".to_owned())
}

/// Asks what became of command `id`, with its reply where it was kept. Ends with its NUL.
#[must_use]
pub fn fetch(id: i32) -> Vec<u8> {
    terminated(format!("{{\"keeper\":\"fetch\",\"id\":{id}}}"))
}

/// Lets the keeper forget command `id`, or with `None` every command that was
/// answered. Ends with its NUL.
#[must_use]
pub fn acknowledge(id: Option<i32>) -> Vec<u8> {
    terminated(match id {
        Some(id) => format!("{{\"keeper\":\"ack\",\"id\":{id}}}"),
        None => "{\"keeper\":\"ack\"}".to_owned(),
    })
}

/// Ends the browser: politely (`Browser.close` first), or with `kill` at once.
/// Ends with its NUL.
#[must_use]
pub fn end(kill: bool) -> Vec<u8> {
    let how = if kill { "kill" } else { "close" };
    terminated(format!("{{\"keeper\":\"end\",\"how\":\"{how}\"}}"))
}

fn terminated(text: String) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    bytes.push(0);
    bytes
}

/// `text` as a JSON string, quotes included.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether a message from the owner is for the keeper and not for the browser.
pub(crate) fn is_control(message: &[u8]) -> bool {
    message.starts_with(CONTROL_HEAD)
}

/// The `id` of a command or reply, which must be its first member. `None` for
/// events, and for ids that are no integer of 32 bits.
pub(crate) fn leading_id(head: &[u8]) -> Option<i32> {
    let rest = head.strip_prefix(b"{")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"id\"")?.trim_ascii_start();
    let rest = rest.strip_prefix(b":")?.trim_ascii_start();
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    // A number which the head cuts off is longer than any id may be.
    let after = rest.get(digits)?;
    if !matches!(after, b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n') {
        return None;
    }
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

/// Longest method or session that is noted, in bytes.
const MAX_NAME: usize = 80;

/// What a command is, if it is written as ours are: `{"id":…,"method":…,"params":…,"sessionId":…}`. Of
/// one that is not `whole` the session is not known yet.
pub(crate) fn name(command: &[u8], whole: bool) -> Option<Name> {
    let rest = command.strip_prefix(b"{\"id\":")?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let rest = rest[digits..].strip_prefix(b",\"method\":\"")?;
    let end = memchr::memchr(b'"', &rest[..rest.len().min(MAX_NAME)])?;
    let session = if whole { last_session(command) } else { None };
    Some(Name {
        method: plain(&rest[..end])?.into(),
        session: session.and_then(plain).map(Into::into),
    })
}

/// The session at the end of a message. A text in the parameters cannot pass for it: there its quotes
/// are escaped.
pub(crate) fn last_session(message: &[u8]) -> Option<&[u8]> {
    const SESSION: &[u8] = b",\"sessionId\":\"";
    let message = message.strip_suffix(b"\"}")?;
    let tail = &message[message.len().saturating_sub(MAX_NAME + SESSION.len())..];
    let at = memchr::memmem::rfind(tail, SESSION)?;
    let session = &tail[at + SESSION.len()..];
    plain(session).is_some().then_some(session)
}

/// A name as CDP has them, which needs no quoting.
fn plain(name: &[u8]) -> Option<&str> {
    let fits = name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'.');
    std::str::from_utf8(name)
        .ok()
        .filter(|_| fits && !name.is_empty())
}

/// One value of a flat object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Number(u64),
    /// `null`, `true`, `false`, or a number that is no unsigned integer.
    Other,
}

/// A JSON object without objects or arrays in it: the shape of every message
/// to the keeper and of its state file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Flat(Vec<(String, Value)>);

impl Flat {
    /// Reads `bytes`; `None` when they are anything but one flat object.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = std::str::from_utf8(bytes)
            .ok()?
            .trim()
            .strip_prefix('{')?
            .trim_start();
        let mut fields = Vec::new();
        if rest == "}" {
            return Some(Self(fields));
        }
        loop {
            let (key, after) = string(rest)?;
            let after = after.trim_start().strip_prefix(':')?.trim_start();
            let (value, after) = value(after)?;
            fields.push((key, value));
            let after = after.trim_start();
            match after.strip_prefix(',') {
                Some(next) => rest = next.trim_start(),
                None => return (after == "}").then_some(Self(fields)),
            }
        }
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        match self.get(key)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }
}

fn value(rest: &str) -> Option<(Value, &str)> {
    if rest.starts_with('"') {
        return string(rest).map(|(text, rest)| (Value::Text(text), rest));
    }
    let end = rest.find([',', '}', ' ', '\t', '\r', '\n'])?;
    let (word, rest) = rest.split_at(end);
    match word {
        "null" | "true" | "false" => Some((Value::Other, rest)),
        _ => match word.parse() {
            Ok(number) => Some((Value::Number(number), rest)),
            Err(_) => word.parse::<f64>().ok().map(|_| (Value::Other, rest)),
        },
    }
}

/// A JSON string at the start of `rest`, and what follows it. Escapes beyond
/// the Unicode base plane (surrogate pairs) are refused: we never write them.
fn string(rest: &str) -> Option<(String, &str)> {
    let body = rest.strip_prefix('"')?;
    let mut out = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &body[at + 1..])),
            '\\' => match chars.next()?.1 {
                c @ ('"' | '\\' | '/') => out.push(c),
                'b' => out.push('\u{8}'),
                'f' => out.push('\u{c}'),
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                'u' => {
                    let mut code = 0;
                    for _ in 0..4 {
                        code = code * 16 + chars.next()?.1.to_digit(16)?;
                    }
                    out.push(char::from_u32(code)?);
                }
                _ => return None,
            },
            c if (c as u32) < 0x20 => return None,
            c => out.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_at_the_head_only() {
        assert_eq!(leading_id(br#"{"id":7,"result":{}}"#), Some(7));
        assert_eq!(leading_id(br#"{ "id" : 2147483647 }"#), Some(i32::MAX));
        assert_eq!(leading_id(br#"{"id":2147483648,"#), None);
        assert_eq!(leading_id(br#"{"id":-1,"#), None);
        assert_eq!(leading_id(br#"{"id":1.5,"#), None);
        assert_eq!(leading_id(br#"{"id":"7","#), None);
        assert_eq!(leading_id(br#"{"id":77"#), None);
        assert_eq!(leading_id(br#"{"method":"A.b","params":{"id":7}}"#), None);
        assert_eq!(leading_id(b""), None);
    }

    #[test]
    fn a_command_is_named_by_its_head_and_its_end() {
        let named = |text: &str, whole| {
            name(text.as_bytes(), whole)
                .map(|name| (name.method.to_string(), name.session.map(String::from)))
        };
        let page = r#"{"id":7,"method":"Page.navigate","params":{"url":"x\",\"sessionId\":\"C"},"sessionId":"AB"}"#;
        let method = || "Page.navigate".to_owned();
        assert_eq!(named(page, true), Some((method(), Some("AB".to_owned()))));
        assert_eq!(named(page, false), Some((method(), None)));
        let browser = r#"{"id":7,"method":"Page.navigate","params":{}}"#;
        assert_eq!(named(browser, true), Some((method(), None)));
        let nested = r#"{"id":7,"method":"Page.navigate","params":{"a":1,"sessionId":"AB"}}"#;
        assert_eq!(named(nested, true), Some((method(), None)));
        for odd in [
            r#"{"id":7,"params":{},"method":"A.b"}"#,
            r#"{"id":7,"method":"A\"b","params":{}}"#,
            r#"{"id":7,"method":""}"#,
            r#"{"id":7,"method":"#,
        ] {
            assert_eq!(named(odd, true), None, "{odd}");
        }
    }

    #[test]
    fn flat_objects_are_read_and_nothing_else() {
        let flat = Flat::parse(br#" {"a":"x\"\\\u0041\n", "n": 12 ,"t":true,"z":null,"f":-1.5} "#)
            .expect("a flat object");
        assert_eq!(flat.text("a"), Some("x\"\\A\n"));
        assert_eq!(flat.number("n"), Some(12));
        assert_eq!(flat.number("t"), None);
        assert_eq!(flat.number("f"), None);
        for bad in [
            "",
            "{",
            "[]",
            "{}x",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":{}}",
            "{\"a\":[1]}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"x}",
            "{a:1}",
            "{\"a\":x}",
        ] {
            assert_eq!(Flat::parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(Flat::parse(b"{}"), Some(Flat::default()));
    }

    #[test]
    fn quoting_and_reading_are_inverse() {
        let odd = "a\"b\\c\n\u{1}\u{7f}ü€😀";
        let object = format!("{{\"k\":{}}}", quoted(odd));
        assert_eq!(
            Flat::parse(object.as_bytes()).expect("flat").text("k"),
            Some(odd)
        );
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{{\"a\":{}", "[".repeat(1_000_000));
        assert_eq!(Flat::parse(deep.as_bytes()), None);
    }
}
