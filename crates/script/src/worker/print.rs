//! The printing rules: from a JavaScript value to text.
//!
//! Results of one eval: a string is bare text; objects and arrays are compact JSON; `undefined`, `null`, `""`, `{}` and
//! `[]` print nothing; what JSON would lose (Map, Date, NaN, …) has a readable form. Inside JSON the same forms stand as
//! strings or arrays.

use std::borrow::Cow;

use rquickjs::function::Args;
use rquickjs::object::Filter;
use rquickjs::{Array, Atom, Ctx, Function, Object, Type, Value};

use super::number;
use super::state::State;
use crate::wire::Shape;

/// Nesting beyond this is not shown.
const MAX_DEPTH: usize = 500;
/// How many values are written between two looks at the clock.
const CHECK_EVERY: u32 = 1024;

/// What the printer needs to know about the context it prints from.
pub(super) struct Printer<'js> {
    pub(super) ctx: Ctx<'js>,
    pub(super) shape: Function<'js>,
    pub(super) well_formed: Function<'js>,
    pub(super) object_proto: Object<'js>,
}

/// A value as text.
#[derive(Debug)]
pub(super) struct Printed {
    pub(super) text: String,
    pub(super) shape: Shape,
    /// The value as JSON where the text does not show it: where it is empty, or a readable form.
    pub(super) json: Option<Cow<'static, str>>,
}

/// Why printing stopped.
pub(super) enum Stop {
    /// The text is as long as it may be.
    Full,
    /// Time is up, in the middle of our own loop.
    Expired,
    /// A getter, a proxy or `toJSON` threw, or memory ran out.
    Thrown(rquickjs::Error),
}

impl From<rquickjs::Error> for Stop {
    fn from(error: rquickjs::Error) -> Self {
        Self::Thrown(error)
    }
}

impl<'js> Printer<'js> {
    /// The result of an eval, at most `cap` bytes of it.
    pub(super) fn result(
        &self,
        value: &Value<'js>,
        cap: usize,
        state: &State,
    ) -> Result<Printed, Stop> {
        let empty = |shape, json: Option<&'static str>| Printed {
            text: String::new(),
            shape,
            json: json.map(Cow::Borrowed),
        };
        let kind = value.type_of();
        if matches!(kind, Type::Undefined | Type::Uninitialized) {
            return Ok(empty(Shape::Nothing, None));
        }
        if kind == Type::Null {
            return Ok(empty(Shape::Json, Some("null")));
        }
        if let Some(string) = value.as_string() {
            let text = self.text(string)?;
            if text.is_empty() {
                return Ok(empty(Shape::Text, Some("\"\"")));
            }
            return Ok(cut_or(text, cap, Shape::Text));
        }
        let mut writer = Writer::new(self, cap, state);
        let shape = match writer.top(value) {
            Ok(shape) => shape,
            Err(Stop::Full) => Shape::Cut,
            Err(stop) => return Err(stop),
        };
        let Writer {
            out: text,
            dropped,
            structured,
            ..
        } = writer;
        match text.as_str() {
            // An object that has something, if nothing that JSON can say, is not silently nothing.
            "{}" if !dropped => return Ok(empty(Shape::Json, Some("{}"))),
            "[]" => return Ok(empty(Shape::Json, Some("[]"))),
            _ => {}
        }
        let mut printed = cut_or(text, cap, shape);
        if structured && printed.shape == Shape::Text {
            let mut writer = Writer::new(self, cap, state);
            match writer.json(value) {
                Ok(_) => printed.json = Some(writer.out.into()),
                Err(Stop::Full) => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(printed)
    }

    /// Any value for the console and for messages: like a result, but nothing is left out.
    pub(super) fn inspect(
        &self,
        value: &Value<'js>,
        cap: usize,
        state: &State,
    ) -> Result<String, Stop> {
        if let Some(string) = value.as_string() {
            return self.text(string);
        }
        let mut writer = Writer::new(self, cap, state);
        match writer.top(value) {
            Ok(_) => {}
            Err(Stop::Full) => {
                writer.out.truncate(floor(&writer.out, cap));
                writer.out.push('…');
            }
            Err(stop) => return Err(stop),
        }
        Ok(writer.out)
    }

    /// A string's text. Halves of characters become U+FFFD, also inside JSON: an escape for them exists there, but
    /// most readers of JSON refuse it.
    pub(super) fn text(&self, string: &rquickjs::String<'js>) -> Result<String, Stop> {
        if let Ok(text) = string.to_string() {
            return Ok(text);
        }
        let mut args = Args::new(self.ctx.clone(), 0);
        args.this(string.clone())?;
        let whole: rquickjs::String<'js> = self.well_formed.call_arg(args)?;
        Ok(whole.to_string()?)
    }
}

fn cut_or(mut text: String, cap: usize, shape: Shape) -> Printed {
    if text.len() <= cap && shape != Shape::Cut {
        return Printed {
            text,
            shape,
            json: None,
        };
    }
    text.truncate(floor(&text, cap));
    Printed {
        text,
        shape: Shape::Cut,
        json: None,
    }
}

/// The largest character boundary at or below `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(0)
}

