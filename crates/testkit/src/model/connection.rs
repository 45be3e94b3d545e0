//! What Chromium holds for one connection, and drops with it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// One attached CDP session. All that CDP can set on a target lives here, which is why it goes when the connection goes.
#[derive(Debug, Clone, Default)]
pub(super) struct CdpSession {
    pub(super) target: String,
    /// Domains that were enabled.
    pub(super) enabled: BTreeSet<String>,
    /// Scripts for new documents, by the identifier that was handed out.
    pub(super) init_scripts: BTreeMap<u32, String>,
    pub(super) last_script: u32,
    pub(super) bindings: BTreeSet<String>,
    pub(super) user_agent: Option<String>,
    pub(super) timezone: Option<String>,
    pub(super) viewport: Option<(i64, i64)>,
    pub(super) headers: Option<Value>,
    pub(super) fetch_enabled: bool,
}

/// One WebSocket or pipe.
#[derive(Debug, Clone, Default)]
pub(super) struct Connection {
    pub(super) sessions: BTreeMap<String, CdpSession>,
    pub(super) discover: bool,
    pub(super) download_path: Option<String>,
    pub(super) grants: Option<Value>,
    /// The client vanished without a word: what it set stays in force, and nothing reaches it.
    pub(super) half_open: bool,
}

impl Connection {
    pub(super) fn session_on(&self, target: &str) -> Option<&CdpSession> {
        self.sessions
            .values()
            .find(|session| session.target == target)
    }
}
