//! A cursor over JSON text: walks the few fields that matter and steps over the rest.
//!
//! Unlike a parser it knows where in the text a value lies, copies nothing, and steps over values
//! of any depth without recursion.
use std::borrow::Cow;
use std::ops::Range;

/// The text is not JSON at this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// What a value begins like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}

#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The first byte that is not white space, without passing it.
    fn peek(&mut self) -> Result<u8, Malformed> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(*byte);
            }
            self.at += 1;
        }
        Err(Malformed)
    }

    fn pass(&mut self, wanted: u8) -> Result<(), Malformed> {
        if self.peek()? == wanted {
            self.at += 1;
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    /// What the next value is.
    pub(crate) fn start(&mut self) -> Result<Start, Malformed> {
        Ok(match self.peek()? {
            b'{' => Start::Object,
            b'[' => Start::Array,
            b'"' => Start::String,
            b'-' | b'0'..=b'9' => Start::Number,
            b't' | b'f' => Start::Boolean,
            b'n' => Start::Null,
            _ => return Err(Malformed),
        })
    }

    /// Enters an object. Then call [`Cursor::next_key`] until it is `None`, passing one value
    /// after each key.
    pub(crate) fn enter_object(&mut self) -> Result<Members, Malformed> {
        self.pass(b'{')?;
        Ok(Members { first: true })
    }

    pub(crate) fn next_key(
        &mut self,
        members: &mut Members,
    ) -> Result<Option<Cow<'a, str>>, Malformed> {
        if !self.next_member(members, b'}')? {
            return Ok(None);
        }
        let inside = self.string()?;
        let key = decode(self.text, inside)?;
        self.pass(b':')?;
        Ok(Some(key))
    }

    /// Enters a list. Then call [`Cursor::next_item`] until it is false, passing one value after
    /// each.
    pub(crate) fn enter_array(&mut self) -> Result<Members, Malformed> {
        self.pass(b'[')?;
        Ok(Members { first: true })
    }

    pub(crate) fn next_item(&mut self, members: &mut Members) -> Result<bool, Malformed> {
        self.next_member(members, b']')
    }

    fn next_member(&mut self, members: &mut Members, end: u8) -> Result<bool, Malformed> {
        if self.peek()? == end {
            self.at += 1;
            return Ok(false);
        }
        if !std::mem::take(&mut members.first) {
            self.pass(b',')?;
            // `{"a":1,}`: a value must follow.
            if self.peek()? == end {
                return Err(Malformed);
            }
        }
        Ok(true)
    }

    /// Passes a string and returns the place of what is between its quotes.
    pub(crate) fn string(&mut self) -> Result<Range<usize>, Malformed> {
        self.pass(b'"')?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(Malformed),
            }
        }
        let inside = start..self.at;
        self.at += 1;
        Ok(inside)
    }

    /// Passes a number, `true`, `false` or `null` and returns its place.
    pub(crate) fn word(&mut self) -> Result<Range<usize>, Malformed> {
        self.peek()?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        while bytes
            .get(self.at)
            .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        {
            self.at += 1;
        }
        if self.at == start {
            Err(Malformed)
        } else {
            Ok(start..self.at)
        }
    }

    /// Passes a value of any kind and depth, and returns its place.
    pub(crate) fn skip(&mut self) -> Result<Range<usize>, Malformed> {
        let first = self.start()?;
        let start = self.at;
        match first {
            Start::String => {
                self.string()?;
            }
            Start::Object | Start::Array => self.skip_nested()?,
            Start::Number | Start::Boolean | Start::Null => {
                self.word()?;
            }
        }
        Ok(start..self.at)
    }

    fn skip_nested(&mut self) -> Result<(), Malformed> {
        let mut depth = 0_usize;
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at).ok_or(Malformed)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Whether only white space is left.
    pub(crate) fn at_end(&mut self) -> bool {
        self.peek().is_err()
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }
}

/// The state between two members of an object or list.
#[derive(Debug)]
pub(crate) struct Members {
    first: bool,
}

/// The text of a string, given the place between its quotes.
pub(crate) fn decode(text: &str, inside: Range<usize>) -> Result<Cow<'_, str>, Malformed> {
    let raw = text.get(inside.clone()).ok_or(Malformed)?;
    if !raw.contains('\\') {
        return Ok(Cow::Borrowed(raw));
    }
    let quoted = text
        .get(inside.start - 1..inside.end + 1)
        .ok_or(Malformed)?;
    serde_json::from_str(quoted)
        .map(Cow::Owned)
        .map_err(|_| Malformed)
}

/// Whether the text is exactly one JSON value, of any depth.
pub(crate) fn is_json(text: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<&serde_json::value::RawValue>(text).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_objects_and_steps_over_the_rest() {
        let text = r#" { "a" : [1, {"b":"]}\""}] , "\u0063":null } "#;
        let mut cursor = Cursor::new(text);
        let mut members = cursor.enter_object().unwrap();
        assert_eq!(cursor.next_key(&mut members).unwrap().unwrap(), "a");
        assert_eq!(&text[cursor.skip().unwrap()], r#"[1, {"b":"]}\""}]"#);
        assert_eq!(cursor.next_key(&mut members).unwrap().unwrap(), "c");
        assert_eq!(cursor.start(), Ok(Start::Null));
        cursor.skip().unwrap();
        assert_eq!(cursor.next_key(&mut members), Ok(None));
        assert!(cursor.at_end());
    }

    #[test]
    fn refuses_what_is_not_json() {
        for text in [
            "",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "\"abc",
            "\"abc\\",
        ] {
            let mut cursor = Cursor::new(text);
            let walked = cursor.enter_object().and_then(|mut members| {
                while cursor.next_key(&mut members)?.is_some() {
                    cursor.skip()?;
                }
                Ok(())
            });
            assert_eq!(walked, Err(Malformed), "{text}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert_eq!(Cursor::new(&deep).skip(), Ok(0..deep.len()));
    }
}
