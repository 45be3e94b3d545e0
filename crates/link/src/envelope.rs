//! Reads the outside of a message and leaves the inside alone.
//!
//! Chromium writes `id` or `method` first and the outer `sessionId` last, so a look at the head and
//! the tail routes a message of any size in nanoseconds. Whatever looks different is parsed.
use std::ops::Range;

use bytes::Bytes;
use memchr::memchr;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Bodies up to this length are checked to be one JSON object before the quick look is believed: an
/// endpoint that adds members of its own behind the body shows itself on its small messages.
const CHECKED: usize = 512;

/// The outside of a message, as places in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) session: Option<Range<usize>>,
    pub(crate) kind: Kind,
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The answer to a command.
    Reply {
        id: u32,
        ok: bool,
        body: Range<usize>,
    },
    /// An event; without `params` there is no body.
    Event {
        method: Range<usize>,
        params: Option<Range<usize>>,
    },
}

/// Not a CDP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads the outside of `message`. `quick` is turned off for good when the endpoint turns out to
/// write its messages in another order than Chromium does.
pub(crate) fn read(message: &Bytes, quick: &mut bool) -> Result<Envelope, Malformed> {
    if *quick {
        match look(message) {
            Look::Read(envelope) => return Ok(envelope),
            Look::Unusual => {}
            Look::Foreign => *quick = false,
        }
    }
    parse(message)
}

enum Look {
    Read(Envelope),
    Unusual,
    Foreign,
}

fn look(message: &[u8]) -> Look {
    let Some(inner_end) = message
        .len()
        .checked_sub(1)
        .filter(|end| message[*end] == b'}')
    else {
        return Look::Unusual;
    };
    let (session, body_end) = tail(message, inner_end);
    let (kind, body) = if let Some(rest) = message.strip_prefix(b"{\"id\":") {
        let Some((id, digits)) = number(rest) else {
            return Look::Unusual;
        };
        let at = 6 + digits;
        let rest = &message[at..];
        let (ok, skip) = if rest.starts_with(b",\"result\":{") {
            (true, 10)
        } else if rest.starts_with(b",\"error\":{") {
            (false, 9)
        } else {
            return Look::Unusual;
        };
        let body = at + skip..body_end;
        (
            Kind::Reply {
                id,
                ok,
                body: body.clone(),
            },
            body,
        )
    } else if let Some(rest) = message.strip_prefix(b"{\"method\":\"") {
        let Some(length) = memchr(b'"', &rest[..rest.len().min(128)]) else {
            return Look::Unusual;
        };
        if rest[..length].contains(&b'\\') {
            return Look::Unusual;
        }
        let method = 11..11 + length;
        if !message[method.end..].starts_with(b"\",\"params\":{") {
            return Look::Unusual;
        }
        let body = method.end + 11..body_end;
        (
            Kind::Event {
                method,
                params: Some(body.clone()),
            },
            body,
        )
    } else {
        return Look::Unusual;
    };
    // The body begins with its brace; it must also end with one.
    if body.len() < 2 || message[body.end - 1] != b'}' {
        return Look::Unusual;
    }
    if body.len() <= CHECKED && !is_one_object(&message[body]) {
        return Look::Foreign;
    }
    Look::Read(Envelope { session, kind })
}

/// Finds `,"sessionId":"…"` at the end. In valid JSON these bytes, right before the last brace, can
/// only be the outermost member: inside a string the quotes would be escaped.
fn tail(message: &[u8], inner_end: usize) -> (Option<Range<usize>>, usize) {
    const LONGEST: usize = 128;
    const NAME: &[u8] = b",\"sessionId\":\"";
    let none = (None, inner_end);
    let Some(close) = inner_end.checked_sub(1).filter(|at| message[*at] == b'"') else {
        return none;
    };
    let floor = close.saturating_sub(LONGEST);
    let Some(open) = memchr::memrchr(b'"', &message[floor..close]).map(|at| floor + at) else {
        return none;
    };
    let Some(start) = (open + 1).checked_sub(NAME.len()) else {
        return none;
    };
    if message[start..].starts_with(NAME) && !message[open + 1..close].contains(&b'\\') {
        (Some(open + 1..close), start)
    } else {
        none
    }
}

/// A number that fits an id, and how many digits it has.
fn number(text: &[u8]) -> Option<(u32, usize)> {
    let digits = text
        .iter()
        .take(11)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if digits == 0 || digits > 10 {
        return None;
    }
    let value = text[..digits]
        .iter()
        .fold(0u64, |sum, byte| sum * 10 + u64::from(byte - b'0'));
    u32::try_from(value).ok().map(|value| (value, digits))
}

/// Whether the braces outside of strings open and close exactly once around everything.
fn is_one_object(text: &[u8]) -> bool {
    let mut depth = 0usize;
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => loop {
                match bytes.next() {
                    Some(b'\\') => drop(bytes.next()),
                    Some(b'"') => break,
                    Some(_) => {}
                    None => return false,
                }
            },
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 1 => depth -= 1,
            b'}' | b']' => return depth == 1 && bytes.as_slice().is_empty(),
            _ => {}
        }
    }
    false
}

