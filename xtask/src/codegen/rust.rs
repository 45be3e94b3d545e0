//! The Rust module of one domain: types, commands and events.
use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::docs::doc;
use super::names::{camel_of_snake, constant, field as field_name, module, upper_first};
use super::schema::{Command, Domain, Event, Field, Kind, Shape, Type, resolve};
use super::usage::Usage;

/// Writes the module of `domain`.
pub(super) fn module_text(domain: &Domain, usage: &Usage) -> String {
    let mut module = Module {
        domain,
        usage,
        out: String::new(),
        taken: domain.types.iter().map(|t| upper_first(&t.id)).collect(),
        inline: Vec::new(),
    };
    module.header();
    for t in &domain.types {
        module.declare_type(t);
    }
    // A command that moved is typed in its new domain only.
    for command in domain.commands.iter().filter(|c| c.redirect.is_none()) {
        module.command(command);
    }
    for event in &domain.events {
        module.event(event);
    }
    module.inline_enums();
    module.out
}

/// The domains whose types the module of `domain` names.
pub(super) fn needs(domain: &Domain) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let shapes = domain
        .types
        .iter()
        .flat_map(|t| std::iter::once(&t.shape).chain(t.properties.iter().map(|f| &f.shape)))
        .chain(
            domain
                .commands
                .iter()
                .filter(|c| c.redirect.is_none())
                .flat_map(|c| c.parameters.iter().chain(&c.returns).map(|f| &f.shape)),
        )
        .chain(
            domain
                .events
                .iter()
                .flat_map(|e| e.parameters.iter().map(|f| &f.shape)),
        );
    for shape in shapes {
        let mut next = Some(shape);
        while let Some(shape) = next {
            if let Some(reference) = &shape.reference {
                found.insert(resolve(&domain.domain, reference).0.to_owned());
            }
            next = shape.items.as_deref();
        }
    }
    found.remove(&domain.domain);
    found
}

struct Module<'a> {
    domain: &'a Domain,
    usage: &'a Usage,
    out: String,
    taken: BTreeSet<String>,
    /// Enums that the protocol declares inside a field: name, values, where.
    inline: Vec<(String, Vec<String>, String)>,
}

/// Which of serde's two traits a struct gets.
#[derive(Clone, Copy)]
struct Direction {
    sent: bool,
    received: bool,
}

