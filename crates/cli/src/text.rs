//! Text that came from a page, made safe to show.

use std::borrow::Cow;

/// Replaces control characters, which could move the cursor, change colours or the clipboard of a
/// terminal, and those that turn the direction of writing around. Tabs and line ends stay.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_harmful) {
        Cow::Owned(text.chars().filter(|c| !is_harmful(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The same for something that must stay on one line, cut at `width` characters.
pub(crate) fn line(text: &str, width: usize) -> String {
    let mut line: String = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = line.char_indices().nth(width) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_tricks_are_taken_out() {
        assert_eq!(
            clean("a\x1b[31mb\x07\u{9b}2J\r\u{202e}c\n\td"),
            "a[31mb2Jc\n\td"
        );
        assert!(matches!(clean("plain ünïcödé 🙂"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_line_stays_a_line() {
        assert_eq!(line("  a\n b\tc ", 10), "a b c");
        assert_eq!(line("ääääää", 3), "äää…");
    }
}
