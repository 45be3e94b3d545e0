//! The model browser itself: connections, targets, and all that happens to them from outside.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::connection::{CdpSession, Connection};
use super::target::{DialogKind, ModelDialog, Target};

/// One connection to a model browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

pub(super) const USER_AGENT: &str = "ModelBrowser/1";
pub(super) const TIME_ZONE: &str = "UTC";
pub(super) const INNER_WIDTH: i64 = 780;

/// A browser that obeys the survival table.
#[derive(Debug, Default)]
pub struct ModelBrowser {
    pub(super) targets: BTreeMap<String, Target>,
    pub(super) connections: BTreeMap<ConnectionId, Connection>,
    pub(super) clock_ms: f64,
    dead: bool,
    generation: u64,
    last_id: u64,
    outgoing: VecDeque<(ConnectionId, String)>,
}

impl ModelBrowser {
    /// A browser with one blank page.
    pub fn new() -> Self {
        let mut browser = Self::default();
        browser.open_tab("about:blank", None);
        browser
    }

    /// Sets the wall clock, in milliseconds since the epoch; console messages carry it.
    pub fn set_clock(&mut self, ms: f64) {
        self.clock_ms = ms;
    }

    /// What identifies this process to a client that dials it: the id in its WebSocket address.
    pub fn identity(&self) -> String {
        format!("model-{}", self.generation)
    }

    /// Opens a connection; `None` when the process is dead.
    pub fn connect(&mut self) -> Option<ConnectionId> {
        if self.dead {
            return None;
        }
        self.last_id += 1;
        let id = ConnectionId(self.last_id);
        self.connections.insert(id, Connection::default());
        Some(id)
    }

    /// Ends a connection: everything that was set through it goes with it.
    pub fn disconnect(&mut self, connection: ConnectionId) {
        let Some(ended) = self.connections.remove(&connection) else {
            return;
        };
        for session in ended.sessions.values() {
            self.leave(session);
        }
        self.outgoing.retain(|(to, _)| *to != connection);
        for target in self.targets.values_mut() {
            target
                .waiting
                .retain(|waiting| waiting.connection != connection);
        }
    }

    /// A session ends: what it had set on its target is no longer in force. A user agent falls back to
    /// what another session holds; a viewport does not, whoever else had set one.
    pub(super) fn leave(&mut self, session: &CdpSession) {
        let other = self
            .sessions_on(&session.target)
            .filter_map(|s| s.user_agent.clone())
            .last();
        let Some(target) = self.targets.get_mut(&session.target) else {
            return;
        };
        if session.user_agent.is_some() {
            target.in_force.user_agent = other;
        }
        if session.timezone.is_some() {
            target.in_force.timezone = None;
        }
        if session.viewport.is_some() {
            target.in_force.viewport = None;
        }
    }

