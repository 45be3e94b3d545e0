//! A browser that obeys the survival table, as far as a link can see it: what is set belongs to a
//! session and goes with its connection; documents, tabs, dialogs and crashes stay.
mod answers;

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

/// One tab.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tab {
    pub(crate) url: String,
    pub(crate) loader: u32,
    pub(crate) dialog: Option<&'static str>,
    /// The times of its messages.
    pub(crate) console: Vec<u32>,
    /// The ids of its execution contexts.
    pub(crate) contexts: Vec<u32>,
    pub(crate) crashed: bool,
    pub(crate) hung: bool,
    /// The page that a worker belongs to.
    pub(crate) parent: Option<String>,
}

/// One attached session.
#[derive(Debug, Default)]
struct Session {
    tab: String,
    page: bool,
    inspector: bool,
    scripts: Vec<String>,
    next_script: u32,
    set: BTreeMap<String, Value>,
    /// Commands that the renderer has not answered, and whether it has carried them out.
    unanswered: VecDeque<(Value, bool)>,
}

/// A command that was carried out.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    pub(crate) connection: u32,
    pub(crate) tab: Option<String>,
    pub(crate) method: String,
    pub(crate) params: Value,
    /// The user agent that was in force for it.
    pub(crate) agent: String,
    /// The init scripts that were in force for it.
    pub(crate) scripts: usize,
}

/// What the page said at this time.
pub(crate) fn message(time: u32) -> Value {
    json!({"method": "Runtime.consoleAPICalled", "params": {"timestamp": f64::from(time)}})
}

/// The browser tells of a context.
fn context(id: u32) -> Value {
    json!({"method": "Runtime.executionContextCreated", "params": {"context": {"id": id}}})
}

fn opening(kind: &str) -> Value {
    json!({"url": "u", "message": "sure?", "type": kind, "defaultPrompt": ""})
}

/// The browser.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) tabs: BTreeMap<String, Tab>,
    pub(crate) done: Vec<Done>,
    pub(crate) connection: u32,
    pub(crate) browser_set: BTreeMap<String, Value>,
    /// It does not tell a new session of an old crash.
    pub(crate) hides_crashes: bool,
    /// Another connection, which nobody can reach, holds the time zone.
    pub(crate) zone_held: bool,
    /// It refuses this of the whole browser.
    pub(crate) refused: Option<&'static str>,
    sessions: BTreeMap<String, Session>,
    discover: bool,
    next: u32,
    out: Vec<String>,
}

impl Model {
    pub(crate) fn with_tabs(names: &[&str]) -> Self {
        let mut model = Self::default();
        for name in names {
            model.open(name, "about:blank");
        }
        model
    }

    pub(crate) fn connect(&mut self) {
        self.disconnect();
        self.connection += 1;
    }

    pub(crate) fn disconnect(&mut self) {
        self.sessions.clear();
        self.browser_set.clear();
        self.discover = false;
        self.out.clear();
    }

