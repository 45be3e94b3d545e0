//! The protocol definition as the npm package publishes it.
//!
//! Written back in a fixed order of fields, without what is empty, so that the vendored files do
//! not depend on how any JSON library orders a map.
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub(super) struct Protocol {
    pub(super) domains: Vec<Domain>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Domain {
    pub(super) domain: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) experimental: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) deprecated: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) dependencies: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) types: Vec<Type>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) commands: Vec<Command>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<Event>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Type {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) shape: Shape,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) experimental: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) deprecated: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) properties: Vec<Field>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Command {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) experimental: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) deprecated: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) redirect: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parameters: Vec<Field>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) returns: Vec<Field>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) experimental: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) deprecated: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parameters: Vec<Field>,
}

/// A parameter, a returned value or a property.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Field {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) shape: Shape,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) optional: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) experimental: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) deprecated: bool,
}

/// What a value looks like: either a reference or a kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Shape {
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<Kind>,
    #[serde(rename = "$ref", default, skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    #[serde(rename = "enum", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) values: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) items: Option<Box<Shape>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
    Any,
    Binary,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Domain {
    pub(super) fn find_type(&self, id: &str) -> Option<&Type> {
        self.types.iter().find(|t| t.id == id)
    }
}

/// The domain and the id that a `$ref` in `home` means.
pub(super) fn resolve<'a>(home: &'a str, reference: &'a str) -> (&'a str, &'a str) {
    reference.split_once('.').unwrap_or((home, reference))
}
