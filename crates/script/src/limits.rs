//! What one sandbox may use.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The bounds of one sandbox worker. Every figure holds for the whole process or for one eval, as said.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Limits {
    /// Heap of the JavaScript engine in bytes, for the whole worker. The default, 256 MiB, is memory
    /// that is *allowed*, not used. Measured with results of 20 MB: 64 MiB are enough for a screenshot in
    /// base64, text with one wide character needs more than 64 and its JSON more than 96, and a tree of 220,000 nodes
    /// more than 128.
    pub heap: usize,
    /// Native stack that JavaScript may use, in bytes.
    pub stack: usize,
    /// Result text of one eval in bytes. What is longer is cut, and said. The default, 32 MiB, lets
    /// a full-page screenshot in base64 through and keeps the daemon small.
    pub output: usize,
    /// Console text of one eval in bytes.
    pub console: usize,
    /// Calls of one worker that wait for the browser at the same time.
    pub in_flight: usize,
    /// Length of one CDP command in bytes, method and parameters. The default, 64 MiB, is what the link sends.
    pub command: usize,
    /// Largest message that may cross to or from the worker, in bytes.
    pub frame: usize,
    /// How long code that runs without an eval (a timer, an event listener) may hold the processor.
    #[serde(with = "millis")]
    pub background: Duration,
    /// How long after a deadline the worker has to answer before it is killed.
    #[serde(with = "millis")]
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            heap: 256 << 20,
            stack: 1 << 20,
            output: 32 << 20,
            console: 1 << 20,
            in_flight: 1024,
            command: 64 << 20,
            frame: 96 << 20,
            background: Duration::from_secs(5),
            grace: Duration::from_millis(100),
        }
    }
}

/// Durations cross the process border as whole milliseconds.
mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(d: &Duration, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        u64::deserialize(d).map(Duration::from_millis)
    }
}
