//! What `console` and `network` have in common: asking for entries, printing and saving them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use keeptab_daemon::api::{Entries, EntriesQuery, EntryDetail, EntryQuery, Recording};
use keeptab_daemon::client::Method;
use keeptab_daemon::{ApiError, Code, exit};
use serde_json::json;

use crate::app::App;
use crate::args::parse_duration;
use crate::output::Output;

/// What to record; for the commands that make a session.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RecordArgs {
    /// What to record of the session's tabs: console,network or one of them
    #[arg(long, value_name = "STREAMS")]
    record: Option<Recording>,
    /// Record neither console nor network
    #[arg(long, conflicts_with = "record")]
    no_record: bool,
}

impl RecordArgs {
    pub(crate) fn chosen(&self) -> Option<Recording> {
        if self.no_record {
            Some(Recording::NONE)
        } else {
            self.record
        }
    }
}

/// Which entries; for both commands.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct Which {
    /// Only what contains this; with * it must fit as a whole; re:… is a regular expression
    #[arg(long, short, value_name = "TEXT")]
    find: Option<String>,
    /// Only these types, separated by commas
    #[arg(long = "type", short, value_name = "TYPE")]
    kind: Option<String>,
    /// Only the first N; gaps among them are shown and not counted
    #[arg(long, value_name = "N")]
    head: Option<usize>,
    /// Only the last N; gaps among them are shown and not counted
    #[arg(long, value_name = "N", conflicts_with = "head")]
    tail: Option<usize>,
    /// Only numbers A to B
    #[arg(long, value_name = "A-B")]
    range: Option<String>,
    /// Only the last while: 30s, 5m, 1h
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    since: Option<Duration>,
    /// Of this tab: an id or its beginning, or a part of its address or title
    #[arg(long, value_name = "Q", conflicts_with = "all")]
    tab: Option<String>,
    /// Of all tabs of the session, not only the active one
    #[arg(long, short)]
    all: bool,
}

impl Which {
    pub(crate) fn query(self) -> EntriesQuery {
        EntriesQuery {
            find: self.find,
            kind: self.kind,
            head: self.head,
            tail: self.tail,
            range: self.range,
            since_ms: self
                .since
                .and_then(|since| u64::try_from(since.as_millis()).ok()),
            tab: self.tab,
            all: self.all,
            ..EntriesQuery::default()
        }
    }
}

/// Prints the entries that the query asks for, one line each.
pub(crate) fn list(app: &mut App, stream: &str, mut query: EntriesQuery) -> Result<u8, ApiError> {
    let filtered = is_filtered(&query);
    query.text = !app.output().is_json();
    query.utc_offset = Some(utc_offset());
    let path = path(app, stream, &query)?;
    app.request(Method::Get, &path, &(), |out, found: Entries| {
        notes(out, &found);
        if found.lines.is_empty() {
            out.note(if filtered && found.total > 0 {
                "nothing fits"
            } else if found.cleared {
                "nothing was recorded since it was cleared"
            } else {
                "nothing was recorded yet"
            });
        }
        out.text(&found.lines.join("\n"));
    })
}

fn notes(out: &Output, found: &Entries) {
    for note in &found.notes {
        out.note(&format!("note: {note}"));
    }
}

/// The active tab is no filter that people would think of.
fn is_filtered(query: &EntriesQuery) -> bool {
    let plain = EntriesQuery {
        all: query.all,
        ..EntriesQuery::default()
    };
    *query != plain
}

/// Prints all that is known of one entry.
pub(crate) fn show(app: &mut App, stream: &str, number: u64) -> Result<u8, ApiError> {
    let query = EntryQuery {
        utc_offset: Some(utc_offset()),
    };
    let path = path(app, &format!("{stream}/{number}"), &query)?;
    app.request(Method::Get, &path, &(), |out, entry: EntryDetail| {
        out.text(&entry.text);
    })
}

/// How a file of entries is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As they are printed.
    Lines,
    /// One JSON array.
    Array,
    /// One JSON object per line.
    Objects,
}

impl Form {
    fn of(file: &Path) -> Self {
        match file.extension().and_then(|end| end.to_str()) {
            Some("json") => Form::Array,
            Some("jsonl" | "ndjson") => Form::Objects,
            _ => Form::Lines,
        }
    }
}

/// Writes the entries that the query asks for to a file.
pub(crate) fn save(
    app: &mut App,
    stream: &str,
    mut query: EntriesQuery,
    file: &PathBuf,
) -> Result<u8, ApiError> {
    let form = Form::of(file);
    query.text = form == Form::Lines;
    query.utc_offset = Some(utc_offset());
    let path = path(app, stream, &query)?;
    let found: Entries = app.client()?.call(Method::Get, &path, &())?;
    let (count, text) = match form {
        Form::Lines => (found.lines.len(), join(found.lines.iter())),
        Form::Objects => (found.entries.len(), join(found.entries.iter())),
        Form::Array => {
            let text = serde_json::to_string_pretty(&found.entries).map_err(|error| {
                ApiError::new(Code::Internal, format!("cannot write the entries: {error}"))
            })?;
            (found.entries.len(), format!("{text}\n"))
        }
    };
    std::fs::write(file, text).map_err(|error| {
        let message = format!("cannot write {}: {error}", file.display());
        ApiError::new(Code::Machine, message).hint(format!("keeptab {stream} save /another/place"))
    })?;
    if app.output().is_json() {
        app.output().data(json!({"file": file, "entries": count}));
    } else {
        notes(app.output(), &found);
        app.output()
            .note(&format!("{count} entries written to {}", file.display()));
    }
    Ok(exit::OK)
}

fn join<T: std::fmt::Display>(lines: impl Iterator<Item = T>) -> String {
    lines.map(|line| format!("{line}\n")).collect()
}

fn path(app: &App, rest: &str, query: &impl serde::Serialize) -> Result<String, ApiError> {
    let query = serde_urlencoded::to_string(query).map_err(|error| {
        ApiError::new(Code::Internal, format!("cannot write the request: {error}"))
    })?;
    app.session_path(&format!("/{rest}?{query}"))
}

/// Seconds east of UTC at this moment, for times of day as people here read them.
fn utc_offset() -> i32 {
    time::UtcOffset::current_local_offset().map_or(0, time::UtcOffset::whole_seconds)
}

/// Reads `500`, `10KB`, `1.5MB`: sizes as they are printed.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || "write it like 500, 10KB or 1.5MB".to_owned();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" | "kib" => 1024.0,
        "m" | "mb" | "mib" => 1024.0 * 1024.0,
        _ => return Err(wrong()),
    };
    // The cast saturates, and negative numbers do not get here.
    Ok((number * unit) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_people_write_them() {
        for (text, bytes) in [
            ("500", 500),
            ("10KB", 10_240),
            ("1.5m", 1_572_864),
            ("0", 0),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "kb", "-1", "1..2", "3 parsecs"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_name_of_a_file_says_how_it_is_written() {
        for (name, form) in [
            ("a.txt", Form::Lines),
            ("a", Form::Lines),
            ("a.json", Form::Array),
            ("a.jsonl", Form::Objects),
            ("a.ndjson", Form::Objects),
        ] {
            assert_eq!(Form::of(Path::new(name)), form, "{name}");
        }
    }
}
