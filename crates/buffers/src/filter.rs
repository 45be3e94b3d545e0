//! Which entries a reader wants to see.

use std::str::FromStr;

use regex::{Regex, RegexBuilder};

use crate::buffers::Stream;
use crate::entry::{Console, ConsoleKind, Entry, Level, Network, Outcome, What};
use crate::error::FilterError;
use crate::gap::Gap;
use crate::wall::Wall;

pub(crate) const A_STATUS: &str = "a status (404, 4xx, 200-299, or several with commas)";
pub(crate) const A_RANGE: &str = "a range of numbers (A-B)";
const A_PATTERN: &str = "a pattern";
pub(crate) const A_CONSOLE_TYPE: &str = "a type of console entries";
pub(crate) const A_NETWORK_TYPE: &str = "a type of requests";

/// Levels, calls, exceptions, and the sources of the browser's own log, as CDP names them.
pub(crate) const CONSOLE_TYPES: &[&str] = &[
    "error",
    "warning",
    "warn",
    "info",
    "debug",
    "exception",
    "log",
    "dir",
    "dirxml",
    "table",
    "trace",
    "clear",
    "startGroup",
    "startGroupCollapsed",
    "endGroup",
    "assert",
    "profile",
    "profileEnd",
    "count",
    "timeEnd",
    "xml",
    "javascript",
    "network",
    "storage",
    "appcache",
    "rendering",
    "security",
    "deprecation",
    "worker",
    "violation",
    "intervention",
    "recommendation",
    "other",
];

/// The resource types of CDP.
pub(crate) const NETWORK_TYPES: &[&str] = &[
    "document",
    "stylesheet",
    "image",
    "media",
    "font",
    "script",
    "texttrack",
    "xhr",
    "fetch",
    "prefetch",
    "eventsource",
    "websocket",
    "manifest",
    "signedexchange",
    "ping",
    "cspviolationreport",
    "preflight",
    "fedcm",
    "other",
];

/// Which entries a reader wants to see. All conditions must hold. Those about
/// requests let no console message through, and gaps come through all but
/// `target`, `since` and `range`.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Some part of it matches.
    pub find: Option<Pattern>,
    /// It is of one of these types. For the console: a level (`error`,
    /// `warning`, `info`, `debug`), a call (`log`, `table`, …) or `exception`.
    /// For the network: `xhr`, `document`, …
    pub kinds: Vec<String>,
    /// It comes from this target.
    pub target: Option<String>,
    /// The answer's status.
    pub status: Option<Statuses>,
    /// The address: of a request, or of the script that said something.
    pub url: Option<Pattern>,
    /// The request's method.
    pub method: Option<String>,
    /// The answer's type contains this.
    pub mime: Option<String>,
    /// It failed: the request did, or its status is 400 or above; or it is an
    /// error of the console.
    pub failed: bool,
    /// It took at least so many milliseconds.
    pub min_duration_ms: Option<f64>,
    /// It is at least so many bytes.
    pub min_bytes: Option<u64>,
    /// It is no older.
    pub since: Option<Wall>,
    /// Its number is in this range, both ends included.
    pub range: Option<(u64, u64)>,
    /// Of those left, the first so many, gaps not counted.
    pub head: Option<usize>,
    /// Of those left, the last so many, gaps not counted.
    pub tail: Option<usize>,
}

/// Text to look for: a part of it, whatever its case; with `*` for anything,
/// all of it; or, after `re:`, a regular expression.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl FromStr for Pattern {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let source = match text.strip_prefix("re:") {
            Some(expression) => expression.to_owned(),
            None if text.contains('*') => {
                let parts: Vec<_> = text.split('*').map(regex::escape).collect();
                format!("(?is)^{}$", parts.join(".*"))
            }
            None => format!("(?i){}", regex::escape(text)),
        };
        RegexBuilder::new(&source)
            .size_limit(1 << 20)
            .build()
            .map(Pattern)
            .map_err(|_| FilterError {
                value: text.to_owned(),
                wanted: A_PATTERN,
            })
    }
}

impl Pattern {
    /// Whether it is found.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// Ranges of status codes: `404`, `4xx`, `200-299`, or several with commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<(u16, u16)>);

impl FromStr for Statuses {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let one = |part: &str| -> Option<(u16, u16)> {
            let part = part.trim();
            if let Some(class) = part.strip_suffix("xx").or_else(|| part.strip_suffix("XX")) {
                let class: u16 = class.parse().ok().filter(|class| (1..=9).contains(class))?;
                return Some((class * 100, class * 100 + 99));
            }
            match part.split_once('-') {
                Some((from, to)) => Some((from.trim().parse().ok()?, to.trim().parse().ok()?)),
                None => part.parse().ok().map(|status| (status, status)),
            }
        };
        let ranges: Option<Vec<_>> = text.split(',').map(one).collect();
        ranges
            .filter(|ranges| ranges.iter().all(|(from, to)| from <= to))
            .map(Statuses)
            .ok_or_else(|| FilterError {
                value: text.to_owned(),
                wanted: A_STATUS,
            })
    }
}