    /// The client vanished and nothing said so: the connection's state stays in force, nobody is reached through it.
    pub fn go_half_open(&mut self, connection: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.half_open = true;
        }
        self.outgoing.retain(|(to, _)| *to != connection);
    }

    /// The next message to a client, and whose it is.
    pub fn poll(&mut self) -> Option<(ConnectionId, String)> {
        self.outgoing.pop_front()
    }

    /// The ids of all open tabs.
    pub fn tabs(&self) -> Vec<String> {
        self.targets.keys().cloned().collect()
    }

    /// The target that a session is attached to.
    pub fn target_of(&self, connection: ConnectionId, session: &str) -> Option<String> {
        let session = self.connections.get(&connection)?.sessions.get(session)?;
        Some(session.target.clone())
    }

    /// Reads a global of a tab's document; `None` when the tab or the global is not there.
    pub fn global(&self, target: &str, name: &str) -> Option<&Value> {
        self.targets.get(target)?.document.globals.get(name)
    }

    /// The dialog that is open in a tab.
    pub fn dialog(&self, target: &str) -> Option<&ModelDialog> {
        self.targets.get(target)?.dialog.as_ref()
    }

    /// A new tab; returns its target id.
    pub fn open_tab(&mut self, url: &str, opener: Option<String>) -> String {
        self.last_id += 1;
        let id = format!("{:08X}{:024X}", self.generation, self.last_id);
        self.targets.insert(id.clone(), Target::new(url, opener));
        self.announce(
            "Target.targetCreated",
            json!({"targetInfo": self.target_info(&id)}),
        );
        id
    }

    /// A tab is closed, by its user or by a command.
    pub fn close_tab(&mut self, target: &str) -> bool {
        if self.targets.remove(target).is_none() {
            return false;
        }
        let mut detached = Vec::new();
        for (id, connection) in &mut self.connections {
            connection.sessions.retain(|session_id, session| {
                let keep = session.target != target;
                if !keep {
                    detached.push((*id, session_id.clone()));
                }
                keep
            });
        }
        for (connection, session) in detached {
            let params = json!({"sessionId": session, "targetId": target});
            self.event(connection, None, "Target.detachedFromTarget", params);
        }
        self.announce("Target.targetDestroyed", json!({"targetId": target}));
        true
    }

    /// The tab's renderer dies. What is pending there is never answered.
    pub fn crash_tab(&mut self, target: &str) {
        let Some(tab) = self.targets.get_mut(target) else {
            return;
        };
        tab.crashed = true;
        tab.waiting.clear();
        tab.dialog = None;
        let told = self.sessions_with(target, "Inspector");
        for (connection, session) in told {
            self.event(
                connection,
                Some(&session),
                "Inspector.targetCrashed",
                json!({}),
            );
        }
        let params = json!({"targetId": target, "status": "crashed", "errorCode": 11});
        self.announce("Target.targetCrashed", params);
    }

    /// The tab's renderer stops answering, or starts again.
    pub fn hang_tab(&mut self, target: &str, hung: bool) {
        if let Some(tab) = self.targets.get_mut(target) {
            tab.hung = hung;
        }
    }

    /// The page opens a dialog. Only connections that have Page enabled at this moment are told, ever.
    pub fn open_dialog(&mut self, target: &str, kind: DialogKind, message: &str) {
        let told = self.sessions_with(target, "Page");
        let Some(tab) = self.targets.get_mut(target) else {
            return;
        };
        if tab.dialog.is_some() || tab.crashed {
            return;
        }
        let dialog = ModelDialog {
            kind,
            message: message.to_owned(),
            told: told.iter().map(|(connection, _)| *connection).collect(),
        };
        let params = json!({
            "url": tab.url, "message": message, "type": kind.name(),
            "hasBrowserHandler": false, "defaultPrompt": "",
        });
        tab.dialog = Some(dialog);
        for (connection, session) in told {
            self.event(
                connection,
                Some(&session),
                "Page.javascriptDialogOpening",
                params.clone(),
            );
        }
    }

    /// The process dies: every connection ends, every tab goes.
    pub fn kill(&mut self) {
        self.dead = true;
        self.connections.clear();
        self.targets.clear();
        self.outgoing.clear();
    }

    /// A new process on the same address: another browser, with other tabs.
    pub fn start_again(&mut self) {
        let generation = self.generation + 1;
        let last_id = self.last_id;
        let clock_ms = self.clock_ms;
        *self = Self {
            generation,
            last_id,
            clock_ms,
            ..Self::default()
        };
        self.open_tab("about:blank", None);
    }

    pub(super) fn fresh_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn target_info(&self, id: &str) -> Value {
        let Some(target) = self.targets.get(id) else {
            return Value::Null;
        };
        let attached = self
            .connections
            .values()
            .any(|connection| connection.session_on(id).is_some());
        let mut info = json!({
            "targetId": id, "type": "page", "title": "", "url": target.url,
            "attached": attached, "canAccessOpener": target.opener.is_some(),
        });
        if let Some(opener) = &target.opener {
            info["openerId"] = json!(opener);
        }
        info
    }

    /// Sends an event to one connection, at browser level or in a session.
    pub(super) fn event(
        &mut self,
        to: ConnectionId,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) {
        let mut message = json!({"method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        self.send(to, &message);
    }

    pub(super) fn send(&mut self, to: ConnectionId, message: &Value) {
        let reachable = self
            .connections
            .get(&to)
            .is_some_and(|connection| !connection.half_open);
        if reachable {
            self.outgoing.push_back((to, message.to_string()));
        }
    }

    /// Tells every connection that discovers targets.
    pub(super) fn announce(&mut self, method: &str, params: Value) {
        let listeners: Vec<_> = self
            .connections
            .iter()
            .filter_map(|(id, connection)| connection.discover.then_some(*id))
            .collect();
        for connection in listeners {
            self.event(connection, None, method, params.clone());
        }
    }

    /// All sessions on a target in which a domain is enabled.
    pub(super) fn sessions_with(&self, target: &str, domain: &str) -> Vec<(ConnectionId, String)> {
        let mut found = Vec::new();
        for (id, connection) in &self.connections {
            for (session_id, session) in &connection.sessions {
                if session.target == target && session.enabled.contains(domain) {
                    found.push((*id, session_id.clone()));
                }
            }
        }
        found
    }

    /// All sessions on a target, of every connection that Chromium still holds, oldest first.
    pub(super) fn sessions_on<'a>(
        &'a self,
        target: &'a str,
    ) -> impl Iterator<Item = &'a CdpSession> {
        self.connections
            .values()
            .flat_map(|connection| connection.sessions.values())
            .filter(move |session| session.target == target)
    }
}
