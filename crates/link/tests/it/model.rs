//! A browser that obeys the survival table, as far as a link can see it: what is set belongs to a
//! session and goes with its connection; documents, tabs, dialogs and crashes stay.
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

    /// One message from the client.
    pub(crate) fn receive(&mut self, message: &[u8]) {
        self.command(serde_json::from_slice(message).expect("the link writes JSON"));
    }

    fn command(&mut self, command: Value) {
        let session = command["sessionId"].as_str().map(str::to_owned);
        let method = command["method"].as_str().expect("a method").to_owned();
        let params = command["params"].clone();
        let id = command["id"].clone();
        assert!(
            id.as_i64()
                .is_some_and(|id| (1..=i64::from(i32::MAX)).contains(&id)),
            "{id}"
        );
        let answer = match &session {
            None => self.ask_browser(&method, &params),
            Some(session) if !self.sessions.contains_key(session) => {
                let error = json!({"code": -32001, "message": "Session with given id not found."});
                self.say(None, json!({"id": id, "error": error}));
                return;
            }
            Some(session) => {
                let tab = self.tabs[&self.sessions[session].tab].clone();
                let by_browser = matches!(
                    method.as_str(),
                    "Page.reload"
                        | "Page.navigate"
                        | "Page.close"
                        | "Page.handleJavaScriptDialog"
                        | "Inspector.enable"
                );
                if !by_browser && (tab.crashed || tab.hung || tab.dialog.is_some()) {
                    self.sessions
                        .get_mut(session)
                        .expect("is there")
                        .unanswered
                        .push_back((command, false));
                    return;
                }
                self.ask_tab(session, &method, &params)
            }
        };
        match answer {
            Ok(Some(result)) => self.say(session.as_deref(), json!({"id": id, "result": result})),
            Ok(None) => {
                if let Some(session) = session.and_then(|session| self.sessions.get_mut(&session)) {
                    session.unanswered.push_back((command, true));
                }
            }
            Err(message) => {
                let error = json!({"code": -32000, "message": message});
                self.say(session.as_deref(), json!({"id": id, "error": error}));
            }
        }
    }

    fn note(&mut self, session: Option<&str>, method: &str, params: &Value) {
        let session = session.and_then(|session| self.sessions.get(session));
        let agent = session.and_then(|s| s.set.get("Emulation.setUserAgentOverride"));
        self.done.push(Done {
            connection: self.connection,
            tab: session.map(|session| session.tab.clone()),
            method: method.to_owned(),
            params: params.clone(),
            agent: agent
                .and_then(|set| set["userAgent"].as_str())
                .unwrap_or_default()
                .to_owned(),
            scripts: session.map_or(0, |session| session.scripts.len()),
        });
    }

    fn ask_browser(&mut self, method: &str, params: &Value) -> Result<Option<Value>, String> {
        self.note(None, method, params);
        let name = params["targetId"].as_str().unwrap_or_default().to_owned();
        Ok(Some(match method {
            "Browser.getVersion" => json!({"product": "Model/1"}),
            "Target.getTargets" => {
                let infos: Vec<Value> = self.pages().iter().map(|name| self.info(name)).collect();
                json!({"targetInfos": infos})
            }
            "Target.setDiscoverTargets" => {
                let on = params["discover"] == json!(true);
                if on && !std::mem::replace(&mut self.discover, on) {
                    for name in self.pages() {
                        let info = self.info(&name);
                        self.say(None, json!({"method": "Target.targetCreated", "params": {"targetInfo": info}}));
                    }
                }
                self.discover = on;
                json!({})
            }
            "Target.attachToTarget" => {
                if !self.tabs.contains_key(&name) {
                    return Err("No target with given id found".to_owned());
                }
                let session = self.attach(&name, None);
                json!({"sessionId": session})
            }
            "Target.detachFromTarget" => {
                let session = params["sessionId"].as_str().unwrap_or_default().to_owned();
                let Some(gone) = self.sessions.remove(&session) else {
                    return Err("No session with given id".to_owned());
                };
                let params = json!({"sessionId": session, "targetId": gone.tab});
                self.say(
                    None,
                    json!({"method": "Target.detachedFromTarget", "params": params}),
                );
                json!({})
            }
            "Target.closeTarget" => {
                self.close(&name);
                json!({"success": true})
            }
            "Target.createTarget" => {
                self.next += 1;
                let name = format!("T{}", self.next);
                self.open(&name, params["url"].as_str().unwrap_or_default());
                json!({"targetId": name})
            }
            _ if self.refused == Some(method) => return Err("not any more".to_owned()),
            _ => {
                self.browser_set.insert(method.to_owned(), params.clone());
                json!({})
            }
        }))
    }

    fn ask_tab(
        &mut self,
        session: &str,
        method: &str,
        params: &Value,
    ) -> Result<Option<Value>, String> {
        self.note(Some(session), method, params);
        let name = self.sessions[session].tab.clone();
        let state = self.sessions.get_mut(session).expect("is there");
        let tab = &self.tabs[&name];
        Ok(Some(match method {
            "Page.enable" => {
                state.page = true;
                json!({})
            }
            "Target.setAutoAttach" => {
                let workers: Vec<String> = self
                    .tabs
                    .iter()
                    .filter(|(_, tab)| tab.parent.as_deref() == Some(&name))
                    .map(|(worker, _)| worker.clone())
                    .collect();
                for worker in workers {
                    let sessions = self.sessions_of(&worker);
                    if params["autoAttach"] == true && sessions.is_empty() {
                        self.attach(&worker, Some(session));
                    } else if params["autoAttach"] == false {
                        for ended in sessions {
                            self.sessions.remove(&ended);
                            let params = json!({"sessionId": ended, "targetId": worker});
                            self.say(
                                Some(session),
                                json!({"method": "Target.detachedFromTarget", "params": params}),
                            );
                        }
                    }
                }
                json!({})
            }
            "Page.disable" => {
                state.page = false;
                state.scripts.clear();
                json!({})
            }
            "Inspector.enable" => {
                state.inspector = true;
                if tab.crashed && !self.hides_crashes {
                    self.say(
                        Some(session),
                        json!({"method": "Inspector.targetCrashed", "params": {}}),
                    );
                }
                json!({})
            }
            "Page.getFrameTree" => {
                json!({"frameTree": {"frame": {"id": name, "loaderId": tab.loader.to_string(), "url": tab.url}}})
            }
            "Page.addScriptToEvaluateOnNewDocument" => {
                state.next_script += 1;
                let id = state.next_script.to_string();
                state.scripts.push(id.clone());
                json!({"identifier": id})
            }
            "Page.removeScriptToEvaluateOnNewDocument" => {
                let before = state.scripts.len();
                state.scripts.retain(|id| params["identifier"] != json!(id));
                if state.scripts.len() == before {
                    return Err("Script not found".to_owned());
                }
                json!({})
            }
            "Page.navigate" | "Page.reload" => {
                let url = params["url"]
                    .as_str()
                    .map_or(tab.url.clone(), str::to_owned);
                self.navigate(&name, &url);
                json!({"frameId": name})
            }
            "Page.close" => {
                self.close(&name);
                return Ok(None);
            }
            "Page.crash" => {
                self.crash(&name);
                return Ok(None);
            }
            "Page.handleJavaScriptDialog" => {
                if tab.dialog.is_none() || !state.page {
                    return Err("No dialog is showing".to_owned());
                }
                self.answer_dialog(&name);
                json!({})
            }
            "Runtime.evaluate" => return Ok(self.evaluate(session, params)),
            "Emulation.setTimezoneOverride" if self.zone_held => {
                return Err("Timezone override is already in effect".to_owned());
            }
            _ if method.ends_with(".disable") => {
                let domain = method.trim_end_matches("disable").to_owned();
                state.set.retain(|other, _| !other.starts_with(&domain));
                json!({})
            }
            "DOM.getDocument" => json!({"root": {"nodeId": 1, "backendNodeId": 11}}),
            _ => {
                let known = state.set.insert(method.to_owned(), params.clone());
                if known.is_none() && method == "Runtime.enable" {
                    let Tab {
                        contexts, console, ..
                    } = tab.clone();
                    for id in contexts {
                        self.say(Some(session), context(id));
                    }
                    for time in console {
                        self.say(Some(session), message(time));
                    }
                }
                json!({})
            }
        }))
    }

    fn evaluate(&mut self, session: &str, params: &Value) -> Option<Value> {
        let expression = params["expression"].as_str().unwrap_or_default();
        let state = &self.sessions[session];
        let name = state.tab.clone();
        match expression {
            "alert()" => {
                self.dialog(&name, "alert");
                None
            }
            "for(;;);" => {
                self.tabs.get_mut(&name)?.hung = true;
                None
            }
            "never" => None,
            _ if expression.starts_with("[") => {
                // The link reads back what it has set.
                let agent = state
                    .set
                    .get("Emulation.setUserAgentOverride")
                    .and_then(|set| set["userAgent"].as_str());
                let agent_right = expression.contains(&format!(
                    "navigator.userAgent===\"{}\"",
                    agent.unwrap_or_default()
                ));
                let zone = state.set.contains_key("Emulation.setTimezoneOverride");
                let asked = |word: &str, right: bool| {
                    if expression.contains(word) {
                        json!(right)
                    } else {
                        json!(null)
                    }
                };
                let verdicts = json!([
                    asked("userAgent", agent_right),
                    asked("timeZone:", zone),
                    null,
                    null
                ]);
                Some(json!({"result": {"type": "object", "value": verdicts}}))
            }
            _ => Some(json!({"result": {"type": "string", "value": expression}})),
        }
    }
}
