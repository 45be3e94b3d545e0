//! Checking a command against the protocol before it is sent.
use std::fmt;

use super::invalid::{Invalid, InvalidKind};
use super::lookup::{domain, domain_names, follow, resolve};
use super::model::{Command, Domain, Field, Kind, Shape, Type};
use super::nearest::{NameKind, nearest, nearest_of};
use crate::json::{Cursor, Malformed, Start, decode, is_json};

/// Types of what is sent hardly nest; what lies below this is left to the browser.
const MAX_DEPTH: u32 = 64;

/// Checks the name of a command and its parameters.
///
/// Values that the protocol calls `any` or a free `object` are not looked at, nor is `null` for
/// what may be left out.
///
/// # Errors
/// On the first thing that is wrong, with the nearest right name.
pub fn validate(method: &str, params: &str) -> Result<(), Invalid> {
    let (home, command) = find(method)?;
    let checked = Call { method }.params(home, command, params);
    checked.map_err(|problem| match problem {
        Problem::Found(invalid) => *invalid,
        Problem::Malformed => not_an_object(method, "not JSON"),
    })
}

fn find(method: &str) -> Result<(&'static Domain, &'static Command), Invalid> {
    let Some((home, name)) = method.split_once('.') else {
        let text = format!("'{method}' is not a method: write Domain.method");
        let near = nearest(NameKind::Method, method);
        return Err(Invalid::new(InvalidKind::UnknownDomain, text, near, false));
    };
    let Some(domain) = domain(home) else {
        let text = format!("There is no domain '{home}'");
        // `page.navigate`: the whole name is more help than the domain.
        let near = nearest_of(domain_names().iter().copied(), home)
            .and_then(|_| nearest(NameKind::Method, method))
            .or_else(|| nearest(NameKind::Domain, home))
            .or_else(|| nearest(NameKind::Method, method));
        return Err(Invalid::new(InvalidKind::UnknownDomain, text, near, false));
    };
    if let Some(command) = domain.command(name) {
        return Ok(follow(domain, command));
    }
    let (text, near) = if domain.event(name).is_some() {
        (
            format!("{method} is an event, not a method: it can be waited for, not sent"),
            None,
        )
    } else {
        (
            format!("{home} has no method '{name}'"),
            nearest(NameKind::Method, method),
        )
    };
    Err(Invalid::new(InvalidKind::UnknownMethod, text, near, false))
}

fn not_an_object(method: &str, what: &str) -> Invalid {
    let text = format!("{method}: the parameters must be one JSON object, and this is {what}");
    Invalid::new(InvalidKind::NotAnObject, text, None, false)
}

enum Problem {
    Found(Box<Invalid>),
    Malformed,
}

impl From<Malformed> for Problem {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::Found(Box::new(invalid))
    }
}

/// A value's expected shape: a field, the items of a list, or what a reference names.
#[derive(Clone, Copy)]
struct Wanted {
    kind: Option<Kind>,
    reference: Option<&'static str>,
    values: &'static [&'static str],
    items: Option<&'static Shape>,
    properties: &'static [Field],
}

impl Wanted {
    fn field(field: &'static Field) -> Self {
        Self {
            kind: field.kind,
            reference: field.reference,
            values: &field.values,
            items: field.items.as_deref(),
            properties: &[],
        }
    }

    fn shape(shape: &'static Shape) -> Self {
        Self {
            kind: shape.kind,
            reference: shape.reference,
            values: &[],
            items: shape.items.as_deref(),
            properties: &[],
        }
    }

    fn named(named: &'static Type) -> Self {
        Self {
            kind: Some(named.kind),
            reference: None,
            values: &named.values,
            items: named.items.as_deref(),
            properties: &named.properties,
        }
    }

    /// Follows the reference, if it is one.
    fn resolved(self, home: &'static Domain) -> (&'static Domain, Self) {
        match self
            .reference
            .and_then(|reference| resolve(home, reference))
        {
            Some((home, named)) => (home, Self::named(named)),
            None => (home, self),
        }
    }
}

/// Where in the parameters we are: `touchPoints[0].x`.
enum Place<'a> {
    Field(Option<&'a Place<'a>>, &'static str),
    Item(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(None, name) => f.write_str(name),
            Self::Field(Some(outer), name) => write!(f, "{outer}.{name}"),
            Self::Item(outer, at) => write!(f, "{outer}[{at}]"),
        }
    }
}

struct Call<'a> {
    method: &'a str,
}