#[derive(Deserialize)]
struct Wire<'a> {
    id: Option<u32>,
    #[serde(borrow)]
    method: Option<&'a str>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow, rename = "sessionId")]
    session: Option<&'a str>,
}

fn parse(message: &[u8]) -> Result<Envelope, Malformed> {
    let wire: Wire = serde_json::from_slice(message).map_err(|_| Malformed)?;
    let place = |part: &str| {
        let start = part.as_ptr() as usize - message.as_ptr() as usize;
        start..start + part.len()
    };
    let kind = match wire {
        Wire {
            id: Some(id),
            result: Some(body),
            error: None,
            ..
        } => Kind::Reply {
            id,
            ok: true,
            body: place(body.get()),
        },
        Wire {
            id: Some(id),
            error: Some(body),
            ..
        } => Kind::Reply {
            id,
            ok: false,
            body: place(body.get()),
        },
        Wire {
            id: None,
            method: Some(method),
            params,
            ..
        } => Kind::Event {
            method: place(method),
            params: params.map(|params| place(params.get())),
        },
        _ => return Err(Malformed),
    };
    Ok(Envelope {
        session: wire.session.map(place),
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(text: &str) -> (Result<Envelope, Malformed>, bool) {
        let mut quick = true;
        let read = read(&Bytes::copy_from_slice(text.as_bytes()), &mut quick);
        if let Ok(envelope) = &read {
            assert_eq!(
                parse(text.as_bytes()).as_ref(),
                Ok(envelope),
                "the quick look differs: {text}"
            );
        }
        (read, quick)
    }

    fn part(text: &str, range: &Range<usize>) -> String {
        text[range.clone()].to_owned()
    }

    #[test]
    fn the_usual_shapes_are_read_without_a_parse() {
        for text in [
            r#"{"id":7,"result":{},"sessionId":"0123456789ABCDEF0123456789ABCDEF"}"#,
            r#"{"id":2147483647,"result":{"a":"}{\"]"}}"#,
            r#"{"id":1,"error":{"code":-32000,"message":"no"},"sessionId":"A"}"#,
            r#"{"method":"Page.loadEventFired","params":{"timestamp":1.5},"sessionId":"A"}"#,
            r#"{"method":"Target.attachedToTarget","params":{"sessionId":"B"}}"#,
        ] {
            let bytes = text.as_bytes();
            let Look::Read(quick) = look(bytes) else {
                panic!("not read quickly: {text}")
            };
            assert_eq!(parse(bytes), Ok(quick), "{text}");
        }
    }

    #[test]
    fn a_session_id_inside_the_body_is_not_the_outer_one() {
        let text = r#"{"method":"T.x","params":{"n":1,"sessionId":"B"}}"#;
        let (read, _) = both(text);
        let envelope = read.expect("is CDP");
        assert_eq!(envelope.session, None);
        let text = r#"{"id":1,"result":{"value":"a,\"sessionId\":\"C\""},"sessionId":"D"}"#;
        let (read, _) = both(text);
        let session = read.expect("is CDP").session.expect("has a session");
        assert_eq!(part(text, &session), "D");
    }

    #[test]
    fn members_in_another_order_are_parsed() {
        let text = r#"{ "sessionId":"S", "params": {"x":[1]}, "method":"A.b" }"#;
        let (read, quick) = both(text);
        assert!(
            quick,
            "an unusual message alone does not turn the quick look off"
        );
        let envelope = read.expect("is CDP");
        let Kind::Event {
            method,
            params: Some(params),
        } = envelope.kind
        else {
            panic!("an event")
        };
        assert_eq!(part(text, &method), "A.b");
        assert_eq!(part(text, &params), r#"{"x":[1]}"#);
    }

    #[test]
    fn an_endpoint_that_adds_members_behind_the_body_is_parsed_from_then_on() {
        let text = r#"{"id":1,"result":{},"extra":{}}"#;
        let (read, quick) = both(text);
        assert!(!quick);
        let Kind::Reply { body, .. } = read.expect("is CDP").kind else {
            panic!("a reply")
        };
        assert_eq!(part(text, &body), "{}");
    }

    #[test]
    fn what_is_not_cdp_is_malformed() {
        let deep = "[".repeat(1_000_000);
        for text in [
            "",
            "}",
            "{}",
            "[]",
            "null",
            "{\"id\":1}",
            "{\"id\":-1,\"result\":{}}",
            "{\"id\":1e400,\"result\":{}}",
            "{\"id\":99999999999,\"result\":{}}",
            "{\"id\":1.5,\"result\":{}}",
            "{\"method\":5,\"params\":{}}",
            "{\"id\":1,\"result\":{}",
            "\u{0}",
            "{\"id\":1,\"id\":2,\"result\":{}}",
            deep.as_str(),
        ] {
            let (read, _) = both(text);
            assert_eq!(read, Err(Malformed), "{}", &text[..text.len().min(40)]);
        }
    }

    #[test]
    fn deep_nesting_inside_a_body_is_only_bytes() {
        let text = format!(
            "{{\"id\":3,\"result\":{{\"a\":{}1{}}}}}",
            "[".repeat(200_000),
            "]".repeat(200_000)
        );
        let mut quick = true;
        assert!(read(&Bytes::from(text), &mut quick).is_ok());
    }
}
