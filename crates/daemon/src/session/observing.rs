//! What the tabs of a session said and asked for, as the doors hand it out.

use std::time::{Duration, SystemTime};

use keeptab_buffers::{
    Body, Entry, Filter, FilterError, Shape, Stream, Wall, What, detail, json, line, note_of_drops,
};
use tokio::time::Instant;

use super::entry::Session;
use super::tabs::short;
use crate::api::{ClearRequest, Cleared, Entries, EntriesQuery, EntryDetail, EntryQuery};
use crate::error::{ApiError, Code};

/// How long a reader waits while the browser is being taken over, or a gap being closed.
const PATIENCE: Duration = Duration::from_secs(3);

/// The longest message or address on a line, in bytes.
const LINE: usize = 1_000;

impl Session {
    /// Tabs that tabs of ours have opened are ours.
    pub(crate) fn adopt_popups_now(&self) {
        self.adopt_known_popups();
    }

    /// Whether a tab belongs to another session.
    pub(crate) fn is_elsewhere(&self, target: &str) -> bool {
        self.daemon()
            .is_ok_and(|daemon| daemon.owner_of(target, self.name()).is_some())
    }

    /// Whether a tab is to be recorded: all of them in a browser of our own, else those that the
    /// session uses.
    pub(crate) fn records(&self, kind: &str, target: &str, url: &str) -> bool {
        kind == "page"
            && !url.starts_with("devtools://")
            && (self.is_launched() || self.owns(target))
            && !self.is_elsewhere(target)
    }

    /// `GET …/console` and `…/network`
    ///
    /// # Errors
    /// The filter makes no sense, or no tab fits.
    pub(crate) async fn entries(
        &self,
        stream: Stream,
        query: &EntriesQuery,
    ) -> Result<Entries, ApiError> {
        self.wait_a_little().await;
        let mut notes = Vec::new();
        let tab = match &query.tab {
            Some(wanted) => Some(self.tab_with_entries(wanted).await?),
            None if query.all => None,
            None => {
                let active = self.active_id();
                if active.is_none() {
                    notes.push("there is no active tab; these are the entries of all tabs".into());
                }
                active
            }
        };
        let filter = filter(stream, query, tab.clone())?;
        let shape = Shape {
            utc_offset: query.utc_offset.unwrap_or_default(),
            max_text: LINE,
        };
        let recording = self.observer.recording();
        let recorded = match stream {
            Stream::Console => recording.console,
            Stream::Network => recording.network,
        };
        if !recorded {
            notes.push(format!(
                "session \"{}\" does not record its {} (record: {recording})",
                self.name(),
                stream.name()
            ));
        }
        Ok(self.observer.read(|buffers| {
            let mut found = Entries {
                session: self.name().to_owned(),
                stream: stream.name().to_owned(),
                total: buffers.len(stream),
                dropped: buffers.dropped(stream),
                cleared: buffers.was_cleared(stream),
                tab,
                notes,
                ..Entries::default()
            };
            let selected = buffers.select(stream, &filter);
            if query.text {
                found.lines.extend(note_of_drops(found.dropped));
                let several = found.tab.is_none();
                let lines = selected
                    .into_iter()
                    .map(|entry| one_line(entry, shape, several));
                found.lines.extend(lines);
            } else {
                found.entries = selected.into_iter().map(json).collect();
            }
            found
        }))
    }

