//! Types in words: `string`, `Page.FrameId`, `Array<DOM.NodeId>`.
use super::model::{Domain, Field, Kind, Shape, Type};

/// A value's type: kind, reference and items, wherever they are declared.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    kind: Option<Kind>,
    reference: Option<&'static str>,
    items: Option<&'a Shape>,
    values: &'a [&'static str],
}

impl<'a> From<&'a Field> for Written<'a> {
    fn from(field: &'a Field) -> Self {
        Self {
            kind: field.kind,
            reference: field.reference,
            items: field.items.as_deref(),
            values: &field.values,
        }
    }
}

impl<'a> From<&'a Shape> for Written<'a> {
    fn from(shape: &'a Shape) -> Self {
        Self {
            kind: shape.kind,
            reference: shape.reference,
            items: shape.items.as_deref(),
            values: &[],
        }
    }
}

impl<'a> From<&'a Type> for Written<'a> {
    fn from(named: &'a Type) -> Self {
        Self {
            kind: Some(named.kind),
            reference: None,
            items: named.items.as_deref(),
            values: &named.values,
        }
    }
}

impl Written<'_> {
    /// For people, with the domain before each name.
    pub(super) fn words(self, home: &Domain) -> String {
        if let Some(reference) = self.reference {
            return full(home, reference);
        }
        if !self.values.is_empty() {
            return self.values.join(" | ");
        }
        match (self.kind, self.items) {
            (Some(Kind::Array), Some(items)) => {
                format!("Array<{}>", Written::from(items).words(home))
            }
            (Some(Kind::Binary), _) => "string (base64)".to_owned(),
            (kind, _) => kind.map_or("any", Kind::as_str).to_owned(),
        }
    }

    /// For TypeScript.
    pub(super) fn typescript(self, home: &Domain) -> String {
        if let Some(reference) = self.reference {
            return format!("CDP.{}", full(home, reference));
        }
        if !self.values.is_empty() {
            return self
                .values
                .iter()
                .map(|v| format!("'{v}'"))
                .collect::<Vec<_>>()
                .join(" | ");
        }
        match self.kind {
            Some(Kind::String | Kind::Binary) => "string".to_owned(),
            Some(Kind::Integer | Kind::Number) => "number".to_owned(),
            Some(Kind::Boolean) => "boolean".to_owned(),
            Some(Kind::Array) => {
                let inner = self
                    .items
                    .map_or_else(|| "any".to_owned(), |i| Written::from(i).typescript(home));
                if inner.contains(' ') {
                    format!("({inner})[]")
                } else {
                    format!("{inner}[]")
                }
            }
            Some(Kind::Object) => "Record<string, any>".to_owned(),
            Some(Kind::Any) | None => "any".to_owned(),
        }
    }
}

fn full(home: &Domain, reference: &str) -> String {
    if reference.contains('.') {
        reference.to_owned()
    } else {
        format!("{}.{reference}", home.name)
    }
}
