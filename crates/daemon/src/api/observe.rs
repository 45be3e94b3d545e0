//! What travels about the console, the network and events.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// What a session records of its tabs. As text: `console,network`, one of the two, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recording {
    /// Console messages, exceptions and the browser's own log.
    pub console: bool,
    /// Requests and answers.
    pub network: bool,
}

impl Recording {
    /// Nothing.
    pub const NONE: Recording = Recording {
        console: false,
        network: false,
    };

    /// Whether nothing is recorded.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

impl Default for Recording {
    fn default() -> Self {
        Recording {
            console: true,
            network: true,
        }
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.console, self.network) {
            (true, true) => "console,network",
            (true, false) => "console",
            (false, true) => "network",
            (false, false) => "none",
        })
    }
}

/// A text that names no recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is nothing that can be recorded: console,network or one of them, or none")]
pub struct UnknownRecording(String);

impl FromStr for Recording {
    type Err = UnknownRecording;

    fn from_str(text: &str) -> Result<Self, UnknownRecording> {
        let mut recording = Recording::NONE;
        if text.trim() == "none" {
            return Ok(recording);
        }
        for word in text.split(',') {
            match word.trim() {
                "console" => recording.console = true,
                "network" => recording.network = true,
                _ => return Err(UnknownRecording(text.to_owned())),
            }
        }
        Ok(recording)
    }
}

impl Serialize for Recording {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Recording {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The query of `GET /v1/sessions/{name}/console` and `…/network`. All conditions must hold; gaps
/// come through all of them but `since_ms` and `range`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EntriesQuery {
    /// A part of it, a glob, or `re:` and a regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub find: Option<String>,
    /// Types, separated by commas: levels and calls of the console, `xhr`, `document`, … of requests.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The first so many, gaps not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<usize>,
    /// The last so many, gaps not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<usize>,
    /// Numbers `A-B`, both ends included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// No older than so many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
    /// The tab: its id or the beginning of it, a part of its address or title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tab: Option<String>,
    /// All tabs instead of the active one.
    #[serde(skip_serializing_if = "is_false")]
    pub all: bool,
    /// The address of the request, as `find`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The method of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The status: `404`, `4xx`, `200-299`, several with commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// A part of the answer's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Only what failed.
    #[serde(skip_serializing_if = "is_false")]
    pub failed: bool,
    /// Took at least so many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_duration_ms: Option<f64>,
    /// At least so many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_bytes: Option<u64>,
    /// Answer with lines for people instead of objects.
    #[serde(skip_serializing_if = "is_false")]
    pub text: bool,
    /// For lines: seconds east of UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utc_offset: Option<i32>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// An interval in which something may have been missed, in short.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LastGap {
    /// Why there was one.
    pub cause: String,
    /// What it cost, in a few words.
    pub summary: String,
    /// Commands that had left, and whose outcome nobody knows.
    #[serde(default)]
    pub unknown_outcomes: Vec<UnknownOutcome>,
}

/// A command whose outcome nobody knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnknownOutcome {
    /// Its CDP method.
    pub method: String,
    /// The id of its tab; none where it was for the browser itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// Entries of one stream.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Entries {
    /// The session.
    pub session: String,
    /// `console` or `network`.
    pub stream: String,
    /// The one tab that was asked about; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tab: Option<String>,
    /// How many entries the stream has, those of all tabs and those filtered out included.
    pub total: usize,
    /// How many of the oldest were dropped to stay within the bounds.
    #[serde(default)]
    pub dropped: u64,
    /// There were entries before, which were cleared.
    #[serde(default)]
    pub cleared: bool,
    /// The entries, as objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<Value>,
    /// The entries, as lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// What the caller should know besides, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The query of `GET /v1/sessions/{name}/console/{number}` and `…/network/{number}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EntryQuery {
    /// For the text: seconds east of UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utc_offset: Option<i32>,
}

/// All that is known of one entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EntryDetail {
    /// The session.
    pub session: String,
    /// `console` or `network`.
    pub stream: String,
    /// The entry.
    pub entry: Value,
    /// The answer's body, where it was kept and is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// All of it for people.
    pub text: String,
}

/// `POST /v1/sessions/{name}/clear`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearRequest {
    /// `console` or `network`; both without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}

/// What was removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cleared {
    /// The session.
    pub session: String,
    /// How many console entries.
    pub console: usize,
    /// How many network entries.
    pub network: usize,
}

/// The query of `GET /v1/events`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventsQuery {
    /// What to hear of, separated by commas: `state`, `tabs`, `console`, `network`. `state,tabs`
    /// without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streams: Option<String>,
    /// Only of this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_come_back_from_their_text() {
        for text in ["console,network", "console", "network", "none"] {
            assert_eq!(text.parse::<Recording>().unwrap().to_string(), text);
        }
        for wrong in ["", "all", "console,", "none,console"] {
            assert!(wrong.parse::<Recording>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_query_says_only_what_was_asked() {
        let query = EntriesQuery {
            kind: Some("xhr,fetch".into()),
            find: Some("a b&c".into()),
            all: true,
            ..EntriesQuery::default()
        };
        let text = serde_urlencoded::to_string(&query).unwrap();
        assert_eq!(text, "find=a+b%26c&type=xhr%2Cfetch&all=true");
        assert_eq!(
            serde_urlencoded::from_str::<EntriesQuery>(&text).unwrap(),
            query
        );
    }
}
