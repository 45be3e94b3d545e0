//! What the browser does with a command.
use serde_json::{Value, json};

use super::{Done, Model, Tab, context, message};

impl Model {
    /// One message from the client.
    pub(crate) fn receive(&mut self, message: &[u8]) {
        self.command(serde_json::from_slice(message).expect("the link writes JSON"));
    }

    pub(super) fn command(&mut self, command: Value) {
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
