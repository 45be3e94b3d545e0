//! TypeScript declarations of everything a snippet sees.

use keeptab_protocol::spec;

/// The globals that are ours, and those that are the web's; the protocol's own declarations follow them.
const GLOBALS: &str = concat!(include_str!("globals.d.ts"), include_str!("platform.d.ts"));

/// TypeScript declarations of the globals of a snippet and of the whole protocol, for editors and models.
#[must_use]
pub fn dts() -> String {
    let mut out = String::from(GLOBALS);
    out.push('\n');
    spec::dts(&mut out);
    out
}

/// What a snippet sees under a name that is ours and not the protocol's: `listPageTargets`, `session.use`, `cdp.send`, with
/// its documentation.
#[must_use]
pub fn describe_global(name: &str) -> Option<String> {
    let (home, name) = match name.split_once('.') {
        Some((home, name)) => (Some(home), name),
        None => (None, name),
    };
    if name.is_empty() {
        return None;
    }
    let lines: Vec<&str> = include_str!("globals.d.ts").lines().collect();
    let mut object = None;
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(rest) = line.strip_prefix("declare const ") {
            object = rest.split(':').next();
        }
        let (named, indent) = match (line.strip_prefix("  "), object) {
            (Some(member), Some(object)) if home == Some(object) => (member, 2),
            _ if home.is_some() => continue,
            _ => {
                let rest = line.strip_prefix("declare function ");
                match rest.or_else(|| line.strip_prefix("declare const ")) {
                    Some(rest) => (rest, 0),
                    None => continue,
                }
            }
        };
        let is_it = named
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['(', '<', ':']));
        if !is_it {
            continue;
        }
        // Objects with members are shown whole, anything else up to where its statement ends.
        let end = (at..lines.len()).find(|end| {
            let line = lines[*end];
            line.ends_with(';') && line.len() - line.trim_start().len() == indent
        });
        let from = match at.checked_sub(1).map(|before| lines[before].trim()) {
            Some(doc) if doc.starts_with("/**") => at - 1,
            _ => at,
        };
        found.extend(
            lines[from..=end.unwrap_or(at)]
                .iter()
                .map(|line| line.get(indent..).unwrap_or(line)),
        );
    }
    (!found.is_empty()).then(|| found.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_snippet_are_described_with_their_documentation() {
        for (name, words) in [
            (
                "listPageTargets",
                &[
                    "Tabs of the connected browser",
                    "Promise<CDP.Target.TargetInfo[]>",
                ][..],
            ),
            (
                "session.use",
                &["Makes a tab the active one", "use(targetId: string)"],
            ),
            (
                "session.waitFor",
                &[
                    "The next event of this name",
                    "timeoutMs?: number",
                    "): Promise<CdpEvents[E]>;",
                ],
            ),
            (
                "cdp.spec",
                &[
                    "spec(): Promise",
                    "spec(request: { query: string; limit?: number })",
                ],
            ),
            ("detectBrowsers", &["wsPath: string", ">;"]),
            ("session", &["The browser session", "setActiveSession"]),
            ("CDP", &["Names and docs of the protocol"]),
        ] {
            let text = describe_global(name).unwrap_or_else(|| panic!("{name}"));
            for word in words {
                assert!(text.contains(word), "{name}: {text}");
            }
        }
        for name in [
            "",
            "session.",
            "session.Page",
            "nothing",
            "cdp.use",
            "close",
            "type",
        ] {
            assert_eq!(describe_global(name), None, "{name:?}");
        }
    }
}
