//! Descriptions of the protocol as Rust doc comments.

/// Writes `text` as doc comment lines that start with `marker` (`///` or `//!`).
pub(super) fn doc(marker: &str, text: &str, experimental: bool, deprecated: bool) -> String {
    let mut out = String::new();
    let mut push = |line: &str| {
        out.push_str(marker);
        if !line.is_empty() {
            out.push(' ');
            out.push_str(line);
        }
        out.push('\n');
    };
    for line in text.trim().lines() {
        push(&escape(line.trim_end()));
    }
    if experimental || deprecated {
        push("");
    }
    match (experimental, deprecated) {
        (true, true) => push("Experimental and deprecated."),
        (true, false) => push("Experimental."),
        (false, true) => push("Deprecated."),
        (false, false) => {}
    }
    out
}

/// Keeps rustdoc from reading tags and links where the protocol means plain text.
fn escape(line: &str) -> String {
    let mut out = String::new();
    let mut in_code = false;
    for c in line.trim_start().chars() {
        match c {
            '`' => in_code = !in_code,
            '<' | '>' | '[' | ']' if !in_code => out.push('\\'),
            _ => {}
        }
        out.push(c);
    }
    link_urls(&out)
}

/// Bare addresses become links.
fn link_urls(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest
        .find("http://")
        .into_iter()
        .chain(rest.find("https://"))
        .min()
    {
        let (before, address) = rest.split_at(at);
        out.push_str(before);
        let end = address
            .find([' ', ')', '`', '\\', '"'])
            .unwrap_or(address.len());
        let url = address[..end].trim_end_matches(['.', ',', ';', ':']);
        if out.matches('`').count().is_multiple_of(2) {
            out.push('<');
            out.push_str(url);
            out.push('>');
        } else {
            out.push_str(url);
        }
        rest = &address[url.len()..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::doc;

    #[test]
    fn plain_text_stays_plain() {
        assert_eq!(
            doc(
                "///",
                "Array<int> of [x]; see `a<b>` and (https://x.test/y).",
                true,
                false
            ),
            "/// Array\\<int\\> of \\[x\\]; see `a<b>` and (<https://x.test/y>).\n///\n/// Experimental.\n"
        );
    }
}
