//! What is kept of each event.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::gap::Gap;
use crate::wall::Wall;

/// One entry of a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number: increasing, unique within the session's stream.
    pub number: u64,
    /// The target it came from; none for what concerns all.
    pub target: Option<Arc<str>>,
    /// When it happened, by the browser's clock where the browser says so.
    pub at: Wall,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A page or the browser said something.
    Console(Box<Console>),
    /// A page asked for something.
    Network(Box<Network>),
    /// Here something may be missing.
    Gap(Box<Gap>),
}

/// How serious a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "they say what they are")]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
}

/// Where a message came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleKind {
    /// A call of the console API: `log`, `error`, `table`, …
    Api(String),
    /// An exception that nobody caught.
    Exception,
    /// A message of the browser itself, from `network`, `security`, …
    Log(String),
}

/// A console message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Console {
    /// How serious it is.
    pub level: Level,
    /// Where it came from.
    pub kind: ConsoleKind,
    /// What it says, as DevTools would show it.
    pub text: String,
    /// Which calls led to it, innermost first.
    pub stack: Vec<Frame>,
    /// The arguments of the call: a JSON array of `Runtime.RemoteObject`.
    /// None when there were none or they were too large.
    pub args: Option<String>,
    /// The request it is about.
    pub request_id: Option<String>,
    /// The frame of the tab that said it, where the browser has that one as a
    /// target of its own; none for the page itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<Arc<str>>,
    /// Whether it was lost with a socket and came back from the browser's own
    /// store.
    pub recovered: bool,
    /// What is equal when the browser replays the message: its time, bit for
    /// bit, and a hash of its content.
    pub(crate) key: (u64, u64),
}

/// A place in a script. Lines and columns count from 1; 0 is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The function; empty when it has no name.
    pub function: String,
    /// The script.
    pub url: String,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// When this frame was left before the ones above ran: what joins them
    /// (`Promise.then`, `setTimeout`, …).
    pub joined_by: Option<String>,
}

/// Header names and values, in the order they came, secrets taken out.
pub type Headers = Vec<(String, String)>;

/// A request. Each hop of a redirect chain is an entry of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// The browser's id. All hops of a chain share it.
    pub request_id: String,
    /// Which hop of the chain this is, from 0.
    pub hop: u32,
    /// The method.
    pub method: String,
    /// The address, secrets taken out.
    pub url: String,
    /// What it is for, in lower case: `document`, `xhr`, `websocket`, …
    pub kind: String,
    /// What asked for it: `script app.js:10`, `parser`, …
    pub initiator: String,
    /// What was sent along.
    pub request_headers: Headers,
    /// The body that was sent, cut short, secrets taken out.
    pub post_data: Option<String>,
    /// The answer's status.
    pub status: Option<u16>,
    /// The text next to the status.
    pub status_text: String,
    /// The answer's headers.
    pub response_headers: Headers,
    /// The answer's type.
    pub mime: String,
    /// `h2`, `http/1.1`, …
    pub protocol: String,
    /// Who answered: address and port.
    pub remote: String,
    /// Where the answer came from.
    pub served: Served,
    /// Bytes over the wire so far, headers included; of the content, where
    /// only that is known.
    pub bytes: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// Where the time went.
    pub timing: Option<Timing>,
    /// How it ended.
    pub outcome: Outcome,
    /// The answer's body.
    pub body: Body,
    /// For a WebSocket: what went through it.
    pub frames: Option<Sockets>,
    /// The browser's monotonic time of the start, in seconds.
    pub(crate) started: f64,
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "they say what they are")]
pub enum Served {
    #[default]
    Network,
    Memory,
    Disk,
    Prefetch,
    ServiceWorker,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is under way.
    #[default]
    Pending,
    /// It was answered in full.
    Finished,
    /// It was answered with another address; the next hop follows.
    Redirected,
    /// It failed.
    Failed {
        /// Why: `net::ERR_…`.
        error: String,
        /// Whether somebody gave it up.
        canceled: bool,
        /// Why it was blocked, if it was.
        blocked: Option<String>,
    },
    /// The connection to the browser was lost while it was under way. Later
    /// events may still say how it ended.
    Unknown,
}

/// Where the time of a request went, in milliseconds; none where that part did
/// not take place.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "they say what they are")]
pub struct Timing {
    pub dns: Option<f64>,
    pub connect: Option<f64>,
    pub tls: Option<f64>,
    pub send: Option<f64>,
    pub wait: Option<f64>,
}

/// What went through a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sockets {
    /// Messages sent by the page.
    pub sent: u64,
    /// Messages received by the page.
    pub received: u64,
    /// Bytes of text or base64 in them.
    pub bytes: u64,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Not kept.
    #[default]
    None,
    /// Small text, right here.
    Text(String),
    /// In a file, until the budget pushes it out.
    File(BodyRef),
    /// Larger than one body may be.
    TooLarge {
        /// How large it was.
        bytes: u64,
    },
    /// It was wanted, and could not be had.
    NotKept {
        /// Why not.
        why: String,
    },
}

/// A body in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BodyRef {
    /// SHA-256 of the content, in hex.
    pub hash: String,
    /// How large it is.
    pub bytes: u64,
}

fn all_headers(headers: &Headers) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.len() + value.len() + 48)
        .sum()
}

impl Entry {
    /// About how much memory it takes, in bytes.
    pub(crate) fn weight(&self) -> usize {
        let inner = match &self.what {
            What::Console(c) => {
                let frames: usize = c.stack.iter().map(|f| f.function.len() + f.url.len()).sum();
                size_of::<Console>()
                    + c.text.len()
                    + c.args.as_ref().map_or(0, String::len)
                    + c.request_id.as_ref().map_or(0, String::len)
                    + c.frame.as_ref().map_or(0, |frame| frame.len())
                    + frames
                    + c.stack.len() * size_of::<Frame>()
            }
            What::Network(n) => {
                let body = match &n.body {
                    Body::Text(text) | Body::NotKept { why: text } => text.len(),
                    _ => 64,
                };
                size_of::<Network>()
                    + 2 * n.request_id.len()
                    + n.url.len()
                    + n.initiator.len()
                    + n.post_data.as_ref().map_or(0, String::len)
                    + all_headers(&n.request_headers)
                    + all_headers(&n.response_headers)
                    + body
                    + 128
            }
            What::Gap(gap) => size_of::<Gap>() + gap.weight(),
        };
        size_of::<Entry>() + 16 + inner
    }
}
