//! How one id is marked with its epoch, and how a mark is read.
//!
//! A string gets a prefix, `e2:`. A whole number gets `(epoch - 1) · 2³²` added, which a double
//! holds exactly up to epoch two million; the ids themselves count up from one.
use std::ops::Range;

use super::Reason;
use crate::json::{Malformed, decode};

/// What to do with each id.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    /// Mark it with this epoch.
    Tag(u32),
    /// It must have the mark of this epoch; take it off.
    Check(u32),
}

/// What becomes of one id.
pub(super) enum Rewrite {
    Keep,
    Replace(Range<usize>, String),
    Refuse(String, Reason),
}

impl Mark {
    /// A string id, given the place between its quotes.
    pub(super) fn text(self, text: &str, inside: Range<usize>) -> Result<Rewrite, Malformed> {
        if inside.is_empty() {
            return Ok(Rewrite::Keep);
        }
        let now = match self {
            Self::Tag(epoch) => {
                return Ok(Rewrite::Replace(
                    inside.start..inside.start,
                    format!("e{epoch}:"),
                ));
            }
            Self::Check(epoch) => epoch,
        };
        let id = decode(text, inside.clone())?;
        let (of, bare) = split(&id);
        if of != now {
            return Ok(Rewrite::Refuse(
                id.into_owned(),
                Reason::OtherEpoch { of, now },
            ));
        }
        let quoted = serde_json::to_string(bare).map_err(|_| Malformed)?;
        Ok(Rewrite::Replace(inside.start - 1..inside.end + 1, quoted))
    }

    /// A whole-number id, given its place. Zero and below mean "none" and stay as they are.
    pub(super) fn number(self, text: &str, place: Range<usize>) -> Rewrite {
        let word = &text[place.clone()];
        let Some(id) = whole(word) else {
            return Rewrite::Keep;
        };
        if id <= 0 {
            return Rewrite::Keep;
        }
        match self {
            Self::Tag(epoch) => match id.checked_add(offset(epoch)) {
                Some(tagged) => Rewrite::Replace(place, tagged.to_string()),
                None => Rewrite::Keep,
            },
            Self::Check(now) => {
                let of = u32::try_from(id >> 32)
                    .unwrap_or(u32::MAX)
                    .saturating_add(1);
                if of == now {
                    Rewrite::Replace(place, (id - offset(now)).to_string())
                } else {
                    Rewrite::Refuse(word.to_owned(), Reason::OtherEpoch { of, now })
                }
            }
        }
    }
}

fn offset(epoch: u32) -> i64 {
    i64::from(epoch.saturating_sub(1)) << 32
}

/// The epoch of a string id, and the id as Chromium made it. Without a mark it is of epoch 1.
fn split(id: &str) -> (u32, &str) {
    id.strip_prefix('e')
        .and_then(|rest| rest.split_once(':'))
        .filter(|(digits, _)| {
            digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
        })
        .and_then(|(digits, bare)| Some((digits.parse().ok()?, bare)))
        .unwrap_or((1, id))
}

/// A JSON number as a whole number; JavaScript may write `4294967301` as `4.294967301e9`.
fn whole(word: &str) -> Option<i64> {
    if let Ok(number) = word.parse() {
        return Some(number);
    }
    let number: f64 = word.parse().ok()?;
    // Up to 2⁵³ a double is exact, so the conversion loses nothing.
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}
