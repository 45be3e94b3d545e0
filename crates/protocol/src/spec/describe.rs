//! Docs as plain text, for `keeptab spec`.
use std::fmt::Write as _;

use super::lookup::{domain, follow};
use super::model::{Command, Domain, Event, Field, Type};
use super::search::first_sentence;
use super::shape::Written;
use crate::Class;

/// Everything about a domain (`Page`), command (`Page.navigate`), event (`Page.frameNavigated`) or
/// type (`Page.Frame`), as lines of text. `None` when there is no such name.
pub fn describe(name: &str) -> Option<String> {
    let mut out = String::new();
    match name.split_once('.') {
        None => describe_domain(domain(name)?, &mut out),
        Some((home, rest)) => {
            let home = domain(home)?;
            if let Some(command) = home.command(rest) {
                describe_command(home, command, &mut out);
            } else if let Some(event) = home.event(rest) {
                describe_event(home, event, &mut out);
            } else {
                describe_type(home, home.type_(rest)?, &mut out);
            }
        }
    }
    Some(out)
}

fn describe_domain(domain: &Domain, out: &mut String) {
    let _ = writeln!(out, "{}", domain.name);
    prose(
        &domain.description,
        domain.experimental,
        domain.deprecated,
        out,
    );
    let commands = domain
        .commands
        .iter()
        .map(|c| (c.name, c.description.as_ref()));
    index("Commands", commands, out);
    index(
        "Events",
        domain
            .events
            .iter()
            .map(|e| (e.name, e.description.as_ref())),
        out,
    );
    index(
        "Types",
        domain
            .types
            .iter()
            .map(|t| (t.name, t.description.as_ref())),
        out,
    );
}

fn describe_command(home: &'static Domain, command: &'static Command, out: &mut String) {
    let method = format!("{}.{}", home.name, command.name);
    let redirect = command.redirect;
    let (home, command) = follow(home, command);
    let inside: Vec<String> = command
        .parameters
        .iter()
        .map(|field| format!("{}{}", field.name, if field.optional { "?" } else { "" }))
        .collect();
    let signature = if inside.is_empty() {
        String::new()
    } else {
        format!("{{ {} }}", inside.join(", "))
    };
    let _ = writeln!(out, "{method}({signature})");
    prose(
        &command.description,
        command.experimental,
        command.deprecated,
        out,
    );
    if let Some(other) = redirect {
        let _ = writeln!(out, "\nNow in the domain {other}.");
    }
    fields("Parameters", home, &command.parameters, out);
    fields("Returns", home, &command.returns, out);
    let class = Class::of(&method);
    let _ = writeln!(out, "\nClass {class}: {}.", class.meaning());
}

fn describe_event(home: &Domain, event: &Event, out: &mut String) {
    let _ = writeln!(out, "{}.{} (event)", home.name, event.name);
    prose(
        &event.description,
        event.experimental,
        event.deprecated,
        out,
    );
    fields("Parameters", home, &event.parameters, out);
}

fn describe_type(home: &Domain, named: &Type, out: &mut String) {
    let _ = writeln!(
        out,
        "{}.{} (type: {})",
        home.name,
        named.name,
        Written::from(named).words(home)
    );
    prose(
        &named.description,
        named.experimental,
        named.deprecated,
        out,
    );
    fields("Fields", home, &named.properties, out);
}

fn prose(description: &str, experimental: bool, deprecated: bool, out: &mut String) {
    for line in description.trim().lines() {
        let _ = writeln!(out, "{}", line.trim_end());
    }
    match (experimental, deprecated) {
        (true, true) => out.push_str("Experimental and deprecated.\n"),
        (true, false) => out.push_str("Experimental.\n"),
        (false, true) => out.push_str("Deprecated.\n"),
        (false, false) => {}
    }
}

fn index<'a>(title: &str, entries: impl Iterator<Item = (&'a str, &'a str)>, out: &mut String) {
    let mut entries = entries.peekable();
    if entries.peek().is_some() {
        let _ = writeln!(out, "\n{title}");
    }
    for (name, description) in entries {
        let _ = writeln!(
            out,
            "{}",
            format!("  {name}  {}", first_sentence(description)).trim_end()
        );
    }
}

fn fields(title: &str, home: &Domain, fields: &[Field], out: &mut String) {
    if fields.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for field in fields {
        let optional = if field.optional { ", optional" } else { "" };
        let _ = writeln!(
            out,
            "  {}: {}{optional}",
            field.name,
            Written::from(field).words(home)
        );
        for line in field.description.trim().lines() {
            let _ = writeln!(out, "    {}", line.trim());
        }
    }
}