    /// What it has to say.
    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.out)
    }

    fn say(&mut self, session: Option<&str>, mut message: Value) {
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        self.out.push(message.to_string());
    }

    fn info(&self, name: &str) -> Value {
        let url = self.tabs.get(name).map_or("", |tab| &tab.url);
        let worker = self.tabs.get(name).is_some_and(|tab| tab.parent.is_some());
        let kind = if worker { "worker" } else { "page" };
        json!({"targetId": name, "type": kind, "title": "", "url": url, "attached": false})
    }

    pub(crate) fn open(&mut self, name: &str, url: &str) {
        self.next += 1;
        let tab = Tab {
            url: url.to_owned(),
            loader: self.next,
            ..Tab::default()
        };
        self.tabs.insert(name.to_owned(), tab);
        if self.discover {
            let info = self.info(name);
            self.say(
                None,
                json!({"method": "Target.targetCreated", "params": {"targetInfo": info}}),
            );
        }
    }

    fn pages(&self) -> Vec<String> {
        let listed = |tab: &Tab| tab.parent.is_none();
        self.tabs
            .iter()
            .filter(|(_, tab)| listed(tab))
            .map(|(name, _)| name.clone())
            .collect()
    }

    pub(crate) fn sessions_of(&self, name: &str) -> Vec<String> {
        self.sessions
            .iter()
            .filter(|(_, s)| s.tab == name)
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// A page starts a worker. Only sessions that attach to such by themselves hear of it.
    pub(crate) fn start_worker(&mut self, page: &str, name: &str) {
        let tab = Tab {
            parent: Some(page.to_owned()),
            ..Tab::default()
        };
        self.tabs.insert(name.to_owned(), tab);
    }

    fn attach(&mut self, name: &str, over: Option<&str>) -> String {
        self.next += 1;
        let session = format!("S{}-{}", self.connection, self.next);
        let fresh = Session {
            tab: name.to_owned(),
            ..Session::default()
        };
        self.sessions.insert(session.clone(), fresh);
        let info = self.info(name);
        let params = json!({"sessionId": session, "targetInfo": info, "waitingForDebugger": false});
        self.say(
            over,
            json!({"method": "Target.attachedToTarget", "params": params}),
        );
        session
    }

    pub(crate) fn close(&mut self, name: &str) {
        if self.tabs.remove(name).is_none() {
            return;
        }
        for session in self.sessions_of(name) {
            let reason = json!({"method": "Inspector.detached", "params": {"reason": "Render process gone."}});
            self.say(Some(&session), reason);
            let params = json!({"sessionId": session, "targetId": name});
            self.say(
                None,
                json!({"method": "Target.detachedFromTarget", "params": params}),
            );
            self.sessions.remove(&session);
        }
        if self.discover {
            self.say(
                None,
                json!({"method": "Target.targetDestroyed", "params": {"targetId": name}}),
            );
        }
    }

    pub(crate) fn crash(&mut self, name: &str) {
        let Some(tab) = self.tabs.get_mut(name) else {
            return;
        };
        if std::mem::replace(&mut tab.crashed, true) {
            return;
        }
        tab.dialog = None;
        for session in self.sessions_of(name) {
            if self.sessions[&session].inspector {
                self.say(
                    Some(&session),
                    json!({"method": "Inspector.targetCrashed", "params": {}}),
                );
            }
        }
        if self.discover {
            let params = json!({"targetId": name, "status": "oom", "errorCode": 9});
            self.say(
                None,
                json!({"method": "Target.targetCrashed", "params": params}),
            );
        }
    }

    /// The page says something.
    pub(crate) fn log(&mut self, name: &str, time: u32) {
        if let Some(tab) = self.tabs.get_mut(name) {
            tab.console.push(time);
        }
        for session in self.sessions_of(name) {
            if self.sessions[&session].set.contains_key("Runtime.enable") {
                self.say(Some(&session), message(time));
            }
        }
    }

    /// The page has these contexts from now on.
    pub(crate) fn replace_contexts(&mut self, name: &str, ids: &[u32]) {
        if let Some(tab) = self.tabs.get_mut(name) {
            tab.contexts = ids.to_vec();
        }
        for session in self.sessions_of(name) {
            if self.sessions[&session].set.contains_key("Runtime.enable") {
                let cleared = json!({"method": "Runtime.executionContextsCleared", "params": {}});
                self.say(Some(&session), cleared);
                for id in ids {
                    self.say(Some(&session), context(*id));
                }
            }
        }
    }

    pub(crate) fn dialog(&mut self, name: &str, kind: &'static str) {
        let Some(tab) = self.tabs.get_mut(name) else {
            return;
        };
        if tab.dialog.is_some() || tab.crashed {
            return;
        }
        tab.dialog = Some(kind);
        for session in self.sessions_of(name) {
            if self.sessions[&session].page {
                let params = opening(kind);
                self.say(
                    Some(&session),
                    json!({"method": "Page.javascriptDialogOpening", "params": params}),
                );
            }
        }
    }

    /// The dialogs that are open, each with a session that was told of it.
    pub(crate) fn open_dialogs(&self) -> Vec<(String, Value)> {
        let open = self.sessions.iter().filter(|(_, session)| session.page);
        open.filter_map(|(name, session)| {
            let kind = self.tabs.get(&session.tab)?.dialog?;
            Some((name.clone(), opening(kind)))
        })
        .collect()
    }

    /// The page, or its user, closes the dialog.
    pub(crate) fn answer_dialog(&mut self, name: &str) {
        let Some(tab) = self.tabs.get_mut(name) else {
            return;
        };
        if tab.dialog.take().is_none() {
            return;
        }
        for session in self.sessions_of(name) {
            if self.sessions[&session].page {
                let params = json!({"result": true, "userInput": ""});
                self.say(
                    Some(&session),
                    json!({"method": "Page.javascriptDialogClosed", "params": params}),
                );
            }
        }
        self.resume(name);
    }

    pub(crate) fn wake(&mut self, name: &str) {
        if let Some(tab) = self.tabs.get_mut(name) {
            tab.hung = false;
            self.resume(name);
        }
    }

    fn resume(&mut self, name: &str) {
        for session in self.sessions_of(name) {
            let waiting = self
                .sessions
                .get_mut(&session)
                .map(|s| std::mem::take(&mut s.unanswered));
            for (command, carried_out) in waiting.into_iter().flatten() {
                if !carried_out {
                    self.command(command);
                } else if command["params"]["expression"] != "never" {
                    let result = json!({"result": {"type": "undefined"}});
                    self.say(
                        Some(&session),
                        json!({"id": command["id"], "result": result}),
                    );
                } else if let Some(state) = self.sessions.get_mut(&session) {
                    state.unanswered.push_back((command, true));
                }
            }
        }
    }

    /// The tab gets a new document.
    pub(crate) fn navigate(&mut self, name: &str, url: &str) {
        self.next += 1;
        let loader = self.next;
        let Some(tab) = self.tabs.get_mut(name) else {
            return;
        };
        tab.url = url.to_owned();
        tab.loader = loader;
        tab.dialog = None;
        tab.hung = false;
        let revived = std::mem::take(&mut tab.crashed);
        for session in self.sessions_of(name) {
            if revived {
                let waiting = self
                    .sessions
                    .get_mut(&session)
                    .map(|s| std::mem::take(&mut s.unanswered));
                for (command, _) in waiting.into_iter().flatten() {
                    let error = json!({"code": -32000, "message": "Target crashed"});
                    self.say(Some(&session), json!({"id": command["id"], "error": error}));
                }
                self.say(
                    Some(&session),
                    json!({"method": "Inspector.targetReloadedAfterCrash", "params": {}}),
                );
            }
            if self.sessions[&session].page {
                let frame = json!({"id": name, "loaderId": loader.to_string(), "url": url});
                self.say(
                    Some(&session),
                    json!({"method": "Page.frameNavigated", "params": {"frame": frame}}),
                );
            }
        }
        self.resume(name);
    }
}