impl Module<'_> {
    fn header(&mut self) {
        let domain = self.domain;
        let text = if domain.description.is_empty() {
            format!("The domain `{}`.", domain.domain)
        } else {
            domain.description.clone()
        };
        self.out
            .push_str(&doc("//!", &text, domain.experimental, domain.deprecated));
        let sends_types = domain
            .types
            .iter()
            .any(|t| !t.properties.is_empty() && self.usage.is_sent(&self.key(&t.id)));
        if sends_types || domain.commands.iter().any(|c| c.redirect.is_none()) {
            self.out.push_str("use serde::Serialize;\n\n");
        }
    }

    /// A name that is still free, with `suffix` when the plain one is not.
    fn claim(&mut self, name: String, suffix: &str) -> String {
        let name = if self.taken.contains(&name) {
            name + suffix
        } else {
            name
        };
        assert!(
            self.taken.insert(name.clone()),
            "two items called {name} in {}",
            self.domain.domain
        );
        name
    }

    fn key(&self, id: &str) -> (String, String) {
        (self.domain.domain.clone(), id.to_owned())
    }

    fn declare_type(&mut self, t: &Type) {
        let name = upper_first(&t.id);
        let full = format!("{}.{}", self.domain.domain, t.id);
        let text = described(&t.description, &format!("The type `{full}`."));
        let docs = doc("///", &text, t.experimental, t.deprecated);
        match t.shape.kind {
            Some(Kind::String) => self.string_type(&docs, &name, &t.shape.values),
            Some(Kind::Integer) => {
                let _ = writeln!(
                    self.out,
                    "crate::macros::integer_type! {{ {docs}{name} }}\n"
                );
            }
            Some(Kind::Number) => {
                self.small_type("number_type", &docs, name.as_str());
            }
            Some(Kind::Object) if !t.properties.is_empty() => {
                let key = self.key(&t.id);
                let direction = Direction {
                    sent: self.usage.is_sent(&key),
                    received: self.usage.is_received(&key),
                };
                self.structure(&docs, &name, &t.properties, direction, Some(&t.id));
            }
            _ => {
                let target = self.type_of(&t.shape, &name, &full);
                let _ = writeln!(self.out, "{docs}pub type {name} = {target};\n");
            }
        }
    }

    fn command(&mut self, command: &Command) {
        let full = format!("{}.{}", self.domain.domain, command.name);
        let name = self.claim(upper_first(&command.name), "Command");
        let text = described(&command.description, &format!("The command `{full}`."));
        let text = format!("{text}\n\nSent as `{full}`.");
        let docs = doc("///", &text, command.experimental, command.deprecated);
        let sent = Direction {
            sent: true,
            received: false,
        };
        self.structure(&docs, &name, &command.parameters, sent, None);

        let returns = if command.returns.is_empty() {
            "crate::Empty".to_owned()
        } else {
            let returns = self.claim(format!("{name}Returns"), "Value");
            let docs = format!("/// What [`{name}`] returns.\n");
            let received = Direction {
                sent: false,
                received: true,
            };
            self.structure(&docs, &returns, &command.returns, received, None);
            returns
        };
        let _ = writeln!(
            self.out,
            "impl crate::Command for {name} {{
    const METHOD: &'static str = \"{full}\";
    type Returns = {returns};
}}
"
        );
    }

    fn event(&mut self, event: &Event) {
        let full = format!("{}.{}", self.domain.domain, event.name);
        let name = self.claim(upper_first(&event.name), "Event");
        let text = described(&event.description, &format!("The event `{full}`."));
        let text = format!("{text}\n\nArrives as `{full}`.");
        let docs = doc("///", &text, event.experimental, event.deprecated);
        let received = Direction {
            sent: false,
            received: true,
        };
        self.structure(&docs, &name, &event.parameters, received, None);
        let _ = writeln!(
            self.out,
            "impl crate::Event for {name} {{
    const METHOD: &'static str = \"{full}\";
}}
"
        );
    }

    /// A struct; `id` is the protocol's name when it is a type, for the search of recursion.
    fn structure(
        &mut self,
        docs: &str,
        name: &str,
        fields: &[Field],
        direction: Direction,
        id: Option<&str>,
    ) {
        let mut derives = vec!["Debug", "Clone"];
        if direction.sent && fields.iter().all(|f| f.optional) {
            derives.push("Default");
        }
        if direction.sent {
            derives.push("Serialize");
        }
        let _ = writeln!(self.out, "{docs}#[derive({})]", derives.join(", "));
        let renamed = fields
            .iter()
            .any(|f| camel_of_snake(&field_name(&f.name)) != field_name(&f.name));
        if direction.sent && renamed {
            self.out.push_str("#[serde(rename_all = \"camelCase\")]\n");
        }
        let _ = writeln!(self.out, "pub struct {name} {{");
        let mut types = Vec::new();
        for field in fields {
            let full_type = self.field_type(field, name, id);
            self.field(field, &full_type, direction);
            types.push(full_type);
        }
        self.out.push_str("}\n\n");
        if direction.sent {
            self.constructor(name, fields, &types);
        }
        if direction.received {
            self.reader(name, fields);
        }
    }

    /// The type of a field without its `Option`.
    fn field_type(&mut self, field: &Field, owner: &str, id: Option<&str>) -> String {
        let context = format!("{owner}{}", upper_first(&field.name));
        let place = format!("`{}` of [`{owner}`]", field.name);
        let plain = self.type_of(&field.shape, &context, &place);
        let boxed = match (id, &field.shape.reference) {
            (Some(id), Some(reference)) => {
                let (domain, inner) = resolve(&self.domain.domain, reference);
                self.usage
                    .needs_box(&self.key(id), &(domain.to_owned(), inner.to_owned()))
            }
            _ => false,
        };
        if boxed {
            format!("Box<{plain}>")
        } else {
            plain
        }
    }

    fn field(&mut self, field: &Field, plain: &str, direction: Direction) {
        let rust = field_name(&field.name);
        let text = described(&field.description, &format!("The field `{}`.", field.name));
        self.out
            .push_str(&doc("///", &text, field.experimental, field.deprecated));
        let mut attributes = Vec::new();
        if direction.sent && camel_of_snake(&rust) != field.name {
            attributes.push(format!("rename = \"{}\"", field.name));
        }
        if field.optional && direction.sent {
            attributes.push("skip_serializing_if = \"Option::is_none\"".to_owned());
        }
        if !attributes.is_empty() {
            let _ = writeln!(self.out, "#[serde({})]", attributes.join(", "));
        }
        let wrapped = if field.optional {
            format!("Option<{plain}>")
        } else {
            plain.to_owned()
        };
        let _ = writeln!(self.out, "pub {rust}: {wrapped},");
    }

    /// The reader of a struct: required fields, then optional ones.
    fn reader(&mut self, name: &str, fields: &[Field]) {
        let list = |optional: bool| -> String {
            fields
                .iter()
                .filter(|field| field.optional == optional)
                .map(|field| format!("\n        {} = {:?},", field_name(&field.name), field.name))
                .collect()
        };
        let (required, optional) = (list(false), list(true));
        let _ = writeln!(
            self.out,
            "crate::macros::received! {{
    {name} {{{required}
        ;{optional}
    }}
}}
"
        );
    }

    /// `new` with the required fields, where there are any.
    fn constructor(&mut self, name: &str, fields: &[Field], types: &[String]) {
        if fields.iter().all(|f| f.optional) {
            return;
        }
        let mut arguments = String::new();
        let mut body = String::new();
        for (field, plain) in fields.iter().zip(types) {
            let rust = field_name(&field.name);
            if field.optional {
                let _ = write!(body, "{rust}: None, ");
            } else if self.converts(&field.shape) {
                let _ = write!(arguments, "{rust}: impl Into<{plain}>, ");
                let _ = write!(body, "{rust}: {rust}.into(), ");
            } else {
                let _ = write!(arguments, "{rust}: {plain}, ");
                let _ = write!(body, "{rust}, ");
            }
        }
        let _ = writeln!(
            self.out,
            "impl {name} {{
    /// With what is required; the rest is left out.
    pub fn new({arguments}) -> Self {{ Self {{ {body} }} }}
}}
"
        );
    }

    /// Whether a constructor takes `impl Into` for this shape: strings and what wraps one.
    fn converts(&self, shape: &Shape) -> bool {
        matches!(shape.kind, Some(Kind::String | Kind::Binary))
            || shape.reference.as_deref().is_some_and(|reference| {
                let (domain, id) = resolve(&self.domain.domain, reference);
                let ends_as_text = ["Id", "ID", "Handle", "Identifier", "Key"];
                if domain == self.domain.domain {
                    self.domain
                        .find_type(id)
                        .is_some_and(|t| t.shape.kind == Some(Kind::String))
                } else {
                    // Of another domain only the name is known here. `Into` works for every type.
                    ends_as_text.iter().any(|end| id.ends_with(end))
                }
            })
    }

    fn type_of(&mut self, shape: &Shape, context: &str, place: &str) -> String {
        if let Some(reference) = &shape.reference {
            let (domain, id) = resolve(&self.domain.domain, reference);
            let name = upper_first(id);
            return if domain == self.domain.domain {
                name
            } else {
                format!("super::{}::{name}", module(domain))
            };
        }
        match shape.kind {
            Some(Kind::String) if !shape.values.is_empty() => {
                let name = self.claim(context.to_owned(), "Value");
                self.inline
                    .push((name.clone(), shape.values.clone(), place.to_owned()));
                name
            }
            Some(Kind::String | Kind::Binary) => "String".to_owned(),
            Some(Kind::Integer) => "i64".to_owned(),
            Some(Kind::Number) => "f64".to_owned(),
            Some(Kind::Boolean) => "bool".to_owned(),
            Some(Kind::Array) => {
                let inner = match &shape.items {
                    Some(items) => self.type_of(items, context, place),
                    None => "crate::Raw".to_owned(),
                };
                format!("Vec<{inner}>")
            }
            Some(Kind::Object | Kind::Any) | None => "crate::Raw".to_owned(),
        }
    }

    fn inline_enums(&mut self) {
        for (name, values, place) in std::mem::take(&mut self.inline) {
            let docs = format!("/// The values of {place}.\n");
            self.string_type(&docs, &name, &values);
        }
    }

    fn string_type(&mut self, docs: &str, name: &str, values: &[String]) {
        let mut constants = String::new();
        let mut taken = BTreeSet::new();
        for value in values {
            let mut constant = constant(value);
            while !taken.insert(constant.clone()) {
                constant.push('_');
            }
            let _ = write!(constants, "\n        {constant} = {value:?},");
        }
        let body = if constants.is_empty() {
            name.to_owned()
        } else {
            format!("{name} {{{constants}\n    }}")
        };
        self.small_type("string_type", docs, &body);
    }

    /// A call of one of the macros for small types, in the form that rustfmt leaves alone.
    fn small_type(&mut self, macro_name: &str, docs: &str, body: &str) {
        let _ = writeln!(self.out, "crate::macros::{macro_name}! {{");
        for line in docs.lines() {
            let _ = writeln!(self.out, "    {line}");
        }
        let _ = writeln!(self.out, "    {body}\n}}\n");
    }
}

fn described(description: &str, fallback: &str) -> String {
    if description.trim().is_empty() {
        fallback.to_owned()
    } else {
        description.to_owned()
    }
}