impl Call<'_> {
    fn params(
        &self,
        home: &'static Domain,
        command: &'static Command,
        params: &str,
    ) -> Result<(), Problem> {
        let mut cursor = Cursor::new(params);
        match cursor.start() {
            Ok(Start::Object) => {}
            Ok(other) => return Err(not_an_object(self.method, article(other)).into()),
            Err(Malformed) => return Err(Problem::Malformed),
        }
        if let Err(cause) = is_json(params) {
            return Err(not_an_object(self.method, &format!("not JSON ({cause})")).into());
        }
        self.fields(home, &command.parameters, &mut cursor, None, 0)
    }

    /// Checks an object against its fields.
    fn fields(
        &self,
        home: &'static Domain,
        fields: &'static [Field],
        cursor: &mut Cursor<'_>,
        place: Option<&Place<'_>>,
        depth: u32,
    ) -> Result<(), Problem> {
        // One bit per field would do, but nothing in the protocol promises fewer than 64 of them.
        let mut seen = vec![false; fields.len()];
        let mut members = cursor.enter_object()?;
        while let Some(key) = cursor.next_key(&mut members)? {
            let Some(at) = fields.iter().position(|field| field.name == key) else {
                return Err(self.unknown_field(fields, &key, place).into());
            };
            let field = &fields[at];
            seen[at] = true;
            if field.optional && cursor.start()? == Start::Null {
                cursor.skip()?;
                continue;
            }
            self.value(
                home,
                Wanted::field(field),
                cursor,
                &Place::Field(place, field.name),
                depth + 1,
            )?;
        }
        let missing = fields
            .iter()
            .zip(&seen)
            .find(|(field, seen)| !field.optional && !**seen);
        match missing {
            Some((field, _)) => Err(self.missing(home, field, place).into()),
            None => Ok(()),
        }
    }

    fn value(
        &self,
        home: &'static Domain,
        wanted: Wanted,
        cursor: &mut Cursor<'_>,
        place: &Place<'_>,
        depth: u32,
    ) -> Result<(), Problem> {
        let (home, wanted) = wanted.resolved(home);
        let found = cursor.start()?;
        match (wanted.kind, found) {
            _ if depth > MAX_DEPTH => {}
            (Some(Kind::String | Kind::Binary), Start::String) => {
                let inside = cursor.string()?;
                let text = decode(cursor.text(), inside)?;
                if !wanted.values.is_empty() && !wanted.values.contains(&text.as_ref()) {
                    return Err(self.unknown_value(wanted.values, &text, place).into());
                }
                return Ok(());
            }
            (Some(Kind::Integer), Start::Number) => {
                let word = cursor.word()?;
                let word = &cursor.text()[word];
                let whole = word
                    .parse::<f64>()
                    .is_ok_and(|number| number.fract() == 0.0);
                if !whole {
                    let text = format!(
                        "{}: '{place}' must be a whole number, not {word}",
                        self.method
                    );
                    return Err(Invalid::new(InvalidKind::WrongType, text, None, false).into());
                }
                return Ok(());
            }
            (Some(Kind::Array), Start::Array) => {
                let Some(items) = wanted.items else {
                    cursor.skip()?;
                    return Ok(());
                };
                let mut members = cursor.enter_array()?;
                let mut at = 0;
                while cursor.next_item(&mut members)? {
                    self.value(
                        home,
                        Wanted::shape(items),
                        cursor,
                        &Place::Item(place, at),
                        depth + 1,
                    )?;
                    at += 1;
                }
                return Ok(());
            }
            (Some(Kind::Object), Start::Object) if !wanted.properties.is_empty() => {
                return self.fields(home, wanted.properties, cursor, Some(place), depth + 1);
            }
            (Some(Kind::Number), Start::Number)
            | (Some(Kind::Boolean), Start::Boolean)
            | (Some(Kind::Object), Start::Object)
            | (Some(Kind::Any) | None, _) => {}
            (Some(kind), found) => {
                let text = format!(
                    "{}: '{place}' must be {}, not {}",
                    self.method,
                    with_article(kind),
                    article(found)
                );
                return Err(Invalid::new(InvalidKind::WrongType, text, None, false).into());
            }
        }
        cursor.skip()?;
        Ok(())
    }

    fn unknown_field(
        &self,
        fields: &'static [Field],
        key: &str,
        place: Option<&Place<'_>>,
    ) -> Invalid {
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        let near = nearest_of(names.iter().copied(), key);
        let takes = if names.is_empty() {
            "nothing".to_owned()
        } else {
            names.join(", ")
        };
        let text = match place {
            None => format!(
                "{} has no parameter '{key}' (it takes {takes})",
                self.method
            ),
            Some(place) => format!(
                "{}: '{place}' has no field '{key}' (it takes {takes})",
                self.method
            ),
        };
        Invalid::new(InvalidKind::UnknownParameter, text, near, true)
    }

    fn missing(
        &self,
        home: &'static Domain,
        field: &'static Field,
        place: Option<&Place<'_>>,
    ) -> Invalid {
        let (_, wanted) = Wanted::field(field).resolved(home);
        let kind = wanted.kind.map_or("any", Kind::as_str);
        let text = match place {
            None => format!("{} needs '{}' ({kind})", self.method, field.name),
            Some(place) => format!("{}: '{place}' needs '{}' ({kind})", self.method, field.name),
        };
        Invalid::new(InvalidKind::MissingParameter, text, None, false)
    }

    fn unknown_value(
        &self,
        values: &'static [&'static str],
        found: &str,
        place: &Place<'_>,
    ) -> Invalid {
        const SHOWN: usize = 12;
        let mut list = values
            .iter()
            .take(SHOWN)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        if values.len() > SHOWN {
            list.push_str(", …");
        }
        let found: String = found.chars().take(60).collect();
        let near = nearest_of(values.iter().copied(), &found);
        let text = format!(
            "{}: '{place}' must be one of {list}; not '{found}'",
            self.method
        );
        Invalid::new(InvalidKind::UnknownValue, text, near, true)
    }
}

fn article(found: Start) -> &'static str {
    match found {
        Start::Object => "an object",
        Start::Array => "a list",
        Start::String => "a string",
        Start::Number => "a number",
        Start::Boolean => "a boolean",
        Start::Null => "null",
    }
}

fn with_article(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "a string",
        Kind::Binary => "a string (base64)",
        Kind::Integer => "a whole number",
        Kind::Number => "a number",
        Kind::Boolean => "true or false",
        Kind::Array => "a list",
        Kind::Object => "an object",
        Kind::Any => "a value",
    }
}
