//! What happens inside a page: evaluation, the console, what overrides show.

use serde_json::{Value, json};

use super::answer::Answer;
use super::browser::{ConnectionId, INNER_WIDTH, ModelBrowser, TIME_ZONE, USER_AGENT};
use super::evaluate::{Effect, Read, parse};
use super::target::{ConsoleEntry, DialogKind, Waiting};

impl ModelBrowser {
    pub(super) fn replay_console(&mut self, from: ConnectionId, session: &str, target_id: &str) {
        let Some(target) = self.targets.get(target_id) else {
            return;
        };
        let enabled = self
            .connections
            .get(&from)
            .and_then(|c| c.sessions.get(session))
            .is_some_and(|s| s.enabled.contains("Runtime"));
        if enabled {
            return;
        }
        for entry in target.console.clone() {
            self.event(
                from,
                Some(session),
                "Runtime.consoleAPICalled",
                console_event(&entry),
            );
        }
    }

    pub(super) fn evaluate(
        &mut self,
        from: ConnectionId,
        session: &str,
        id: i64,
        target_id: &str,
        expression: &str,
    ) -> Answer {
        let value = match parse(expression) {
            Effect::Value(value) => value,
            Effect::Undefined | Effect::Unknown => return undefined(),
            Effect::Read(read) => self.read(target_id, read),
            Effect::Get(name) => match self.global(target_id, &name) {
                Some(value) => value.clone(),
                None => return undefined(),
            },
            Effect::TypeOf(name) => self.type_of(target_id, &name),
            Effect::Set(name, value) => {
                if let Some(target) = self.targets.get_mut(target_id) {
                    target.document.globals.insert(name, value.clone());
                }
                value
            }
            Effect::Increment(name) => {
                if let Some(target) = self.targets.get_mut(target_id) {
                    increment(&mut target.document.globals, &name);
                }
                self.global(target_id, &name)
                    .cloned()
                    .unwrap_or(Value::Null)
            }
            Effect::Log(text) => {
                self.log(target_id, text);
                return undefined();
            }
            Effect::Spin => {
                self.hang_tab(target_id, true);
                return Answer::Later;
            }
            Effect::Alert(message) => {
                let result = json!({"result": {"type": "undefined"}});
                self.wait_for_dialog(from, session, id, target_id, result);
                self.open_dialog(target_id, DialogKind::Alert, &message);
                return Answer::Later;
            }
            Effect::Confirm(message) => {
                let result = json!({"result": {"type": "boolean", "value": true}});
                self.wait_for_dialog(from, session, id, target_id, result);
                self.open_dialog(target_id, DialogKind::Confirm, &message);
                return Answer::Later;
            }
        };
        Answer::Result(json!({"result": remote(value)}))
    }

    fn wait_for_dialog(
        &mut self,
        connection: ConnectionId,
        session: &str,
        id: i64,
        target_id: &str,
        result: Value,
    ) {
        if let Some(target) = self.targets.get_mut(target_id) {
            target.waiting.push(Waiting {
                connection,
                session: session.to_owned(),
                id,
                result,
            });
        }
    }

    fn log(&mut self, target_id: &str, text: String) {
        let entry = ConsoleEntry {
            text,
            timestamp: self.clock_ms,
        };
        for (connection, session) in self.sessions_with(target_id, "Runtime") {
            let params = console_event(&entry);
            self.event(
                connection,
                Some(&session),
                "Runtime.consoleAPICalled",
                params,
            );
        }
        if let Some(target) = self.targets.get_mut(target_id) {
            target.log(entry);
        }
    }

    fn read(&self, target_id: &str, read: Read) -> Value {
        let Some(target) = self.targets.get(target_id) else {
            return Value::Null;
        };
        let set = &target.in_force;
        match read {
            Read::UserAgent => json!(set.user_agent.as_deref().unwrap_or(USER_AGENT)),
            Read::InnerWidth => json!(set.viewport.map_or(INNER_WIDTH, |(width, _)| width)),
            Read::TimeZone => json!(set.timezone.as_deref().unwrap_or(TIME_ZONE)),
            Read::Href => json!(target.url),
        }
    }

    fn type_of(&self, target_id: &str, name: &str) -> Value {
        let Some(target) = self.targets.get(target_id) else {
            return json!("undefined");
        };
        if target
            .document
            .bindings
            .iter()
            .any(|binding| binding == name)
        {
            return json!("function");
        }
        match target.document.globals.get(name) {
            None => json!("undefined"),
            Some(Value::Number(_)) => json!("number"),
            Some(Value::String(_)) => json!("string"),
            Some(Value::Bool(_)) => json!("boolean"),
            Some(_) => json!("object"),
        }
    }
}

pub(super) fn increment(globals: &mut std::collections::BTreeMap<String, Value>, name: &str) {
    let next = globals.get(name).and_then(Value::as_i64).unwrap_or(0) + 1;
    globals.insert(name.to_owned(), json!(next));
}

fn undefined() -> Answer {
    Answer::Result(json!({"result": {"type": "undefined"}}))
}

fn remote(value: Value) -> Value {
    let kind = match &value {
        Value::Null => return json!({"type": "object", "subtype": "null", "value": null}),
        Value::Bool(_) => "boolean",
        Value::String(_) => "string",
        Value::Array(_) | Value::Object(_) => "object",
        Value::Number(number) => {
            return json!({"type": "number", "value": value, "description": number.to_string()});
        }
    };
    json!({"type": kind, "value": value})
}

fn console_event(entry: &ConsoleEntry) -> Value {
    json!({
        "type": "log",
        "args": [{"type": "string", "value": entry.text}],
        "executionContextId": 1,
        "timestamp": entry.timestamp,
    })
}