impl Statuses {
    /// Whether a status is in one of the ranges.
    pub fn contains(&self, status: u16) -> bool {
        self.0
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&status))
    }
}

impl Filter {
    /// Reads a range of numbers, `A-B`, both ends included.
    pub fn parse_range(text: &str) -> Result<(u64, u64), FilterError> {
        text.split_once('-')
            .and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)))
            .filter(|(a, b)| a <= b)
            .ok_or_else(|| FilterError {
                value: text.to_owned(),
                wanted: A_RANGE,
            })
    }

    /// Reads the types of a stream's entries, separated by commas, in any letter
    /// case.
    pub fn parse_kinds(stream: Stream, text: &str) -> Result<Vec<String>, FilterError> {
        let (known, wanted) = match stream {
            Stream::Console => (CONSOLE_TYPES, A_CONSOLE_TYPE),
            Stream::Network => (NETWORK_TYPES, A_NETWORK_TYPE),
        };
        let words = text.split(',').map(str::trim);
        let is_known = |word: &str| known.iter().any(|kind| kind.eq_ignore_ascii_case(word));
        words
            .filter(|word| !word.is_empty())
            .map(|word| match is_known(word) {
                true => Ok(word.to_owned()),
                false => Err(FilterError {
                    value: word.to_owned(),
                    wanted,
                }),
            })
            .collect()
    }

    /// Whether an entry is wanted, `head` and `tail` aside.
    pub fn wants(&self, entry: &Entry) -> bool {
        if self
            .range
            .is_some_and(|(a, b)| !(a..=b).contains(&entry.number))
        {
            return false;
        }
        if let (Some(wanted), Some(target)) = (&self.target, &entry.target)
            && **target != **wanted
        {
            return false;
        }
        match &entry.what {
            What::Gap(gap) => self.since.is_none_or(|since| !is_over(gap, since)),
            What::Console(console) => self.is_recent(entry) && self.wants_console(console),
            What::Network(network) => self.is_recent(entry) && self.wants_network(network),
        }
    }

    fn is_recent(&self, entry: &Entry) -> bool {
        self.since.is_none_or(|since| entry.at >= since)
    }

    fn wants_console(&self, console: &Console) -> bool {
        let about_requests = self.status.is_some()
            || self.method.is_some()
            || self.mime.is_some()
            || self.min_duration_ms.is_some()
            || self.min_bytes.is_some();
        let url = || console.stack.first().map_or("", |frame| &*frame.url);
        !about_requests
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| is_kind(console, kind)))
            && self
                .find
                .as_ref()
                .is_none_or(|p| p.matches(&console.text) || p.matches(url()))
            && self
                .url
                .as_ref()
                .is_none_or(|pattern| pattern.matches(url()))
            && (!self.failed || console.level == Level::Error)
    }

    fn wants_network(&self, network: &Network) -> bool {
        let find = |pattern: &Pattern| {
            let headers = || {
                network
                    .request_headers
                    .iter()
                    .chain(&network.response_headers)
            };
            pattern.matches(&network.url)
                || pattern.matches(&network.status_text)
                || network
                    .post_data
                    .as_ref()
                    .is_some_and(|data| pattern.matches(data))
                || matches!(&network.outcome, Outcome::Failed { error, .. } if pattern.matches(error))
                || headers().any(|(name, value)| pattern.matches(name) || pattern.matches(value))
        };
        let lower = |text: &String| text.to_ascii_lowercase();
        (self.kinds.is_empty()
            || self
                .kinds
                .iter()
                .any(|k| k.eq_ignore_ascii_case(&network.kind)))
            && self.find.as_ref().is_none_or(find)
            && self
                .url
                .as_ref()
                .is_none_or(|pattern| pattern.matches(&network.url))
            && self
                .method
                .as_ref()
                .is_none_or(|m| m.eq_ignore_ascii_case(&network.method))
            && self
                .mime
                .as_ref()
                .is_none_or(|m| lower(&network.mime).contains(&lower(m)))
            && self
                .status
                .as_ref()
                .is_none_or(|wanted| network.status.is_some_and(|status| wanted.contains(status)))
            && (!self.failed || has_failed(network))
            && self
                .min_duration_ms
                .is_none_or(|least| network.duration_ms.is_some_and(|ms| ms >= least))
            && self.min_bytes.is_none_or(|least| network.bytes >= least)
    }

    pub(crate) fn select<'a>(
        &self,
        entries: impl DoubleEndedIterator<Item = &'a Entry>,
    ) -> Vec<&'a Entry> {
        let counts = |entry: &Entry| !matches!(entry.what, What::Gap(_));
        let mut wanted: Vec<&Entry> = entries.filter(|entry| self.wants(entry)).collect();
        if let Some(head) = self.head {
            let mut left = head;
            wanted.retain(|entry| {
                let keep = left > 0;
                left -= usize::from(keep && counts(entry));
                keep
            });
        }
        if let Some(tail) = self.tail {
            let mut left = tail;
            let from = wanted.iter().rposition(|entry| {
                let enough = left == 0;
                left -= usize::from(!enough && counts(entry));
                enough
            });
            wanted.drain(..from.map_or(0, |last| last + 1));
        }
        wanted
    }
}

