//! Just enough reading of JSON for clients that do not parse.

/// The text between `start` and the next `end`.
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn finds_what_lies_between() {
        assert_eq!(between(r#"{"a":"x","b":1}"#, "\"a\":\"", "\""), Some("x"));
        assert_eq!(between("abc", "z", "c"), None);
    }
}
