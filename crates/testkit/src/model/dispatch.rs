//! Which method does what: the browser's own calls, and those in a session.

use serde_json::{Value, json};

use super::answer::{Answer, done, refused, text};
use super::browser::{ConnectionId, ModelBrowser, USER_AGENT};
use super::connection::CdpSession;
use super::evaluate::{Effect, parse};
use super::page::increment;

impl ModelBrowser {
    /// One message from a client. What is not JSON or has no id is ignored, as Chromium reports it without an id.
    pub fn receive(&mut self, from: ConnectionId, message: &str) {
        if !self.connections.contains_key(&from) {
            return;
        }
        let Ok(message) = serde_json::from_str::<Value>(message) else {
            return;
        };
        let Some(id) = message["id"].as_i64() else {
            return;
        };
        let method = message["method"].as_str().unwrap_or_default().to_owned();
        let params = &message["params"];
        let session = message["sessionId"].as_str().map(str::to_owned);
        let answer = match &session {
            None => self.browser_call(from, &method, params),
            Some(session) => self.session_call(from, session, id, &method, params),
        };
        let mut reply = match answer {
            Answer::Result(result) => json!({"id": id, "result": result}),
            Answer::Error(code, message) => {
                json!({"id": id, "error": {"code": code, "message": message}})
            }
            Answer::Later => return,
        };
        if let Some(session) = session {
            reply["sessionId"] = json!(session);
        }
        self.send(from, &reply);
    }

    fn browser_call(&mut self, from: ConnectionId, method: &str, params: &Value) -> Answer {
        match method {
            "Browser.getVersion" => Answer::Result(json!({
                "protocolVersion": "1.3", "product": "Model/1", "revision": "0",
                "userAgent": USER_AGENT, "jsVersion": "0",
            })),
            "Target.getTargets" => {
                let infos: Vec<_> = self.tabs().iter().map(|id| self.target_info(id)).collect();
                Answer::Result(json!({"targetInfos": infos}))
            }
            "Target.setDiscoverTargets" => {
                let discover = params["discover"].as_bool().unwrap_or(false);
                if let Some(connection) = self.connections.get_mut(&from) {
                    connection.discover = discover;
                }
                if discover {
                    for id in self.tabs() {
                        let info = json!({"targetInfo": self.target_info(&id)});
                        self.event(from, None, "Target.targetCreated", info);
                    }
                }
                done()
            }
            "Target.setAutoAttach" => done(),
            "Target.createTarget" => {
                let target = self.open_tab(&text(params, "url"), None);
                Answer::Result(json!({"targetId": target}))
            }
            "Target.closeTarget" => match self.close_tab(&text(params, "targetId")) {
                true => Answer::Result(json!({"success": true})),
                false => Answer::Error(-32602, "No target with given id found".into()),
            },
            "Target.activateTarget" => done(),
            "Target.attachToTarget" => self.attach(from, &text(params, "targetId")),
            "Target.detachFromTarget" => {
                let id = text(params, "sessionId");
                let removed = self
                    .connections
                    .get_mut(&from)
                    .and_then(|c| c.sessions.remove(&id));
                match removed {
                    Some(session) => {
                        self.leave(&session);
                        done()
                    }
                    None => refused("No session with given id"),
                }
            }
            "Browser.setDownloadBehavior" => {
                if let Some(connection) = self.connections.get_mut(&from) {
                    connection.download_path = params["downloadPath"].as_str().map(str::to_owned);
                }
                done()
            }
            "Browser.grantPermissions" => {
                if let Some(connection) = self.connections.get_mut(&from) {
                    connection.grants = Some(params["permissions"].clone());
                }
                done()
            }
            "Browser.resetPermissions" => {
                if let Some(connection) = self.connections.get_mut(&from) {
                    connection.grants = None;
                }
                done()
            }
            "Browser.close" => {
                self.kill();
                Answer::Later
            }
            _ => Answer::Error(-32601, format!("'{method}' wasn't found")),
        }
    }

    fn attach(&mut self, from: ConnectionId, target: &str) -> Answer {
        if !self.targets.contains_key(target) {
            return Answer::Error(-32602, "No target with given id found".into());
        }
        let session_id = format!("{:032X}", self.fresh_id());
        let session = CdpSession {
            target: target.to_owned(),
            ..CdpSession::default()
        };
        if let Some(connection) = self.connections.get_mut(&from) {
            connection.sessions.insert(session_id.clone(), session);
        }
        let event = json!({
            "sessionId": session_id, "targetInfo": self.target_info(target),
            "waitingForDebugger": false,
        });
        self.event(from, None, "Target.attachedToTarget", event);
        Answer::Result(json!({"sessionId": session_id}))
    }