    /// The id of the tab that is meant, also of one that is gone and has left entries.
    async fn tab_with_entries(&self, wanted: &str) -> Result<String, ApiError> {
        let open = match self.held() {
            Ok(held) => self.find_tab(&held, wanted).await.map(|tab| tab.id),
            Err(error) => Err(error),
        };
        let error = match open {
            Ok(id) => return Ok(id),
            Err(error) if error.code == Code::Ambiguous => return Err(error),
            Err(error) => error,
        };
        let wanted = wanted
            .strip_prefix("target:")
            .unwrap_or(wanted)
            .to_lowercase();
        let mut gone: Vec<String> = self.observer.read(|buffers| {
            Stream::ALL
                .into_iter()
                .flat_map(|stream| buffers.select(stream, &Filter::default()))
                .filter_map(|entry| entry.target.as_deref())
                .filter(|id| !wanted.is_empty() && id.to_lowercase().starts_with(&wanted))
                .map(str::to_owned)
                .collect()
        });
        gone.sort_unstable();
        gone.dedup();
        match gone.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(error),
            several => Err(ApiError::new(
                Code::Ambiguous,
                format!("\"{wanted}\" fits several tabs: {}", several.join(", ")),
            )),
        }
    }

    /// `GET …/console/{number}` and `…/network/{number}`
    ///
    /// # Errors
    /// There is no such entry.
    pub(crate) async fn entry(
        &self,
        stream: Stream,
        number: u64,
        query: &EntryQuery,
    ) -> Result<EntryDetail, ApiError> {
        self.wait_a_little().await;
        let Some(entry) = self.observer.entry(stream, number) else {
            return Err(self.no_such_entry(stream, number));
        };
        let mut said = None;
        let body = match &entry.what {
            What::Network(network) => match &network.body {
                Body::Text(text) => Some(text.clone()),
                Body::File(file) => match self.observer.body(file).await.map(String::from_utf8) {
                    Ok(Ok(text)) => Some(text),
                    Ok(Err(_)) => {
                        said = Some("it is not text".to_owned());
                        None
                    }
                    Err(why) => {
                        said = Some(why);
                        None
                    }
                },
                _ => None,
            },
            _ => None,
        };
        let shape = Shape {
            utc_offset: query.utc_offset.unwrap_or_default(),
            ..Shape::default()
        };
        let mut text = detail(&entry, body.as_deref(), shape);
        if let Some(why) = said {
            text.push_str(&format!("response body not shown: {why}\n"));
        }
        Ok(EntryDetail {
            session: self.name().to_owned(),
            stream: stream.name().to_owned(),
            entry: json(&entry),
            body,
            text,
        })
    }

    fn no_such_entry(&self, stream: Stream, number: u64) -> ApiError {
        let name = stream.name();
        let error = ApiError::new(
            Code::NotFound,
            format!("session \"{}\" has no {name} entry {number}", self.name()),
        );
        match self.observer.numbers(stream) {
            Some((first, last)) => error.hint(format!(
                "keeptab {name} --all (there are {first} to {last})"
            )),
            None => error.hint(format!("keeptab {name}")),
        }
    }

    /// `POST …/clear`
    ///
    /// # Errors
    /// There is no such stream.
    pub(crate) async fn clear(&self, request: &ClearRequest) -> Result<Cleared, ApiError> {
        let wanted = match request.stream.as_deref() {
            None => Stream::ALL.to_vec(),
            Some(name) => {
                let stream = Stream::ALL.into_iter().find(|stream| stream.name() == name);
                let stream = stream.ok_or_else(|| {
                    ApiError::new(Code::Invalid, format!("there is no stream {name:?}"))
                        .hint("keeptab clear console, or: keeptab clear network")
                })?;
                vec![stream]
            }
        };
        let mut cleared = Cleared {
            session: self.name().to_owned(),
            console: 0,
            network: 0,
        };
        for stream in wanted {
            let count = self.observer.clear(stream).await;
            match stream {
                Stream::Console => cleared.console = count,
                Stream::Network => cleared.network = count,
            }
        }
        Ok(cleared)
    }

    /// While the browser is being taken over or a gap is being closed, the entries are about to
    /// change by themselves.
    async fn wait_a_little(&self) {
        drop(self.my_turn(Instant::now() + PATIENCE).await);
        self.observer.settled(PATIENCE).await;
    }
}

fn one_line(entry: &Entry, shape: Shape, several: bool) -> String {
    let line = line(entry, shape);
    match &entry.target {
        Some(target) if several => format!("{line} [{}]", short(target)),
        _ => line,
    }
}

fn filter(stream: Stream, query: &EntriesQuery, tab: Option<String>) -> Result<Filter, ApiError> {
    let since = query.since_ms.map(|ms| {
        let since = SystemTime::now().checked_sub(Duration::from_millis(ms));
        since.map_or(Wall::default(), Wall::from)
    });
    let kinds = query.kind.as_deref().unwrap_or_default();
    Ok(Filter {
        find: parsed(query.find.as_deref())?,
        kinds: Filter::parse_kinds(stream, kinds).map_err(|error| wrong(&error))?,
        target: tab,
        status: parsed(query.status.as_deref())?,
        url: parsed(query.url.as_deref())?,
        method: query.method.clone(),
        mime: query.mime.clone(),
        failed: query.failed,
        min_duration_ms: query.min_duration_ms,
        min_bytes: query.min_bytes,
        since,
        range: match &query.range {
            Some(range) => Some(Filter::parse_range(range).map_err(|error| wrong(&error))?),
            None => None,
        },
        head: query.head,
        tail: query.tail,
    })
}

fn parsed<T: std::str::FromStr<Err = FilterError>>(
    text: Option<&str>,
) -> Result<Option<T>, ApiError> {
    text.map(str::parse)
        .transpose()
        .map_err(|error: FilterError| wrong(&error))
}

fn wrong(error: &FilterError) -> ApiError {
    ApiError::new(Code::Invalid, error.to_string()).hint(error.hint())
}
