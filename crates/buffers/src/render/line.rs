//! One line per entry.

use std::fmt::Write;

use crate::entry::{Console, ConsoleKind, Entry, Frame, Level, Network, Outcome, Served, What};
use crate::gap::{Gap, Verdict};
use crate::limits::MAX_TEXT;
use crate::text::{keep, one_line, size, span};

/// How lines are to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Seconds east of UTC, for times of day.
    pub utc_offset: i32,
    /// The longest message or address, in bytes; longer ones end in `…`.
    pub max_text: usize,
}

impl Default for Shape {
    /// UTC, and messages and addresses in full.
    fn default() -> Self {
        Shape {
            utc_offset: 0,
            max_text: MAX_TEXT,
        }
    }
}

/// An entry on one line, without a line break:
/// `07 [12:00:01] ERROR fn url:l:c msg`, `07 POST URL 200 12ms xhr 3KB`, or a gap.
pub fn line(entry: &Entry, shape: Shape) -> String {
    let rest = match &entry.what {
        What::Console(console) => {
            let clock = entry.at.clock(shape.utc_offset);
            format!("[{clock}] {}", console_line(console, shape))
        }
        What::Network(network) => network_line(network, shape),
        What::Gap(gap) => gap_line(gap, shape),
    };
    format!("{:02} {rest}", entry.number)
}

/// What to print above a list whose oldest entries were dropped; None when
/// none were.
pub fn note_of_drops(dropped: u64) -> Option<String> {
    let entries = if dropped == 1 { "entry" } else { "entries" };
    (dropped > 0).then(|| format!("-- {dropped} older {entries} dropped to stay within bounds --"))
}

fn console_line(console: &Console, shape: Shape) -> String {
    let mut out = String::from(label(console));
    if let Some(frame) = console.stack.first() {
        if !frame.function.is_empty() {
            out.push(' ');
            out.push_str(&one_line(&frame.function));
        }
        out.push(' ');
        out.push_str(&place(frame));
    }
    if !console.text.is_empty() {
        out.push(' ');
        out.push_str(&one_line(&keep(&console.text, shape.max_text)));
    }
    out
}

/// The level, or more precisely what was called.
pub(super) fn label(console: &Console) -> &'static str {
    match (&console.kind, console.level) {
        (ConsoleKind::Exception, _) => "EXCEPTION",
        (_, Level::Debug) => "DEBUG",
        (ConsoleKind::Api(call), Level::Info) if call == "log" => "LOG",
        (_, Level::Info) => "INFO",
        (_, Level::Warning) => "WARN",
        (_, Level::Error) => "ERROR",
    }
}

/// `url:line:column`, as far as it is known.
pub(super) fn place(frame: &Frame) -> String {
    let mut out = one_line(&frame.url).into_owned();
    for number in [frame.line, frame.column] {
        if number > 0 {
            // Writing to a String cannot fail.
            let _ = write!(out, ":{number}");
        }
    }
    if out.is_empty() {
        "(unknown place)".into()
    } else {
        out
    }
}

fn network_line(network: &Network, shape: Shape) -> String {
    let method = if network.method.is_empty() {
        "?"
    } else {
        &network.method
    };
    let url = if network.url.is_empty() {
        "(address unknown)"
    } else {
        &network.url
    };
    let mut out = format!(
        "{} {}",
        one_line(method),
        one_line(&keep(url, shape.max_text))
    );
    let mut word = |text: &str| {
        out.push(' ');
        out.push_str(&one_line(text));
    };
    match (&network.outcome, network.status) {
        (Outcome::Failed { .. }, _) => word("FAILED"),
        (_, Some(status)) => word(&status.to_string()),
        (Outcome::Pending, None) => word("pending"),
        (Outcome::Unknown, None) => word("UNKNOWN"),
        (_, None) => word("-"),
    }
    if let Some(ms) = network.duration_ms {
        word(&span(ms));
    }
    word(&network.kind);
    match &network.outcome {
        Outcome::Failed { error, .. } => word(error),
        _ => word(&size(
            network.frames.map_or(network.bytes, |frames| frames.bytes),
        )),
    }
    if let Some(from) = served(network.served) {
        word(&format!("({from})"));
    }
    if network.outcome == Outcome::Unknown {
        word("(connection lost before it ended)");
    }
    out
}

pub(super) fn served(served: Served) -> Option<&'static str> {
    match served {
        Served::Network => None,
        Served::Memory => Some("memory"),
        Served::Disk => Some("disk"),
        Served::Prefetch => Some("prefetch"),
        Served::ServiceWorker => Some("service worker"),
    }
}

fn gap_line(gap: &Gap, shape: Shape) -> String {
    let from = gap.from.clock(shape.utc_offset);
    let cause = one_line(&gap.cause);
    match gap.to {
        None => format!("-- GAP [{from}] … and not over: {cause} --"),
        Some(to) => {
            let until = to.clock(shape.utc_offset);
            let length = span(to.ms_since(gap.from));
            let verdict = verdict(&gap.verdict);
            let (doubt, plain) = (in_doubt(gap), without_init_scripts(gap));
            format!("-- GAP [{from}] to [{until}] ({length}): {cause}; {verdict}{doubt}{plain} --")
        }
    }
}

/// The documents that miss what was to run in them first.
fn without_init_scripts(gap: &Gap) -> String {
    match gap.without_init_scripts.as_slice() {
        [] => String::new(),
        [url] => format!("; without its init scripts: {}", one_line(url)),
        [url, more @ ..] => format!(
            "; without their init scripts: {} and {} more",
            one_line(url),
            more.len()
        ),
    }
}

/// Methods that are named on one line.
const MAX_NAMED: usize = 3;

/// The commands whose outcome is not known, to be put behind what became of the interval.
fn in_doubt(gap: &Gap) -> String {
    let named = &gap.unknown_methods[..gap.unknown_methods.len().min(MAX_NAMED)];
    if named.is_empty() {
        return String::new();
    }
    let names = one_line(&named.join(", ")).into_owned();
    match (gap.unknown_outcomes as usize).saturating_sub(named.len()) {
        0 => format!("; outcome unknown: {names}"),
        more => format!("; outcome unknown: {names} and {more} more"),
    }
}

/// What became of the interval, in words.
pub(super) fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Open => "not over".into(),
        Verdict::Complete { recovered: 0 } => "nothing missed".into(),
        Verdict::Complete { recovered } => format!("{recovered} recovered, nothing missed"),
        Verdict::Partial { recovered, why } => {
            format!(
                "{recovered} recovered, more may be missing: {}",
                one_line(why)
            )
        }
        Verdict::Unknown { why } => format!("entries may be missing: {}", one_line(why)),
    }
}
