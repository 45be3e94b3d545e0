//! Where ids that die with a socket are: which fields of which commands and events hold one.
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::names::snake;
use super::schema::{Command, Domain, Field, Shape, resolve};
use super::usage::TypeKey;

/// The reviewed list: the type of the id, and how it is written.
pub(super) struct HandleTypes(BTreeMap<TypeKey, &'static str>);

impl HandleTypes {
    /// Reads lines of `Domain.Type text|number reason`; `#` starts a comment.
    pub(super) fn parse(text: &str, domains: &[Domain]) -> Result<Self, String> {
        let mut found = BTreeMap::new();
        for line in text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let mut words = line.split_whitespace();
            let (Some(name), Some(kind), Some(_reason)) =
                (words.next(), words.next(), words.next())
            else {
                return Err(format!(
                    "handles.txt: '{line}' is not: Domain.Type text|number reason"
                ));
            };
            let (domain, id) = name.split_once('.').unwrap_or((name, ""));
            if !domains
                .iter()
                .any(|d| d.domain == domain && d.find_type(id).is_some())
            {
                return Err(format!("handles.txt: there is no type {name}"));
            }
            let step = match kind {
                "text" => "Step::Text",
                "number" => "Step::Number",
                other => return Err(format!("handles.txt: '{other}' is neither text nor number")),
            };
            found.insert((domain.to_owned(), id.to_owned()), step);
        }
        Ok(Self(found))
    }
}

/// Finds handles in shapes, and remembers the types on the way.
pub(super) struct Finder<'a> {
    handles: &'a HandleTypes,
    domains: &'a [Domain],
    carriers: BTreeSet<TypeKey>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(handles: &'a HandleTypes, domains: &'a [Domain]) -> Self {
        let mut finder = Self {
            handles,
            domains,
            carriers: BTreeSet::new(),
        };
        // Types refer to each other in circles, so repeat until nothing new is found.
        loop {
            let before = finder.carriers.len();
            for domain in domains {
                for t in &domain.types {
                    let inside = t
                        .properties
                        .iter()
                        .any(|f| finder.carries(&domain.domain, &f.shape))
                        || finder.carries(&domain.domain, &t.shape);
                    if inside {
                        finder
                            .carriers
                            .insert((domain.domain.clone(), t.id.clone()));
                    }
                }
            }
            if finder.carriers.len() == before {
                return finder;
            }
        }
    }

    fn carries(&self, home: &str, shape: &Shape) -> bool {
        if let Some(items) = &shape.items {
            return self.carries(home, items);
        }
        shape.reference.as_deref().is_some_and(|reference| {
            let (domain, id) = resolve(home, reference);
            let key = (domain.to_owned(), id.to_owned());
            self.handles.0.contains_key(&key) || self.carriers.contains(&key)
        })
    }

    /// Whether a command takes an id that dies with a socket.
    pub(super) fn takes(&self, home: &str, command: &Command) -> bool {
        command
            .parameters
            .iter()
            .any(|f| self.carries(home, &f.shape))
    }

    fn fields(&self, home: &str, fields: &[Field]) -> Option<String> {
        let list: String = fields
            .iter()
            .filter_map(|f| Some(format!("({:?}, {}), ", f.name, self.step(home, &f.shape)?)))
            .collect();
        (!list.is_empty()).then(|| format!("Fields(&[{list}])"))
    }

    fn step(&self, home: &str, shape: &Shape) -> Option<String> {
        if let Some(items) = &shape.items {
            return Some(format!("Step::List(&{})", self.step(home, items)?));
        }
        let (domain, id) = resolve(home, shape.reference.as_deref()?);
        let key = (domain.to_owned(), id.to_owned());
        if let Some(step) = self.handles.0.get(&key) {
            return Some((*step).to_owned());
        }
        if !self.carriers.contains(&key) {
            return None;
        }
        let t = self
            .domains
            .iter()
            .find(|d| d.domain == domain)?
            .find_type(id)?;
        if t.properties.is_empty() {
            // A named list.
            return self.step(domain, &t.shape);
        }
        Some(format!("Step::Object(&{})", static_name(domain, id)))
    }

    /// `handles.rs`: the tables that the crate walks by.
    pub(super) fn text(&self) -> String {
        let mut out = String::from(
            "//! Where ids that die with a socket are.
use crate::handles::{Carries, Fields, Step};

/// Commands with such ids in their parameters or results, in the order of their names.
pub(crate) static COMMANDS: &[(&str, Carries)] = &[
",
        );
        for domain in self.domains {
            let mut commands: Vec<&Command> = domain.commands.iter().collect();
            commands.sort_by(|a, b| a.name.cmp(&b.name));
            for command in commands {
                let params = self.fields(&domain.domain, &command.parameters);
                let result = self.fields(&domain.domain, &command.returns);
                if params.is_some() || result.is_some() {
                    let _ = writeln!(
                        out,
                        "({:?}, Carries {{ params: {}, result: {} }}),",
                        format!("{}.{}", domain.domain, command.name),
                        optional(params),
                        optional(result)
                    );
                }
            }
        }
        out.push_str("];\n\n/// Events with such ids, in the order of their names.\npub(crate) static EVENTS: &[(&str, Fields)] = &[\n");
        for domain in self.domains {
            let mut events: Vec<_> = domain.events.iter().collect();
            events.sort_by(|a, b| a.name.cmp(&b.name));
            for event in events {
                if let Some(fields) = self.fields(&domain.domain, &event.parameters) {
                    let _ = writeln!(
                        out,
                        "({:?}, {fields}),",
                        format!("{}.{}", domain.domain, event.name)
                    );
                }
            }
        }
        out.push_str("];\n\n");
        for (domain, id) in &self.carriers {
            let properties = self
                .domains
                .iter()
                .find(|d| d.domain == *domain)
                .and_then(|d| d.find_type(id))
                .and_then(|t| self.fields(domain, &t.properties));
            if let Some(fields) = properties {
                let _ = writeln!(
                    out,
                    "static {}: Fields = {fields};",
                    static_name(domain, id)
                );
            }
        }
        out
    }
}

fn static_name(domain: &str, id: &str) -> String {
    format!("{}_{}", snake(domain), snake(id)).to_ascii_uppercase()
}

fn optional(text: Option<String>) -> String {
    text.map_or_else(|| "None".to_owned(), |text| format!("Some({text})"))
}
