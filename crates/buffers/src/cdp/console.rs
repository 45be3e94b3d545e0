//! Events of `Runtime` and `Log`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::common::{StackTrace, Str};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConsoleApiCalled<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) args: Option<&'a RawValue>,
    #[serde(default)]
    pub(crate) timestamp: f64,
    #[serde(borrow, default)]
    pub(crate) stack_trace: Option<StackTrace<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemoteObject<'a> {
    #[serde(borrow, rename = "type", default)]
    pub(crate) kind: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) subtype: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(crate) class_name: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(crate) value: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) unserializable_value: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(crate) description: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(crate) preview: Option<Preview<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Preview<'a> {
    #[serde(default)]
    pub(crate) overflow: bool,
    #[serde(borrow, default)]
    pub(crate) properties: Vec<Property<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Property<'a> {
    #[serde(borrow, default)]
    pub(crate) name: Str<'a>,
    #[serde(borrow, rename = "type", default)]
    pub(crate) kind: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) value: Option<Str<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExceptionThrown<'a> {
    #[serde(default)]
    pub(crate) timestamp: f64,
    #[serde(borrow)]
    pub(crate) exception_details: ExceptionDetails<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExceptionDetails<'a> {
    #[serde(borrow, default)]
    pub(crate) text: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) url: Option<Str<'a>>,
    #[serde(default)]
    pub(crate) line_number: Option<i64>,
    #[serde(default)]
    pub(crate) column_number: Option<i64>,
    #[serde(borrow, default)]
    pub(crate) stack_trace: Option<StackTrace<'a>>,
    #[serde(borrow, default)]
    pub(crate) exception: Option<RemoteObject<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct EntryAdded<'a> {
    #[serde(borrow)]
    pub(crate) entry: LogEntry<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogEntry<'a> {
    #[serde(borrow, default)]
    pub(crate) source: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) level: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) text: Str<'a>,
    #[serde(default)]
    pub(crate) timestamp: f64,
    #[serde(borrow, default)]
    pub(crate) url: Option<Str<'a>>,
    #[serde(default)]
    pub(crate) line_number: Option<i64>,
    #[serde(borrow, default)]
    pub(crate) stack_trace: Option<StackTrace<'a>>,
    #[serde(borrow, default)]
    pub(crate) network_request_id: Option<Str<'a>>,
}
