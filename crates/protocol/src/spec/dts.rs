//! The protocol as TypeScript declarations, for editors and models.
use std::fmt::Write as _;

use super::lookup::{domain, domain_names, follow};
use super::model::{Command, Domain, Field, Type};
use super::shape::Written;

/// Appends the declarations of all domains: `namespace CDP.<Domain>` with types, `…Params`,
/// `…Return` and `…Event`, the interface `CdpEvents` (event name to its parameters) and the
/// interface `CdpSession` with every command as a method. Its methods take `CallOptions` besides, which is for whoever
/// makes the calls to declare.
pub fn dts(out: &mut String) {
    let all: Vec<&'static Domain> = domain_names()
        .iter()
        .filter_map(|name| domain(name))
        .collect();
    out.push_str("declare namespace CDP {\n");
    for domain in &all {
        namespace(domain, out);
    }
    out.push_str("}\n\n");
    events(&all, out);
    session(&all, out);
}

fn namespace(home: &'static Domain, out: &mut String) {
    jsdoc(
        1,
        &home.description,
        home.experimental,
        home.deprecated,
        out,
    );
    let _ = writeln!(out, "  namespace {} {{", home.name);
    for named in &home.types {
        declare(home, named, out);
    }
    for command in home.commands.iter().filter(|command| !moved(home, command)) {
        let name = upper_first(command.name);
        if !command.parameters.is_empty() {
            interface(home, &format!("{name}Params"), &command.parameters, out);
        }
        if !command.returns.is_empty() {
            interface(home, &format!("{name}Return"), &command.returns, out);
        }
    }
    for event in &home.events {
        if !event.parameters.is_empty() {
            let name = format!("{}Event", upper_first(event.name));
            interface(home, &name, &event.parameters, out);
        }
    }
    out.push_str("  }\n");
}

/// Whether the command is declared in another domain.
fn moved(home: &'static Domain, command: &'static Command) -> bool {
    !std::ptr::eq(follow(home, command).1, command)
}

fn declare(home: &Domain, named: &Type, out: &mut String) {
    jsdoc(
        2,
        &named.description,
        named.experimental,
        named.deprecated,
        out,
    );
    if named.properties.is_empty() {
        let written = Written::from(named).typescript(home);
        let _ = writeln!(out, "    type {} = {written};", named.name);
    } else {
        interface(home, named.name, &named.properties, out);
    }
}

fn interface(home: &Domain, name: &str, fields: &[Field], out: &mut String) {
    let _ = writeln!(out, "    interface {name} {{");
    for field in fields {
        jsdoc(
            3,
            &field.description,
            field.experimental,
            field.deprecated,
            out,
        );
        let optional = if field.optional { "?" } else { "" };
        let written = Written::from(field).typescript(home);
        let _ = writeln!(out, "      {}{optional}: {written};", field.name);
    }
    out.push_str("    }\n");
}

fn events(all: &[&'static Domain], out: &mut String) {
    out.push_str("/** Every event with its parameters. */\ninterface CdpEvents {\n");
    for home in all {
        for event in &home.events {
            let carries = if event.parameters.is_empty() {
                "Record<string, never>".to_owned()
            } else {
                format!("CDP.{}.{}Event", home.name, upper_first(event.name))
            };
            jsdoc(
                1,
                &event.description,
                event.experimental,
                event.deprecated,
                out,
            );
            let _ = writeln!(out, "  '{}.{}': {carries};", home.name, event.name);
        }
    }
    out.push_str("}\n\n");
}

fn session(all: &[&'static Domain], out: &mut String) {
    out.push_str("/** Every domain, with its commands as methods. */\ninterface CdpSession {\n");
    for home in all.iter().filter(|home| !home.commands.is_empty()) {
        jsdoc(
            1,
            &home.description,
            home.experimental,
            home.deprecated,
            out,
        );
        let _ = writeln!(out, "  readonly {}: {{", home.name);
        for command in &home.commands {
            let (home, command) = follow(home, command);
            let name = upper_first(command.name);
            let required = command.parameters.iter().any(|field| !field.optional);
            let params = match (command.parameters.is_empty(), required) {
                (true, _) => "params?: Record<string, never>".to_owned(),
                (false, true) => format!("params: CDP.{}.{name}Params", home.name),
                (false, false) => format!("params?: CDP.{}.{name}Params", home.name),
            };
            let returns = if command.returns.is_empty() {
                "Record<string, never>".to_owned()
            } else {
                format!("CDP.{}.{name}Return", home.name)
            };
            jsdoc(
                2,
                &command.description,
                command.experimental,
                command.deprecated,
                out,
            );
            let _ = writeln!(
                out,
                "    {}({params}, options?: CallOptions): Promise<{returns}>;",
                command.name
            );
        }
        out.push_str("  };\n");
    }
    out.push_str("}\n");
}

fn jsdoc(depth: usize, description: &str, experimental: bool, deprecated: bool, out: &mut String) {
    // A description must not end its own comment.
    let description = description.replace("*/", "* /");
    let mut lines: Vec<&str> = description.trim().lines().map(str::trim).collect();
    if experimental {
        lines.push("@experimental");
    }
    if deprecated {
        lines.push("@deprecated");
    }
    let indent = "  ".repeat(depth);
    match lines.as_slice() {
        [] => {}
        [one] => {
            let _ = writeln!(out, "{indent}/** {one} */");
        }
        many => {
            let _ = writeln!(out, "{indent}/**");
            for line in many {
                let _ = writeln!(out, "{}", format!("{indent} * {line}").trim_end());
            }
            let _ = writeln!(out, "{indent} */");
        }
    }
}

fn upper_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + chars.as_str()
    })
}