fn is_over(gap: &Gap, since: Wall) -> bool {
    gap.to.is_some_and(|to| to < since)
}

fn is_kind(console: &Console, wanted: &str) -> bool {
    let level = match console.level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    let kind = match &console.kind {
        ConsoleKind::Api(call) => call,
        ConsoleKind::Exception => "exception",
        ConsoleKind::Log(source) => source,
    };
    wanted.eq_ignore_ascii_case(level)
        || wanted.eq_ignore_ascii_case(kind)
        || (wanted.eq_ignore_ascii_case("warn") && console.level == Level::Warning)
}

fn has_failed(network: &Network) -> bool {
    matches!(network.outcome, Outcome::Failed { .. })
        || network.status.is_some_and(|status| status >= 400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_in_all_their_forms() {
        for (text, inside, outside) in [
            ("404", vec![404], vec![403, 405]),
            ("4xx", vec![400, 499], vec![399, 500]),
            ("200-299", vec![200, 299], vec![199, 300]),
            ("404, 5XX", vec![404, 500], vec![403]),
        ] {
            let statuses: Statuses = text.parse().unwrap();
            assert!(inside.into_iter().all(|s| statuses.contains(s)), "{text}");
            assert!(!outside.into_iter().any(|s| statuses.contains(s)), "{text}");
        }
        for wrong in ["", "x", "xx", "0xx", "299-200", "404,"] {
            let error = wrong.parse::<Statuses>().unwrap_err();
            assert!(error.hint().contains("4xx"), "{wrong}");
        }
    }

    #[test]
    fn patterns_are_parts_globs_or_expressions() {
        for (pattern, text, expected) in [
            ("API", "https://h/api/x", true),
            ("a.i", "https://h/api/x", false),
            ("*/api/*", "https://h/api/x", true),
            ("api*", "https://h/api/x", false),
            ("re:/v[12]/", "https://h/v2/x", true),
            ("re:/v[12]/", "https://h/v3/x", false),
        ] {
            assert_eq!(
                pattern.parse::<Pattern>().unwrap().matches(text),
                expected,
                "{pattern}"
            );
        }
        assert!("re:(".parse::<Pattern>().is_err());
    }

    #[test]
    fn a_type_that_no_entry_can_have_is_refused_with_those_there_are() {
        for (stream, text) in [
            (Stream::Console, "error, EXCEPTION,warn,endgroup,"),
            (Stream::Network, "XHR,fetch,CSPViolationReport"),
        ] {
            let kinds = Filter::parse_kinds(stream, text).unwrap();
            assert!(kinds.len() >= 3, "{kinds:?}");
        }
        for (stream, text, said, hint) in [
            (Stream::Console, "error,bogus", "\"bogus\"", "exception"),
            (Stream::Console, "xhr", "console", "warning"),
            (Stream::Network, "bogus", "requests", "websocket"),
            (Stream::Network, "exception", "requests", "document"),
        ] {
            let error = Filter::parse_kinds(stream, text).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
            assert!(error.hint().contains(hint), "{}", error.hint());
        }
        assert_eq!(Filter::parse_kinds(Stream::Console, ""), Ok(Vec::new()));
    }

    #[test]
    fn a_hint_at_a_pattern_names_no_flag() {
        // It may have been given to --find or to --url.
        let error = "re:(".parse::<Pattern>().unwrap_err();
        assert!(!error.hint().contains("--"), "{}", error.hint());
    }

    #[test]
    fn ranges_need_two_ends() {
        assert_eq!(Filter::parse_range("10-20"), Ok((10, 20)));
        for wrong in ["10", "20-10", "-", "a-b"] {
            assert!(
                Filter::parse_range(wrong)
                    .unwrap_err()
                    .hint()
                    .contains("--range")
            );
        }
    }
}
