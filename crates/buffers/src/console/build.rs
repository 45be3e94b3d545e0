//! From event to entry.

use crate::cdp::{ConsoleApiCalled, EntryAdded, ExceptionThrown, Position, RemoteObject};
use crate::entry::{Console, ConsoleKind, Frame, Level};
use crate::limits::{MAX_ARGS, MAX_FRAME_URL, MAX_NAME, MAX_TEXT};
use crate::redact;
use crate::text::keep;

use super::format;

/// FNV-1a: small, and the same in every build and on every machine, because
/// its values are stored.
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    /// Of a long text, its length and its beginning.
    fn add(&mut self, text: &str) -> &mut Self {
        const ENOUGH: usize = 2_048;
        let length = (text.len() as u64).to_le_bytes();
        for byte in text.as_bytes().iter().take(ENOUGH).chain(&length) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self
    }
}

/// A call of the console API, and whether it is loose: where a frame is gone,
/// all arguments of its messages are replayed as one string.
pub(crate) fn api(event: &ConsoleApiCalled<'_>) -> Result<(Console, bool), serde_json::Error> {
    let raw = event.args.map_or("[]", |raw| raw.get());
    let args: Vec<RemoteObject<'_>> = serde_json::from_str(raw)?;
    let text = format::text(&args);
    let stack = event
        .stack_trace
        .as_ref()
        .map(|trace| trace.frames())
        .unwrap_or_default();
    // What changes from one connection to the next (object ids), with what
    // the page does afterwards (descriptions) or with how it was asked for
    // (previews) must not count.
    let mut hash = Hash::new();
    hash.add(&event.kind);
    for arg in &args {
        hash.add(&arg.kind)
            .add(arg.subtype.as_deref().unwrap_or_default());
        hash.add(arg.class_name.as_deref().unwrap_or_default());
        hash.add(arg.value.map_or("", |raw| raw.get()));
        hash.add(arg.unserializable_value.as_deref().unwrap_or_default());
    }
    let loose = matches!(args.as_slice(), [only] if &*only.kind == "string");
    let console = Console {
        level: match &*event.kind {
            "error" | "assert" => Level::Error,
            "warning" => Level::Warning,
            "debug" => Level::Debug,
            _ => Level::Info,
        },
        kind: ConsoleKind::Api(keep(&event.kind, MAX_NAME)),
        text: keep(&redact::console(&text), MAX_TEXT),
        stack,
        args: (!args.is_empty() && raw.len() <= MAX_ARGS)
            .then(|| redact::arguments(raw).into_owned())
            .filter(|clean| clean.len() <= 2 * MAX_ARGS),
        request_id: None,
        frame: None,
        recovered: false,
        key: (event.timestamp.to_bits(), hash.0),
    };
    Ok((console, loose))
}

/// An exception that nobody caught.
pub(crate) fn exception(event: &ExceptionThrown<'_>) -> Console {
    let details = &event.exception_details;
    let mut text = String::new();
    if let Some(exception) = &details.exception {
        format::value(exception, &mut text);
    }
    let words = &*details.text;
    if text.is_empty() {
        text.push_str(words);
    } else if !words.is_empty() {
        text.insert_str(0, &format!("{words} "));
    }
    let at = Position(details.line_number, details.column_number).for_people();
    let mut stack = details
        .stack_trace
        .as_ref()
        .map(|trace| trace.frames())
        .unwrap_or_default();
    if stack.is_empty()
        && let Some(url) = &details.url
    {
        stack.push(place(url, at));
    }
    let class = details
        .exception
        .as_ref()
        .and_then(|e| e.class_name.as_deref());
    let mut hash = Hash::new();
    hash.add("exception")
        .add(words)
        .add(class.unwrap_or_default());
    hash.add(&format!("{at:?}"));
    Console {
        level: Level::Error,
        kind: ConsoleKind::Exception,
        text: keep(&redact::console(&text), MAX_TEXT),
        stack,
        args: None,
        request_id: None,
        frame: None,
        recovered: false,
        key: (event.timestamp.to_bits(), hash.0),
    }
}

/// A message of the browser itself.
pub(crate) fn log(event: &EntryAdded<'_>) -> Console {
    let entry = &event.entry;
    let at = Position(entry.line_number, None).for_people();
    let mut stack = entry
        .stack_trace
        .as_ref()
        .map(|trace| trace.frames())
        .unwrap_or_default();
    if stack.is_empty()
        && let Some(url) = &entry.url
    {
        stack.push(place(url, at));
    }
    let mut hash = Hash::new();
    hash.add(&entry.source).add(&entry.level).add(&entry.text);
    hash.add(entry.url.as_deref().unwrap_or_default());
    Console {
        level: match &*entry.level {
            "error" => Level::Error,
            "warning" => Level::Warning,
            "verbose" => Level::Debug,
            _ => Level::Info,
        },
        kind: ConsoleKind::Log(keep(&entry.source, MAX_NAME)),
        text: keep(&redact::console(&entry.text), MAX_TEXT),
        stack,
        args: None,
        request_id: entry
            .network_request_id
            .as_deref()
            .map(|id| keep(id, MAX_NAME)),
        frame: None,
        recovered: false,
        key: (entry.timestamp.to_bits(), hash.0),
    }
}

fn place(url: &str, (line, column): (u32, u32)) -> Frame {
    Frame {
        function: String::new(),
        url: keep(&redact::url(url), MAX_FRAME_URL),
        line,
        column,
        joined_by: None,
    }
}