/// One value on its way into text.
struct Writer<'a, 'js> {
    printer: &'a Printer<'js>,
    out: String,
    cap: usize,
    state: &'a State,
    /// The objects around the place being written, to notice cycles.
    path: Vec<Value<'js>>,
    count: u32,
    /// A property was left out, because JSON cannot say it.
    dropped: bool,
    /// The readable form stands for parts that JSON can say in its own way.
    structured: bool,
}

/// What [`Writer::special`] made of an object.
enum Special<'js> {
    Text(String),
    /// Head and parts, each a pair.
    Map(String, Array<'js>),
    /// Head and parts: an array or a typed array.
    List(String, Object<'js>),
    /// Print this value in its place.
    Value(Value<'js>),
    /// Print its own properties; the name of its class.
    Object(String),
}

impl<'a, 'js> Writer<'a, 'js> {
    fn new(printer: &'a Printer<'js>, cap: usize, state: &'a State) -> Self {
        Self {
            printer,
            out: String::new(),
            cap,
            state,
            path: Vec::new(),
            count: 0,
            dropped: false,
            structured: false,
        }
    }

    fn top(&mut self, value: &Value<'js>) -> Result<Shape, Stop> {
        match value.type_of() {
            Type::Undefined | Type::Uninitialized => self.out.push_str("undefined"),
            Type::Symbol => {
                let text: String = match value.as_symbol().map(|s| s.description()).transpose()? {
                    Some(d) if d.is_string() => d.get()?,
                    _ => String::new(),
                };
                self.out.push_str(&format!("Symbol({text})"));
            }
            Type::Float | Type::Int => {
                let number = value.as_number().unwrap_or(f64::NAN);
                number::write(&mut self.out, number);
                return Ok(if number.is_finite() {
                    Shape::Json
                } else {
                    Shape::Text
                });
            }
            Type::Array => {
                self.json(value)?;
                return Ok(Shape::Json);
            }
            _ if value.is_object() => return self.top_object(value),
            _ => {
                self.json(value)?;
                return Ok(Shape::Json);
            }
        }
        Ok(Shape::Text)
    }

    fn top_object(&mut self, value: &Value<'js>) -> Result<Shape, Stop> {
        let Some(object) = value.as_object() else {
            return Ok(Shape::Text);
        };
        match self.special(object)? {
            None => {
                self.json(value)?;
            }
            Some(Special::Object(name)) => {
                self.properties(object)?;
                if self.out == "{}" && !name.is_empty() {
                    self.out = format!("{name} {{}}");
                    return Ok(Shape::Text);
                }
            }
            Some(Special::Text(text)) => {
                self.out.push_str(&text);
                return Ok(Shape::Text);
            }
            Some(Special::Value(inner)) => {
                if let Some(string) = inner.as_string() {
                    self.out.push_str(&self.printer.text(string)?);
                    return Ok(Shape::Text);
                }
                self.json(&inner)?;
            }
            Some(Special::List(head, parts)) if head.is_empty() => self.elements(&parts)?,
            Some(Special::List(head, parts)) => {
                self.structured = true;
                self.out.push_str(&head);
                self.out.push(' ');
                self.elements(&parts)?;
                return Ok(Shape::Text);
            }
            Some(Special::Map(head, pairs)) => {
                self.structured = true;
                self.out.push_str(&head);
                self.out.push_str(" {");
                for index in 0..pairs.len() {
                    let pair: Array<'js> = pairs.get(index)?;
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    self.element(&pair.get(0)?)?;
                    self.out.push_str(" => ");
                    self.element(&pair.get(1)?)?;
                }
                self.out.push('}');
                return Ok(Shape::Text);
            }
        }
        Ok(Shape::Json)
    }

    /// A value as JSON; `false` when it has none and is left out.
    fn json(&mut self, value: &Value<'js>) -> Result<bool, Stop> {
        self.count += 1;
        if self.out.len() > self.cap {
            return Err(Stop::Full);
        }
        if self.count.is_multiple_of(CHECK_EVERY) && self.state.expired() {
            return Err(Stop::Expired);
        }
        match value.type_of() {
            Type::Null => self.out.push_str("null"),
            Type::Bool => self.out.push_str(if value.as_bool() == Some(true) {
                "true"
            } else {
                "false"
            }),
            Type::Int | Type::Float => {
                let number = value.as_number().unwrap_or(f64::NAN);
                if number.is_finite() {
                    number::write(&mut self.out, number);
                } else {
                    self.out.push('"');
                    number::write(&mut self.out, number);
                    self.out.push('"');
                }
            }
            Type::BigInt => {
                let digits: rquickjs::Coerced<String> = value.get()?;
                self.out.push_str(&digits.0);
            }
            Type::String => {
                if let Some(string) = value.as_string() {
                    self.string(string)?;
                }
            }
            Type::Array => {
                if let Some(array) = value.as_object() {
                    self.nested(value, |w| w.elements(array))?;
                }
            }
            Type::Undefined | Type::Uninitialized | Type::Symbol => return Ok(false),
            _ if value.is_function() => return Ok(false),
            _ => {
                let Some(object) = value.as_object() else {
                    return Ok(false);
                };
                match self.special(object)? {
                    None | Some(Special::Object(_)) => {
                        self.nested(value, |w| w.properties(object))?
                    }
                    Some(Special::Text(text)) => quote(&mut self.out, &text),
                    Some(Special::Value(inner)) => {
                        let mut wrote = true;
                        self.nested(value, |w| {
                            wrote = w.json(&inner)?;
                            Ok(())
                        })?;
                        return Ok(wrote);
                    }
                    Some(Special::List(_, parts)) => self.nested(value, |w| w.elements(&parts))?,
                    Some(Special::Map(_, pairs)) => {
                        self.nested(value, |w| w.elements(pairs.as_object()))?
                    }
                }
            }
        }
        Ok(true)
    }

    /// Writes the inside of an object unless it is inside itself already, or too deep.
    fn nested(
        &mut self,
        value: &Value<'js>,
        write: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if self.path.contains(value) {
            self.out.push_str("\"[Circular]\"");
            return Ok(());
        }
        if self.path.len() >= MAX_DEPTH {
            self.out.push_str("\"[nested too deep]\"");
            return Ok(());
        }
        self.path.push(value.clone());
        let result = write(self);
        self.path.pop();
        result
    }

    fn element(&mut self, value: &Value<'js>) -> Result<(), Stop> {
        if !self.json(value)? {
            self.out.push_str("null");
        }
        Ok(())
    }

    /// The elements of anything with a length, holes as `null`.
    fn elements(&mut self, list: &Object<'js>) -> Result<(), Stop> {
        let length: f64 = list.get("length")?;
        self.out.push('[');
        // Lengths are whole numbers below 2^53.
        for index in 0..length as u64 {
            if index > 0 {
                self.out.push(',');
            }
            let value: Value<'js> = match u32::try_from(index) {
                Ok(index) => list.get(index)?,
                Err(_) => list.get(index as f64)?,
            };
            self.element(&value)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn properties(&mut self, object: &Object<'js>) -> Result<(), Stop> {
        self.out.push('{');
        let mut first = true;
        for key in object.own_keys::<Atom<'js>>(Filter::new().string().enum_only()) {
            let key = key?;
            let value: Value<'js> = object.get(key.clone())?;
            let before = self.out.len();
            if !first {
                self.out.push(',');
            }
            self.string(&key.to_js_string()?)?;
            self.out.push(':');
            if self.json(&value)? {
                first = false;
            } else {
                self.out.truncate(before);
                self.dropped = true;
            }
        }
        self.out.push('}');
        Ok(())
    }

    fn string(&mut self, string: &rquickjs::String<'js>) -> Result<(), Stop> {
        let text = self.printer.text(string)?;
        quote(&mut self.out, &text);
        Ok(())
    }

    /// What is special about an object; `None` for plain ones.
    fn special(&self, object: &Object<'js>) -> Result<Option<Special<'js>>, Stop> {
        let plain = match object.get_prototype() {
            None => true,
            Some(proto) => proto == self.printer.object_proto,
        };
        if plain && !object.is_function() && !object.contains_key("toJSON")? {
            return Ok(None);
        }
        let found: Array<'js> = self.printer.shape.call((object.clone(),))?;
        let form: String = found.get(0)?;
        let head: Value<'js> = found.get(1)?;
        let head = match head.as_string() {
            Some(head) => self.printer.text(head)?,
            None => String::new(),
        };
        Ok(Some(match form.as_str() {
            "text" => Special::Text(head),
            "map" => Special::Map(head, found.get(2)?),
            "list" => Special::List(head, found.get(2)?),
            "value" => Special::Value(found.get(2)?),
            _ => Special::Object(head),
        }))
    }
}

/// Appends `text` as a JSON string.
pub(super) fn quote(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        if escape.is_empty() {
            out.push_str(&format!("\\u{byte:04x}"));
        } else {
            out.push_str(escape);
        }
        from = at + 1;
    }
    out.push_str(&text[from..]);
    out.push('"');
}
