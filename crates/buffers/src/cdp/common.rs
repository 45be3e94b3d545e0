//! Shapes that several domains share.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::entry::Frame;
use crate::limits::{MAX_FRAME_URL, MAX_FRAMES, MAX_NAME};
use crate::redact;
use crate::text::keep;

/// A string that borrows unless it has escapes in it; also inside `Option`.
#[derive(Deserialize, Default, Clone)]
pub(crate) struct Str<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl Deref for Str<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// A map of strings, in its own order. A value that is no string is skipped.
#[derive(Default)]
pub(crate) struct Headers<'a>(pub(crate) Vec<(Str<'a>, Str<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Headers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Headers<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("headers")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut headers = Vec::with_capacity(16);
                while let Some(pair) = map.next_entry()? {
                    headers.push(pair);
                }
                Ok(Headers(headers))
            }
        }
        deserializer.deserialize_map(Map)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StackTrace<'a> {
    #[serde(borrow, default)]
    pub(crate) description: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(crate) call_frames: Vec<CallFrame<'a>>,
    #[serde(borrow, default)]
    pub(crate) parent: Option<Box<StackTrace<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallFrame<'a> {
    #[serde(borrow, default)]
    pub(crate) function_name: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) url: Str<'a>,
    #[serde(default)]
    pub(crate) line_number: Option<i64>,
    #[serde(default)]
    pub(crate) column_number: Option<i64>,
}

/// Lines and columns as CDP counts them: from 0.
#[derive(Default, Clone, Copy)]
pub(crate) struct Position(pub(crate) Option<i64>, pub(crate) Option<i64>);

impl Position {
    /// As people count them: from 1; 0 is unknown.
    pub(crate) fn for_people(self) -> (u32, u32) {
        let up = |n: Option<i64>| {
            n.and_then(|n| u32::try_from(n.checked_add(1)?).ok())
                .unwrap_or(0)
        };
        (up(self.0), up(self.1))
    }
}

impl StackTrace<'_> {
    /// All frames, innermost first, those of async parents behind.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut trace = Some(self);
        let mut outer = false;
        while let Some(current) = trace {
            for (index, call) in current.call_frames.iter().enumerate() {
                if frames.len() == MAX_FRAMES {
                    return frames;
                }
                let (line, column) = Position(call.line_number, call.column_number).for_people();
                let joined_by = (outer && index == 0).then(|| {
                    let how = current.description.as_deref().unwrap_or("async");
                    keep(how, MAX_NAME)
                });
                frames.push(Frame {
                    function: keep(&call.function_name, MAX_NAME),
                    url: keep(&redact::url(&call.url), MAX_FRAME_URL),
                    line,
                    column,
                    joined_by,
                });
            }
            outer = true;
            trace = current.parent.as_deref();
        }
        frames
    }
}