    fn session_call(
        &mut self,
        from: ConnectionId,
        session_id: &str,
        id: i64,
        method: &str,
        params: &Value,
    ) -> Answer {
        let known = self
            .connections
            .get(&from)
            .and_then(|c| c.sessions.get(session_id));
        let Some(target_id) = known.map(|session| session.target.clone()) else {
            return Answer::Error(-32001, "Session with given id not found.".into());
        };
        match method {
            "Page.handleJavaScriptDialog" => {
                return self.answer_dialog(from, &target_id, params["accept"] == json!(true));
            }
            "Page.navigate" => return self.navigate(&target_id, &text(params, "url")),
            "Page.reload" => {
                let url = self
                    .targets
                    .get(&target_id)
                    .map(|t| t.url.clone())
                    .unwrap_or_default();
                self.navigate(&target_id, &url);
                return done();
            }
            _ => {}
        }
        let Some(target) = self.targets.get(&target_id) else {
            return Answer::Later;
        };
        if target.silent() && needs_renderer(method) {
            return Answer::Later;
        }
        if method == "Inspector.enable" && target.crashed {
            // Chromium tells a newcomer of an old crash.
            self.event(from, Some(session_id), "Inspector.targetCrashed", json!({}));
        }
        if method == "Runtime.evaluate" {
            return self.evaluate(
                from,
                session_id,
                id,
                &target_id,
                &text(params, "expression"),
            );
        }
        if method == "Runtime.enable" {
            self.replay_console(from, session_id, &target_id);
        }
        if method == "Emulation.setTimezoneOverride" && self.timezone_is_taken(from, &target_id) {
            return Answer::Error(-32000, "Timezone override is already in effect".into());
        }
        if method == "Runtime.addBinding"
            && let Some(target) = self.targets.get_mut(&target_id)
        {
            target.document.bindings.push(text(params, "name"));
        }
        let held = self
            .connections
            .get_mut(&from)
            .and_then(|c| c.sessions.get_mut(session_id));
        let Some(session) = held else {
            return Answer::Later;
        };
        let answer = set_on_session(session, method, params);
        let session = session.clone();
        if let Some(target) = self.targets.get_mut(&target_id) {
            match method {
                "Emulation.setUserAgentOverride" | "Network.setUserAgentOverride" => {
                    target.in_force.user_agent = session.user_agent;
                }
                "Emulation.setTimezoneOverride" => target.in_force.timezone = session.timezone,
                "Emulation.setDeviceMetricsOverride" | "Emulation.clearDeviceMetricsOverride" => {
                    target.in_force.viewport = session.viewport;
                }
                _ => {}
            }
        }
        answer
    }

    /// Another connection holds a time zone: Chromium lets only one have it.
    fn timezone_is_taken(&self, from: ConnectionId, target: &str) -> bool {
        self.connections
            .iter()
            .filter(|(id, _)| **id != from)
            .filter_map(|(_, connection)| connection.session_on(target))
            .any(|session| session.timezone.is_some())
    }

    fn answer_dialog(&mut self, from: ConnectionId, target_id: &str, accept: bool) -> Answer {
        let Some(target) = self.targets.get_mut(target_id) else {
            return Answer::Later;
        };
        let may = target
            .dialog
            .as_ref()
            .is_some_and(|dialog| dialog.told.contains(&from));
        if !may {
            return Answer::Error(-32602, "No dialog is showing".into());
        }
        target.dialog = None;
        let waiting = std::mem::take(&mut target.waiting);
        for (connection, session) in self.sessions_with(target_id, "Page") {
            let params = json!({"result": accept, "userInput": ""});
            self.event(
                connection,
                Some(&session),
                "Page.javascriptDialogClosed",
                params,
            );
        }
        for waiting in waiting {
            let reply = json!({
                "id": waiting.id, "result": waiting.result, "sessionId": waiting.session,
            });
            self.send(waiting.connection, &reply);
        }
        done()
    }

