//! The method classes: a rule over names and parameters, corrected by a reviewed file.
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::handles::Finder;
use super::schema::{Command, Domain};

/// Names of the classes as the override file writes them, with their Rust variants.
const CLASSES: &[(&str, &str)] = &[
    ("R", "R"),
    ("R1", "R1"),
    ("S", "S"),
    ("I", "I"),
    ("C", "C"),
    ("EVAL", "Eval"),
    ("E", "E"),
];

/// First words of methods that only look.
const READS: &[&str] = &[
    "can", "capture", "collect", "describe", "get", "query", "resolve", "search",
];

/// First words of methods that turn something on or off for the connection.
const SWITCHES: &[&str] = &["disable", "enable", "hide", "highlight", "track", "untrack"];

/// Domains whose `set…` methods hold for as long as the connection does.
const SETTINGS: &[&str] = &[
    "DOMDebugger",
    "Debugger",
    "DeviceOrientation",
    "Emulation",
    "EventBreakpoints",
    "Network",
    "Overlay",
    "Page",
    "WebAuthn",
];

/// What a name says about repeating the method. Whatever is not recognised is an effect.
fn rule(domain: &str, command: &Command, takes_handle: bool) -> &'static str {
    let name = command.name.as_str();
    let first_word = name
        .split(|c: char| c.is_ascii_uppercase())
        .next()
        .unwrap_or(name);
    if READS.contains(&first_word) {
        return if takes_handle { "R1" } else { "R" };
    }
    let sets = matches!(first_word, "set" | "clear")
        && (SETTINGS.contains(&domain) && first_word == "set"
            || name.ends_with("Override")
            || name.ends_with("Enabled"));
    let unsets = first_word == "remove" && name.ends_with("Breakpoint");
    if SWITCHES.contains(&first_word) || sets || unsets {
        // A setting on an object of the connection cannot be set again on the next one.
        return if takes_handle { "E" } else { "S" };
    }
    match first_word {
        "start" | "stop" | "take" | "create" => "C",
        _ => "E",
    }
}

/// `classes.rs`: every method with its class, in the order of the names.
pub(super) fn text(
    domains: &[Domain],
    finder: &Finder<'_>,
    overrides: &str,
) -> Result<String, String> {
    let mut classes = BTreeMap::new();
    for domain in domains {
        for command in &domain.commands {
            let class = rule(
                &domain.domain,
                command,
                finder.takes(&domain.domain, command),
            );
            classes.insert(format!("{}.{}", domain.domain, command.name), class);
        }
    }
    apply(&mut classes, overrides)?;

    let mut out = String::from(
        "//! The class of every method.
use crate::Class;

/// Methods in the order of their names.
pub(crate) static CLASSES: &[(&str, Class)] = &[
",
    );
    for (method, class) in &classes {
        let variant = CLASSES
            .iter()
            .find(|(name, _)| name == class)
            .map_or("E", |(_, variant)| variant);
        let _ = writeln!(out, "({method:?}, Class::{variant}),");
    }
    out.push_str("];\n");
    Ok(out)
}

/// Applies lines of `Domain.method CLASS reason`. Each must name a method, have a reason, differ
/// from the rule and come once.
fn apply(classes: &mut BTreeMap<String, &'static str>, overrides: &str) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    for line in overrides
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
    {
        let mut words = line.split_whitespace();
        let (Some(method), Some(class)) = (words.next(), words.next()) else {
            return Err(format!(
                "classes.txt: '{line}' is not: Domain.method CLASS reason"
            ));
        };
        if words.next().is_none() {
            return Err(format!("classes.txt: {method} has no reason"));
        }
        let Some((class, _)) = CLASSES.iter().find(|(name, _)| *name == class) else {
            return Err(format!(
                "classes.txt: {method}: there is no class '{class}'"
            ));
        };
        let Some(present) = classes.get_mut(method) else {
            return Err(format!("classes.txt: there is no method {method}"));
        };
        if !seen.insert(method.to_owned()) {
            return Err(format!("classes.txt: {method} is there twice"));
        }
        if *present == *class {
            return Err(format!(
                "classes.txt: {method} is {class} by the rule already"
            ));
        }
        *present = class;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> BTreeMap<String, &'static str> {
        BTreeMap::from([
            ("Page.navigate".to_owned(), "E"),
            ("Page.enable".to_owned(), "S"),
        ])
    }

    #[test]
    fn an_override_must_name_a_method_give_a_reason_and_change_something() {
        for (line, complaint) in [
            ("Page.fly R up", "no method Page.fly"),
            ("Page.navigate R", "no reason"),
            ("Page.navigate X why", "no class 'X'"),
            ("Page.navigate E why", "by the rule already"),
            ("Page.navigate I why\nPage.navigate I why", "twice"),
        ] {
            let error = apply(&mut table(), line).unwrap_err();
            assert!(error.contains(complaint), "{line}: {error}");
        }
        let mut classes = table();
        apply(&mut classes, "# comment\nPage.navigate I why").unwrap();
        assert_eq!(classes["Page.navigate"], "I");
    }
}
