//! The protocol's spec as JSON, the way snippets see it (`cdp.spec`, `CDP`, names on `session`).

use keeptab_protocol::spec::{self, Command, Domain, Event, Field, NameKind, Shape, Type};
use serde_json::{Map, Value, json};

/// All domain names.
pub(crate) fn domains_json() -> String {
    json!(spec::domain_names()).to_string()
}

/// What mounting a domain takes: its description and the names of its methods.
pub(crate) fn names_json(domain: &str) -> Option<String> {
    let domain = spec::domain(domain)?;
    let methods: Vec<&str> = domain.commands.iter().map(|c| c.name).collect();
    Some(json!({ "description": domain.description, "methods": methods }).to_string())
}

/// A whole domain: commands, events and types with their docs, parameters and returns.
pub(crate) fn domain_json(domain: &str) -> Option<String> {
    spec::domain(domain).map(|d| domain_value(d).to_string())
}

fn domain_value(domain: &Domain) -> Value {
    let mut out = base(
        domain.name,
        &domain.description,
        domain.experimental,
        domain.deprecated,
    );
    out.insert(
        "commands".into(),
        domain
            .commands
            .iter()
            .map(|c| command_value(domain, c))
            .collect(),
    );
    out.insert(
        "events".into(),
        domain
            .events
            .iter()
            .map(|e| event_value(domain, e))
            .collect(),
    );
    out.insert(
        "types".into(),
        domain.types.iter().map(|t| type_value(domain, t)).collect(),
    );
    Value::Object(out)
}

pub(crate) fn command_value(domain: &Domain, command: &Command) -> Value {
    let mut out = base(
        command.name,
        &command.description,
        command.experimental,
        command.deprecated,
    );
    out.insert(
        "method".into(),
        format!("{}.{}", domain.name, command.name).into(),
    );
    out.insert(
        "parameters".into(),
        command.parameters.iter().map(field_value).collect(),
    );
    out.insert(
        "returns".into(),
        command.returns.iter().map(field_value).collect(),
    );
    Value::Object(out)
}

pub(crate) fn event_value(domain: &Domain, event: &Event) -> Value {
    let mut out = base(
        event.name,
        &event.description,
        event.experimental,
        event.deprecated,
    );
    out.insert(
        "event".into(),
        format!("{}.{}", domain.name, event.name).into(),
    );
    out.insert(
        "parameters".into(),
        event.parameters.iter().map(field_value).collect(),
    );
    Value::Object(out)
}

fn type_value(domain: &Domain, type_: &Type) -> Value {
    let mut out = base(
        type_.name,
        &type_.description,
        type_.experimental,
        type_.deprecated,
    );
    out.insert(
        "id".into(),
        format!("{}.{}", domain.name, type_.name).into(),
    );
    out.insert("type".into(), type_.kind.as_str().into());
    if !type_.values.is_empty() {
        out.insert("enum".into(), json!(type_.values));
    }
    if let Some(items) = &type_.items {
        out.insert("items".into(), shape_value(items));
    }
    if !type_.properties.is_empty() {
        out.insert(
            "properties".into(),
            type_.properties.iter().map(field_value).collect(),
        );
    }
    Value::Object(out)
}

fn field_value(field: &Field) -> Value {
    let mut out = base(
        field.name,
        &field.description,
        field.experimental,
        field.deprecated,
    );
    if let Some(kind) = field.kind {
        out.insert("type".into(), kind.as_str().into());
    }
    if let Some(reference) = field.reference {
        out.insert("ref".into(), reference.into());
    }
    if !field.values.is_empty() {
        out.insert("enum".into(), json!(field.values));
    }
    if let Some(items) = &field.items {
        out.insert("items".into(), shape_value(items));
    }
    if field.optional {
        out.insert("optional".into(), true.into());
    }
    Value::Object(out)
}

fn shape_value(shape: &Shape) -> Value {
    let mut out = Map::new();
    if let Some(kind) = shape.kind {
        out.insert("type".into(), kind.as_str().into());
    }
    if let Some(reference) = shape.reference {
        out.insert("ref".into(), reference.into());
    }
    if let Some(items) = &shape.items {
        out.insert("items".into(), shape_value(items));
    }
    Value::Object(out)
}

/// Name and docs; the flags only where they are set.
fn base(name: &str, description: &str, experimental: bool, deprecated: bool) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("name".into(), name.into());
    if !description.is_empty() {
        out.insert("description".into(), description.into());
    }
    if experimental {
        out.insert("experimental".into(), true.into());
    }
    if deprecated {
        out.insert("deprecated".into(), true.into());
    }
    out
}

/// What a search finds, best first.
pub(crate) fn search_json(query: &str, limit: usize) -> String {
    let hits: Vec<Value> = spec::search(query, limit.clamp(1, 200))
        .into_iter()
        .map(|hit| json!({ "name": hit.name, "kind": kind_name(hit.kind), "description": hit.summary }))
        .collect();
    Value::Array(hits).to_string()
}

fn kind_name(kind: NameKind) -> &'static str {
    match kind {
        NameKind::Domain => "domain",
        NameKind::Method => "command",
        NameKind::Event => "event",
        _ => "type",
    }
}

/// The name that was probably meant.
pub(crate) fn nearest(kind: &str, wrong: &str) -> Option<&'static str> {
    let kind = match kind {
        "domain" => NameKind::Domain,
        "command" => NameKind::Method,
        "event" => NameKind::Event,
        _ => return None,
    };
    spec::nearest(kind, wrong)
}
