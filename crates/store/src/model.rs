//! The records, as plain data. Times are wall-clock times with millisecond
//! precision: what is finer is cut off when it is stored.

use std::time::{Duration, SystemTime};

/// What to do when a tab's renderer crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnCrash {
    /// Say so and leave the tab as it is.
    #[default]
    Report,
    /// Say so and reload the tab.
    Reload,
}

/// What to do when the browser dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnBrowserDeath {
    /// The session is lost.
    #[default]
    Fail,
    /// Start a browser again and re-open the tabs.
    Relaunch,
}

/// A session: the named, lasting hold on a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What users call it; unique. 1 to 128 characters, none of them control
    /// characters.
    pub name: String,
    /// How to reach the browser again, in the caller's own notation. Must not
    /// carry credentials: those go to `sealed`.
    pub endpoint: String,
    /// What is secret about the endpoint, encrypted by the caller.
    pub sealed: Option<Vec<u8>>,
    /// The keeper's socket, when a keeper owns the browser.
    pub keeper: Option<String>,
    /// What to do when a tab crashes.
    pub on_crash: OnCrash,
    /// What to do when the browser dies.
    pub on_browser_death: OnBrowserDeath,
    /// The tab that commands go to when they name none.
    pub active_target: Option<String>,
    /// When it was made.
    pub created: SystemTime,
    /// When this record was last written.
    pub updated: SystemTime,
    /// When and why it ended; `None` while it lives.
    pub ended: Option<SessionEnd>,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionEnd {
    /// When.
    pub at: SystemTime,
    /// Why, in words that can be shown.
    pub reason: String,
}

/// A tab of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    /// The session it belongs to.
    pub session: String,
    /// The browser's id for it; unique within the session.
    pub target_id: String,
    /// Where it was last.
    pub url: String,
    /// Its title then.
    pub title: String,
    /// The tab that opened it.
    pub opener: Option<String>,
    /// Its place among the session's tabs, from 0. Ties are ordered by id.
    pub position: u32,
}

/// One holder's right to drive a session, until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The session.
    pub session: String,
    /// Who holds it.
    pub holder: String,
    /// The fence: one higher each time the session changes hands, never reused,
    /// not even after the session was forgotten and made anew.
    pub epoch: u64,
    /// When it runs out, unless renewed.
    pub expires: SystemTime,
}

/// A wish to hold a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRequest {
    /// The session. It need not exist yet.
    pub session: String,
    /// Who wants it. The holder of a live lease that asks again gets the same
    /// epoch with a new expiry.
    pub holder: String,
    /// What time it is.
    pub now: SystemTime,
    /// For how long.
    pub ttl: Duration,
}

/// Entries of one stream of a session (`console`, `network`, …), written and
/// pruned together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryBatch {
    /// The session.
    pub session: String,
    /// The stream's name.
    pub stream: String,
    /// Entries to add. One whose number is there already is replaced.
    pub put: Vec<StoredEntry>,
    /// Entries with a lower number are removed, after `put`.
    pub keep_from: u64,
    /// What is known of the stream as a whole, after this batch.
    pub head: StreamHead,
}

/// What is known of a stream as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamHead {
    /// The number the next entry will get.
    pub next: u64,
    /// How many entries were dropped to stay within bounds.
    pub dropped: u64,
}

/// One entry of a stream. The store does not look into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its number, unique within the stream.
    pub number: u64,
    /// Its content.
    pub bytes: Vec<u8>,
}
