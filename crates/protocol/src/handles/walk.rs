//! Finding the ids in a text by the generated tables, and rewriting only them.
use std::ops::Range;

use super::tag::{Mark, Rewrite};
use super::{Carries, Fields, Reason, StaleHandle, Step};
use crate::Raw;
use crate::generated::handles::{COMMANDS, EVENTS};
use crate::json::{Cursor, Malformed, Start, is_json};

/// Chromium itself refuses to nest messages deeper than 300; ids below this are not touched, and
/// an id that was not marked is refused when it comes back.
const MAX_DEPTH: u32 = 400;

/// Marks every id in the result of `method` that dies with the connection `epoch` (1 = first).
///
/// In epoch 1, and for a method whose result holds no such ids, the same text is handed back.
pub fn tag_result(method: &str, raw: Raw, epoch: u32) -> Raw {
    if epoch <= 1 {
        return raw;
    }
    match carries(method).and_then(|carries| carries.result.as_ref()) {
        Some(fields) => tag(fields, raw, epoch),
        None => raw,
    }
}

/// As [`tag_result`], for the parameters of an event.
pub fn tag_event(method: &str, raw: Raw, epoch: u32) -> Raw {
    if epoch <= 1 {
        return raw;
    }
    match EVENTS.binary_search_by_key(&method, |(name, _)| name) {
        Ok(at) => tag(&EVENTS[at].1, raw, epoch),
        Err(_) => raw,
    }
}

/// Takes the marks of `epoch` off the parameters of `method`.
///
/// In epoch 1 nothing was ever marked, so the same text is handed back unread. A method that is
/// not in the spec is handed back unread as well.
///
/// # Errors
/// When a parameter holds an id of another connection, or, in a later epoch than the first, when
/// the parameters of a method that takes such ids are not JSON.
pub fn check_params(method: &str, raw: Raw, epoch: u32) -> Result<Raw, StaleHandle> {
    if epoch <= 1 {
        return Ok(raw);
    }
    let Some(fields) = carries(method).and_then(|carries| carries.params.as_ref()) else {
        return Ok(raw);
    };
    let stale = |(field, handle, reason): Refusal| StaleHandle {
        method: method.to_owned(),
        field,
        handle,
        reason,
    };
    // A text that Chromium would read in another way than this walk does must not pass.
    if is_json(raw.as_str()).is_err() {
        return Err(stale((String::new(), String::new(), Reason::Unreadable)));
    }
    let mut walk = Walk::new(raw.as_str(), Mark::Check(epoch));
    walk.root(fields);
    match walk.refusal {
        Some(refusal) => Err(stale(refusal)),
        None => Ok(apply(&raw, walk.edits)),
    }
}

/// Field, id, reason.
type Refusal = (String, String, Reason);

fn carries(method: &str) -> Option<&'static Carries> {
    let at = COMMANDS
        .binary_search_by_key(&method, |(name, _)| name)
        .ok()?;
    Some(&COMMANDS[at].1)
}

fn tag(fields: &'static Fields, raw: Raw, epoch: u32) -> Raw {
    let mut walk = Walk::new(raw.as_str(), Mark::Tag(epoch));
    walk.root(fields);
    if walk.broken {
        // Not JSON: nothing in it can be used as an id anyway.
        return raw;
    }
    apply(&raw, walk.edits)
}

struct Walk<'a> {
    cursor: Cursor<'a>,
    mark: Mark,
    edits: Vec<(Range<usize>, String)>,
    refusal: Option<Refusal>,
    broken: bool,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str, mark: Mark) -> Self {
        Self {
            cursor: Cursor::new(text),
            mark,
            edits: Vec::new(),
            refusal: None,
            broken: false,
        }
    }

    fn root(&mut self, fields: &'static Fields) {
        let read = self.object(fields, 0);
        self.broken = read.is_err() || !self.cursor.at_end();
        if self.broken && matches!(self.mark, Mark::Check(_)) && self.refusal.is_none() {
            self.refusal = Some((String::new(), String::new(), Reason::Unreadable));
        }
    }

    fn object(&mut self, fields: &'static Fields, depth: u32) -> Result<(), Malformed> {
        if self.cursor.start()? != Start::Object {
            return self.cursor.skip().map(drop);
        }
        if depth > MAX_DEPTH {
            self.too_deep();
            return self.cursor.skip().map(drop);
        }
        let mut members = self.cursor.enter_object()?;
        while let Some(key) = self.cursor.next_key(&mut members)? {
            // A key that comes twice is walked twice: nobody knows which one the browser takes.
            match fields.0.iter().find(|(name, _)| *name == key) {
                Some((name, step)) => self.value(name, step, depth + 1)?,
                None => self.cursor.skip().map(drop)?,
            }
        }
        Ok(())
    }

    fn value(
        &mut self,
        name: &'static str,
        step: &'static Step,
        depth: u32,
    ) -> Result<(), Malformed> {
        match (step, self.cursor.start()?) {
            (Step::Object(fields), Start::Object) => self.object(fields, depth),
            (Step::List(inner), Start::Array) => {
                if depth > MAX_DEPTH {
                    self.too_deep();
                    return self.cursor.skip().map(drop);
                }
                let mut members = self.cursor.enter_array()?;
                while self.cursor.next_item(&mut members)? {
                    self.value(name, inner, depth + 1)?;
                }
                Ok(())
            }
            (Step::Text, Start::String) => {
                let inside = self.cursor.string()?;
                let rewrite = self.mark.text(self.cursor.text(), inside)?;
                self.take(name, rewrite);
                Ok(())
            }
            (Step::Number, Start::Number) => {
                let place = self.cursor.word()?;
                let rewrite = self.mark.number(self.cursor.text(), place);
                self.take(name, rewrite);
                Ok(())
            }
            // Not the kind that the protocol wants here; the browser says so.
            _ => self.cursor.skip().map(drop),
        }
    }

    fn take(&mut self, name: &'static str, rewrite: Rewrite) {
        match rewrite {
            Rewrite::Keep => {}
            Rewrite::Replace(place, text) => self.edits.push((place, text)),
            Rewrite::Refuse(handle, reason) => {
                self.refusal
                    .get_or_insert_with(|| (name.to_owned(), handle, reason));
            }
        }
    }

    fn too_deep(&mut self) {
        if matches!(self.mark, Mark::Check(_)) {
            self.refusal
                .get_or_insert_with(|| (String::new(), String::new(), Reason::Unreadable));
        }
    }
}

/// The text with its edits, which are in the order of their places.
fn apply(raw: &Raw, edits: Vec<(Range<usize>, String)>) -> Raw {
    if edits.is_empty() {
        return raw.clone();
    }
    let text = raw.as_str();
    let added: usize = edits.iter().map(|(_, new)| new.len()).sum();
    let mut out = String::with_capacity(text.len() + added);
    let mut done = 0;
    for (place, new) in edits {
        out.push_str(&text[done..place.start]);
        out.push_str(&new);
        done = place.end;
    }
    out.push_str(&text[done..]);
    Raw::from(out)
}
