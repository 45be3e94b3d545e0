//! The files that list all domains: the module list, the embedded spec and the cargo features.
use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::names::module;
use super::rust::needs;
use super::schema::Domain;

/// The domains that a program which drives a browser uses. Other domains that their types need
/// come along.
const DEFAULT_DOMAINS: &[&str] = &[
    "Accessibility",
    "Browser",
    "CSS",
    "DOM",
    "DOMSnapshot",
    "Debugger",
    "Emulation",
    "Fetch",
    "IO",
    "Input",
    "Inspector",
    "Log",
    "Network",
    "Overlay",
    "Page",
    "Performance",
    "Runtime",
    "Security",
    "ServiceWorker",
    "Storage",
    "SystemInfo",
    "Target",
    "Tracing",
    "WebAuthn",
];

const BEGIN: &str = "# Written by `cargo xtask codegen` from here to the end of the section.";

/// `domains/mod.rs`: one feature-gated module per domain.
pub(super) fn modules(domains: &[Domain]) -> String {
    let mut out = String::from("//! One module per domain.\n");
    for domain in domains {
        let name = module(&domain.domain);
        let _ = writeln!(out, "#[cfg(feature = \"{name}\")]\npub mod {name};");
    }
    out
}

/// `spec.rs`: every domain with its JSON.
pub(super) fn embedded(domains: &[Domain]) -> String {
    let mut out = String::from(
        "//! The definition of every domain as text in the program.
use crate::spec::Source;

/// The domains in the order of their names.
pub(crate) static NAMES: &[&str] = &[",
    );
    for domain in domains {
        let _ = write!(out, "{:?}, ", domain.domain);
    }
    out.push_str("];\n\n/// Every event by its full name.\npub(crate) static EVENTS: &[&str] = &[");
    for domain in domains {
        for event in &domain.events {
            let _ = write!(out, "\"{}.{}\", ", domain.domain, event.name);
        }
    }
    out.push_str("];\n\n/// Every type by its full name.\npub(crate) static TYPES: &[&str] = &[");
    for domain in domains {
        for t in &domain.types {
            let _ = write!(out, "\"{}.{}\", ", domain.domain, t.id);
        }
    }
    let _ = writeln!(
        out,
        "];\n\n/// As [`NAMES`], with their definitions.\npub(crate) static SOURCES: [Source; {}] = [",
        domains.len()
    );
    for domain in domains {
        let _ = writeln!(
            out,
            "Source::new(include_str!(\"../../spec/{}.json\")),",
            domain.domain
        );
    }
    out.push_str("];\n");
    out
}

/// `Cargo.toml` with a new features section.
pub(super) fn manifest(old: &str, domains: &[Domain]) -> String {
    let mut section = format!("{BEGIN}\ndefault = [\n");
    for domain in DEFAULT_DOMAINS {
        let _ = writeln!(section, "    \"{}\",", module(domain));
    }
    section.push_str("]\n# Every domain of the protocol.\nall = [\n");
    for domain in domains {
        let _ = writeln!(section, "    \"{}\",", module(&domain.domain));
    }
    section.push_str("]\n");
    for domain in domains {
        let needed: BTreeSet<String> = needs(domain).iter().map(|d| module(d)).collect();
        let list = needed
            .iter()
            .map(|n| format!("\"{n}\""))
            .collect::<Vec<_>>()
            .join(", ");
        let _ = writeln!(section, "{} = [{list}]", module(&domain.domain));
    }
    let head = match old.find(BEGIN) {
        Some(at) => old[..at].to_owned(),
        None => format!("{}\n\n[features]\n", old.trim_end()),
    };
    let tail = old
        .find(BEGIN)
        .and_then(|at| old[at..].find("\n["))
        .map(|_| ())
        .is_some();
    assert!(
        !tail,
        "[features] must be the last section of crates/protocol/Cargo.toml"
    );
    head + &section
}
