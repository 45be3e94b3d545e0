//! What the definition says, borrowed from its text.
use std::borrow::Cow;

use serde::Deserialize;

/// A part of the protocol, such as `Page`.
#[derive(Debug, Deserialize)]
pub struct Domain {
    /// Name, such as `Page`.
    #[serde(rename = "domain")]
    pub name: &'static str,
    /// What it is for; may be empty.
    #[serde(borrow, default)]
    pub description: Cow<'static, str>,
    /// May change or go at any time.
    #[serde(default)]
    pub experimental: bool,
    /// There is something better.
    #[serde(default)]
    pub deprecated: bool,
    /// Types that its commands and events use.
    #[serde(default)]
    pub types: Vec<Type>,
    /// What can be sent.
    #[serde(default)]
    pub commands: Vec<Command>,
    /// What may arrive.
    #[serde(default)]
    pub events: Vec<Event>,
}

/// A named type.
#[derive(Debug, Deserialize)]
pub struct Type {
    /// Name inside its domain.
    #[serde(rename = "id")]
    pub name: &'static str,
    /// What it is on the wire; always a plain kind.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The values of a closed set of strings; empty when any value goes.
    #[serde(borrow, default, rename = "enum")]
    pub values: Vec<&'static str>,
    /// What a list holds.
    #[serde(default)]
    pub items: Option<Box<Shape>>,
    /// The fields of an object; empty when any field goes.
    #[serde(default)]
    pub properties: Vec<Field>,
    /// What it means; may be empty.
    #[serde(borrow, default)]
    pub description: Cow<'static, str>,
    /// May change or go at any time.
    #[serde(default)]
    pub experimental: bool,
    /// There is something better.
    #[serde(default)]
    pub deprecated: bool,
}

/// Something that can be sent.
#[derive(Debug, Deserialize)]
pub struct Command {
    /// Name inside its domain, such as `navigate`.
    pub name: &'static str,
    /// What it does; may be empty.
    #[serde(borrow, default)]
    pub description: Cow<'static, str>,
    /// May change or go at any time.
    #[serde(default)]
    pub experimental: bool,
    /// There is something better.
    #[serde(default)]
    pub deprecated: bool,
    /// The domain that has the command now.
    #[serde(default)]
    pub redirect: Option<&'static str>,
    /// What it takes.
    #[serde(default)]
    pub parameters: Vec<Field>,
    /// What it answers with.
    #[serde(default)]
    pub returns: Vec<Field>,
}

/// Something that may arrive.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// Name inside its domain, such as `frameNavigated`.
    pub name: &'static str,
    /// When it comes; may be empty.
    #[serde(borrow, default)]
    pub description: Cow<'static, str>,
    /// May change or go at any time.
    #[serde(default)]
    pub experimental: bool,
    /// There is something better.
    #[serde(default)]
    pub deprecated: bool,
    /// What it carries.
    #[serde(default)]
    pub parameters: Vec<Field>,
}

/// A parameter, a returned value or a property.
#[derive(Debug, Deserialize)]
pub struct Field {
    /// Name on the wire.
    pub name: &'static str,
    /// The plain kind, unless it is a reference.
    #[serde(default, rename = "type")]
    pub kind: Option<Kind>,
    /// `Type` of the same domain or `Domain.Type`.
    #[serde(default, rename = "$ref")]
    pub reference: Option<&'static str>,
    /// The values of a closed set of strings; empty when any value goes.
    #[serde(borrow, default, rename = "enum")]
    pub values: Vec<&'static str>,
    /// What a list holds.
    #[serde(default)]
    pub items: Option<Box<Shape>>,
    /// May be left out.
    #[serde(default)]
    pub optional: bool,
    /// What it means; may be empty.
    #[serde(borrow, default)]
    pub description: Cow<'static, str>,
    /// May change or go at any time.
    #[serde(default)]
    pub experimental: bool,
    /// There is something better.
    #[serde(default)]
    pub deprecated: bool,
}

/// What the items of a list are.
#[derive(Debug, Deserialize)]
pub struct Shape {
    /// The plain kind, unless it is a reference.
    #[serde(default, rename = "type")]
    pub kind: Option<Kind>,
    /// `Type` of the same domain or `Domain.Type`.
    #[serde(default, rename = "$ref")]
    pub reference: Option<&'static str>,
    /// What an inner list holds.
    #[serde(default)]
    pub items: Option<Box<Shape>>,
}

/// The plain kinds of JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// An object.
    Object,
    /// Whatever JSON can hold.
    Any,
    /// Bytes, as base64 text.
    Binary,
}

impl Kind {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
            Self::Any => "any",
            Self::Binary => "binary",
        }
    }
}

impl Domain {
    /// The command with this name inside the domain.
    pub fn command(&self, name: &str) -> Option<&Command> {
        self.commands.iter().find(|c| c.name == name)
    }

    /// The event with this name inside the domain.
    pub fn event(&self, name: &str) -> Option<&Event> {
        self.events.iter().find(|e| e.name == name)
    }

    /// The type with this name inside the domain.
    pub fn type_(&self, name: &str) -> Option<&Type> {
        self.types.iter().find(|t| t.name == name)
    }
}