    fn navigate(&mut self, target_id: &str, url: &str) -> Answer {
        let scripts: Vec<String> = self
            .sessions_on(target_id)
            .filter(|session| session.enabled.contains("Page"))
            .flat_map(|session| session.init_scripts.values().cloned())
            .collect();
        let bindings: Vec<String> = self
            .sessions_on(target_id)
            .flat_map(|session| session.bindings.iter().cloned())
            .collect();
        let Some(target) = self.targets.get_mut(target_id) else {
            return Answer::Later;
        };
        target.load(url);
        target.document.bindings = bindings;
        let loader = format!("L{}", target.document.loader);
        for script in scripts {
            match parse(&script) {
                Effect::Set(name, value) => {
                    target.document.globals.insert(name, value);
                }
                Effect::Increment(name) => increment(&mut target.document.globals, &name),
                _ => {}
            }
        }
        let frame = json!({"frame": {
            "id": target_id, "loaderId": loader, "url": url, "securityOrigin": url,
            "mimeType": "text/html",
        }, "type": "Navigation"});
        for (connection, session) in self.sessions_with(target_id, "Page") {
            self.event(
                connection,
                Some(&session),
                "Page.frameNavigated",
                frame.clone(),
            );
        }
        Answer::Result(json!({"frameId": target_id, "loaderId": loader}))
    }
}

/// Whether a method is answered by the renderer, and so hangs with it. The rest is answered by the browser process.
fn needs_renderer(method: &str) -> bool {
    !matches!(
        method,
        "Page.getNavigationHistory" | "Page.bringToFront" | "Inspector.enable" | "Fetch.enable"
    )
}

fn set_on_session(session: &mut CdpSession, method: &str, params: &Value) -> Answer {
    match method {
        "Page.addScriptToEvaluateOnNewDocument" => {
            session.last_script += 1;
            session
                .init_scripts
                .insert(session.last_script, text(params, "source"));
            return Answer::Result(json!({"identifier": session.last_script.to_string()}));
        }
        "Page.removeScriptToEvaluateOnNewDocument" => {
            let id = text(params, "identifier").parse().unwrap_or(0);
            if session.init_scripts.remove(&id).is_none() {
                return refused("Script not found");
            }
        }
        "Runtime.addBinding" => {
            session.bindings.insert(text(params, "name"));
        }
        "Runtime.removeBinding" => {
            session.bindings.remove(&text(params, "name"));
        }
        "Emulation.setUserAgentOverride" | "Network.setUserAgentOverride" => {
            session.user_agent = Some(text(params, "userAgent")).filter(|ua| !ua.is_empty());
        }
        "Emulation.setTimezoneOverride" => {
            session.timezone = Some(text(params, "timezoneId")).filter(|tz| !tz.is_empty());
        }
        "Emulation.setDeviceMetricsOverride" => {
            let size = (params["width"].as_i64(), params["height"].as_i64());
            session.viewport = size.0.zip(size.1).filter(|(width, _)| *width > 0);
        }
        "Emulation.clearDeviceMetricsOverride" => session.viewport = None,
        "Network.setExtraHTTPHeaders" => session.headers = Some(params["headers"].clone()),
        "Fetch.enable" => session.fetch_enabled = true,
        "Fetch.disable" => session.fetch_enabled = false,
        "Page.getFrameTree" => {
            let frame = json!({"id": session.target, "loaderId": "", "url": ""});
            return Answer::Result(json!({"frameTree": {"frame": frame}}));
        }
        "Page.getNavigationHistory" => {
            return Answer::Result(json!({"currentIndex": 0, "entries": []}));
        }
        _ => {
            if let Some(domain) = method.strip_suffix(".enable") {
                session.enabled.insert(domain.to_owned());
            } else if let Some(domain) = method.strip_suffix(".disable") {
                session.enabled.remove(domain);
            } else if !known_without_effect(method) {
                return Answer::Error(-32601, format!("'{method}' wasn't found"));
            }
        }
    }
    done()
}

fn known_without_effect(method: &str) -> bool {
    matches!(
        method,
        "Page.setLifecycleEventsEnabled"
            | "Page.bringToFront"
            | "Runtime.runIfWaitingForDebugger"
            | "Network.setCacheDisabled"
            | "Emulation.setFocusEmulationEnabled"
            | "Emulation.setTouchEmulationEnabled"
            | "Emulation.setLocaleOverride"
            | "Emulation.setEmulatedMedia"
            | "Input.dispatchMouseEvent"
            | "Input.dispatchKeyEvent"
            | "Target.setAutoAttach"
    )
}
