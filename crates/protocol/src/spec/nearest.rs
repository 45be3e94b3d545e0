//! The right name for a wrong one.
use strsim::osa_distance;

use crate::Class;
use crate::generated::spec::{EVENTS, NAMES, TYPES};

/// What a wrong name was meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// A domain, such as `Page`.
    Domain,
    /// A command, such as `Page.navigate`.
    Method,
    /// An event, such as `Page.frameNavigated`.
    Event,
    /// A type, such as `Page.Frame`.
    Type,
}

/// The full name that is most like `wrong`, if one is like it at all.
pub fn nearest(kind: NameKind, wrong: &str) -> Option<&'static str> {
    match kind {
        NameKind::Domain => nearest_of(NAMES.iter().copied(), wrong),
        NameKind::Method => nearest_full(|| Class::table().iter().map(|(name, _)| *name), wrong),
        NameKind::Event => nearest_full(|| EVENTS.iter().copied(), wrong),
        NameKind::Type => nearest_full(|| TYPES.iter().copied(), wrong),
    }
}

/// As [`nearest`], over `Domain.name` pairs. A typing error in the right domain comes first, then
/// the same name in another domain, then a longer name in the right domain, then the rest.
fn nearest_full<I: Iterator<Item = &'static str>>(
    all: impl Fn() -> I,
    wrong: &str,
) -> Option<&'static str> {
    let within = |home: Option<&str>, wanted: &str| {
        all()
            .filter_map(|full| {
                full.split_once('.')
                    .map(|(domain, name)| (full, domain, name))
            })
            .filter(|(_, domain, _)| home.is_none_or(|home| domain.eq_ignore_ascii_case(home)))
            .filter_map(|(full, _, name)| Some((distance(name, wanted)?, full)))
            .min_by_key(|(far, _)| *far)
    };
    let Some((home, name)) = wrong.split_once('.') else {
        return within(None, wrong).map(|(_, full)| full);
    };
    let meant = nearest_of(NAMES.iter().copied(), home);
    let here = within(meant, name).filter(|_| meant.is_some());
    let anywhere = within(None, name);
    match (here, anywhere) {
        (Some((far, full)), Some((0, _))) if far <= ONE_TYPO => Some(full),
        (_, Some((0, full))) => Some(full),
        (Some((_, full)), _) | (None, Some((_, full))) => Some(full),
        (None, None) => None,
    }
}

/// The candidate that is most like `wrong`, if one is like it at all.
pub fn nearest_of<'a>(candidates: impl Iterator<Item = &'a str>, wrong: &str) -> Option<&'a str> {
    candidates
        .filter_map(|candidate| Some((distance(candidate, wrong)?, candidate)))
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// The distance that one wrong letter makes.
const ONE_TYPO: usize = 2;

/// How far two names are from each other; `None` when they have nothing to do with each other.
fn distance(candidate: &str, wrong: &str) -> Option<usize> {
    /// Longer input is not a mistyped name.
    const LONGEST: usize = 80;
    if wrong.is_empty() || wrong.len() > LONGEST {
        return None;
    }
    let candidate = candidate.to_ascii_lowercase();
    let wrong = wrong.to_ascii_lowercase();
    // One typing error in three letters. Each changes the length by one at most.
    let allowed = wrong.chars().count().max(3) / 3;
    let typo = (candidate.len().abs_diff(wrong.chars().count()) <= allowed)
        .then(|| osa_distance(&candidate, &wrong))
        .filter(|edits| *edits <= allowed)
        .map(|edits| edits * ONE_TYPO);
    // `screenshot` for `captureScreenshot`.
    let part = (wrong.len() >= 4 && candidate.contains(&wrong))
        .then(|| 3 + (candidate.len() - wrong.len()) / 4);
    match (typo, part) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
