//! Protocol names as Rust names.

/// `DOMSnapshot` → `dom_snapshot`, `backendNodeId` → `backend_node_id`, `frameURL` → `frame_url`.
pub(super) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            out.push('_');
            continue;
        }
        let after_lower = i > 0 && (chars[i - 1].is_lowercase() || chars[i - 1].is_ascii_digit());
        let ends_acronym = i > 0
            && chars[i - 1].is_uppercase()
            && chars.get(i + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && (after_lower || ends_acronym) {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// What serde's `rename_all = "camelCase"` makes of a snake-case name.
pub(super) fn camel_of_snake(name: &str) -> String {
    let mut out = String::new();
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            _ if upper => {
                out.push(c.to_ascii_uppercase());
                upper = false;
            }
            _ => out.push(c),
        }
    }
    out
}

/// The module, and the cargo feature, of a domain.
pub(super) fn module(domain: &str) -> String {
    match domain {
        "WebMCP" => "web_mcp".to_owned(),
        "WebAuthn" => "web_authn".to_owned(),
        other => snake(other),
    }
}

/// First letter in upper case.
pub(super) fn upper_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + chars.as_str()
    })
}

/// A field name; words of the language get an underscore at the end.
pub(super) fn field(name: &str) -> String {
    let name = snake(name);
    const WORDS: &[&str] = &[
        "abstract", "as", "async", "await", "box", "break", "const", "continue", "crate", "do",
        "dyn", "else", "enum", "extern", "final", "fn", "for", "gen", "if", "impl", "in", "let",
        "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
        "self", "static", "struct", "super", "trait", "try", "type", "typeof", "unsafe", "unsized",
        "use", "virtual", "where", "while", "yield",
    ];
    if WORDS.contains(&name.as_str()) {
        name + "_"
    } else {
        name
    }
}

/// The constant for a value of an open enum.
pub(super) fn constant(value: &str) -> String {
    let name = match value.strip_prefix('-') {
        Some(rest) => format!("NEGATIVE_{}", snake(rest)),
        None => snake(value),
    }
    .to_ascii_uppercase();
    match name.chars().next() {
        None => "EMPTY".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("_{name}"),
        Some(_) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_language() {
        assert_eq!(snake("DOMSnapshot"), "dom_snapshot");
        assert_eq!(snake("getAXNodeAndAncestors"), "get_ax_node_and_ancestors");
        assert_eq!(snake("frameURL"), "frame_url");
        assert_eq!(camel_of_snake("backend_node_id"), "backendNodeId");
        assert_eq!(field("type"), "type_");
        assert_eq!(constant("-Infinity"), "NEGATIVE_INFINITY");
        assert_eq!(constant("no-cors"), "NO_CORS");
        assert_eq!(constant("3g"), "_3G");
    }
}
