//! Text that came from a page, made safe to keep and to print.

use std::borrow::Cow;

/// Whether a terminal or a reader could be deceived by it: control characters,
/// and those that turn the direction of writing.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn breaks_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}')
}

/// On one line: line breaks and tabs become spaces, other control characters
/// go.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| is_hostile(c) || breaks_line(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if breaks_line(c) {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else if !is_hostile(c) {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// On several lines: line feeds and tabs stay, other control characters go.
pub(crate) fn block(text: &str) -> Cow<'_, str> {
    let goes = |c: char| is_hostile(c) && c != '\n' && c != '\t';
    if !text.contains(goes) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| !goes(*c)).collect())
}

/// At most `max` bytes of it, cut between characters.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// An owned copy of at most `max` bytes; a longer one ends in `…`.
pub(crate) fn keep(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut out = String::from(cut(text, max));
    out.push('…');
    out
}

/// A number of bytes for people: `12B`, `3KB`, `1.2MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 3] = ["KB", "MB", "GB"];
    if bytes < 1_000 {
        return format!("{bytes}B");
    }
    let mut value = bytes as f64 / 1e3;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1e3;
        unit += 1;
    }
    if value < 9.95 && unit > 0 {
        format!("{value:.1}{}", UNITS[unit])
    } else {
        format!("{value:.0}{}", UNITS[unit])
    }
}

/// A span of milliseconds for people: `12ms`, `3.2s`, `4m10s`.
pub(crate) fn span(ms: f64) -> String {
    if ms < 999.5 {
        format!("{:.0}ms", ms.max(0.0))
    } else if ms < 59_950.0 {
        format!("{:.1}s", ms / 1e3)
    } else {
        let seconds = (ms / 1e3).round() as u64;
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_direction_marks_are_taken_out() {
        assert_eq!(one_line("a\x1b[31mb\u{9b}c\x07\u{202e}d"), "a[31mbcd");
        assert_eq!(one_line("a\r\n\tb\u{2028}c"), "a b c");
        assert_eq!(block("a\x1b]0;x\x07\n\tb\r"), "a]0;x\n\tb");
        assert!(matches!(one_line("plain ✓"), Cow::Borrowed(_)));
    }

    #[test]
    fn cutting_never_splits_a_character() {
        assert_eq!(keep("aé✓", 2), "a…");
        assert_eq!(keep("aé✓", 3), "aé…");
        assert_eq!(keep("aé✓", 6), "aé✓");
    }

    #[test]
    fn sizes_and_spans_are_short() {
        let sizes = [
            0, 999, 1_000, 3_400, 999_499, 999_500, 1_200_000, 12_000_000,
        ];
        assert_eq!(
            sizes.map(size),
            [
                "0B", "999B", "1KB", "3KB", "999KB", "1.0MB", "1.2MB", "12MB"
            ]
        );
        assert_eq!(
            [-3.0, 12.4, 3_200.0, 250_000.0].map(span),
            ["0ms", "12ms", "3.2s", "4m10s"]
        );
    }
}
