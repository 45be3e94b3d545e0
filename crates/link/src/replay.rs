//! An adopted connection tells nothing again of what its domains have said while nobody listened. A
//! second session on the target, for a moment, makes the browser tell what it has kept.
//!
//! Our own session goes on meanwhile, and says some of it too: the browser keeps no order between two
//! sessions. A message is known by its time, and each is told once.
use std::time::Instant;

use keeptab_protocol::Raw;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::link::Link;
use crate::pending::Own;
use crate::targets::{Phase, Replay, Target};
use crate::{Str, TargetId};

/// As many messages as the browser keeps; of more, the oldest come from there.
const KEPT: usize = 1000;
const RUNTIME: &str = "Runtime.enable";
const LOG: &str = "Log.enable";

/// What the second session has told, and what our own has said meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The time of the newest message that it told, of `Runtime` and of `Log`.
    newest: [f64; 2],
    /// What our session said meanwhile.
    said: Vec<Said>,
}

#[derive(Debug)]
struct Said {
    method: Str,
    params: Raw,
    store: usize,
    time: f64,
}

/// Which of the browser's two stores has the message of an event, which is told again with its time.
fn store(method: &str) -> Option<usize> {
    match method {
        "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" => Some(0),
        "Log.entryAdded" => Some(1),
        _ => None,
    }
}

fn time(params: &Raw) -> f64 {
    #[derive(Deserialize)]
    struct Message {
        timestamp: Option<f64>,
        entry: Option<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        timestamp: Option<f64>,
    }
    let message = params.parse::<Message>().ok();
    let time = message.and_then(|message| message.timestamp.or_else(|| message.entry?.timestamp));
    // Without a time it is told, once too often if need be.
    time.unwrap_or(f64::MAX)
}

/// Ids of objects in what another session says mean something else in ours.
fn without_objects(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("objectId");
            fields.values_mut().for_each(without_objects);
        }
        Value::Array(items) => items.iter_mut().for_each(without_objects),
        _ => {}
    }
}

/// Whether this switches on what tells its messages again.
pub(crate) fn listens(method: &str) -> bool {
    matches!(method, RUNTIME | LOG)
}

/// Whether a target's console was on, so that it may have kept messages.
pub(crate) fn has_console(target: &Target) -> bool {
    [RUNTIME, LOG]
        .iter()
        .any(|method| target.ledger.get(method).is_some())
}

impl Link {
    /// Somebody waits to listen to a console that was adopted.
    pub(crate) fn replay_if_due(&mut self, now: Instant, id: &TargetId) {
        let due = self
            .targets
            .get(id)
            .is_some_and(|target| target.replay == Replay::Due && target.phase == Phase::Ready);
        if due {
            self.ask_for_replay(now, id);
        }
    }

    /// Asks for what the console of an adopted target has kept, if anybody listens to it.
    pub(crate) fn ask_for_replay(&mut self, now: Instant, id: &TargetId) {
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        if !has_console(target) {
            target.replay = Replay::Done;
            return;
        }
        target.replay = Replay::Running;
        target.told = Some(Box::default());
        let ask = Raw::from(json!({ "targetId": id.as_str(), "flatten": true }));
        let own = Own::Replay(id.clone());
        if !self.send_own(now, None, "Target.attachToTarget", &ask, own) {
            return;
        }
        self.targets.expect_replay(id.clone(), true);
        if let Some(recovery) = &mut self.recovery {
            recovery.replays += 1;
        }
    }

    pub(crate) fn replay_attached(&mut self, now: Instant, id: TargetId, ok: bool, body: &Raw) {
        self.targets.expect_replay(id.clone(), false);
        let answer = body.parse::<Value>().ok();
        let session = answer
            .as_ref()
            .and_then(|answer| answer.get("sessionId")?.as_str())
            .map(Str::from);
        let (true, Some(session), Some(target)) = (ok, session, self.targets.get(&id)) else {
            return self.replay_over(now, &id);
        };
        let on = |method: &&str| target.ledger.get(method).is_some();
        let domains: Vec<&str> = [RUNTIME, LOG].into_iter().filter(on).collect();
        self.targets.add_replay(session.clone(), id.clone());
        let nothing = Raw::object_empty();
        // Each is answered after everything that it tells again, and they in this order.
        let last = domains.len().saturating_sub(1);
        for (at, domain) in domains.into_iter().enumerate() {
            let own = if at == last {
                Own::Replayed(id.clone(), session.clone())
            } else {
                Own::Nothing
            };
            self.send_own(now, Some(session.clone()), domain, &nothing, own);
        }
    }

    pub(crate) fn replayed(&mut self, now: Instant, id: &TargetId, session: &Str) {
        if self.targets.end_replay(session) {
            let detach = Raw::from(json!({ "sessionId": &**session }));
            let method = "Target.detachFromTarget";
            self.send_own(now, None, method, &detach, Own::Nothing);
        }
        self.replay_over(now, id);
    }

    fn replay_over(&mut self, now: Instant, id: &TargetId) {
        let mut said = Vec::new();
        if let Some(target) = self.targets.get_mut(id) {
            target.replay = Replay::Done;
            if let Some(told) = &mut target.told {
                said = std::mem::take(&mut told.said);
                let newest = told.newest;
                said.retain(|said| said.time > newest[said.store]);
            }
        }
        for Said { method, params, .. } in said {
            self.tell_event(method, params, Some(id.clone()));
        }
        self.flush(now, Some(id));
        if let Some(recovery) = &mut self.recovery {
            recovery.replays = recovery.replays.saturating_sub(1);
        }
    }

    /// An event of such a session. `false` when it is none of ours.
    pub(crate) fn replayed_event(&mut self, session: &str, method: &Str, params: &Raw) -> bool {
        let Some(id) = self.targets.of_replay(session).cloned() else {
            return false;
        };
        if let Some(target) = self.targets.get_mut(&id) {
            target.contexts.learn(method, params);
        }
        if let Some(store) = store(method)
            && let Ok(mut value) = params.parse::<Value>()
        {
            let told = self.targets.get_mut(&id).and_then(|t| t.told.as_mut());
            if let Some(told) = told {
                told.newest[store] = told.newest[store].max(time(params));
            }
            without_objects(&mut value);
            self.tell_event(method.clone(), Raw::from(value), Some(id));
        }
        true
    }

    /// Whether an event of our own session is told by the other one, or told when that one is done.
    pub(crate) fn is_told_otherwise(&mut self, id: &TargetId, method: &Str, params: &Raw) -> bool {
        let (Some(target), Some(store)) = (self.targets.get_mut(id), store(method)) else {
            return false;
        };
        match (target.replay, &mut target.told) {
            // The browser keeps it until somebody wants to listen.
            (Replay::Due, _) => true,
            (Replay::Running, Some(told)) => {
                if told.said.len() >= KEPT {
                    told.said.remove(0);
                }
                told.said.push(Said {
                    method: method.clone(),
                    params: params.clone(),
                    store,
                    time: time(params),
                });
                true
            }
            (Replay::Done, Some(told)) => {
                // It was late. Behind the first that is newer comes nothing older.
                let late = time(params) <= told.newest[store];
                if !late {
                    told.newest[store] = 0.0;
                    if told.newest == [0.0; 2] {
                        target.told = None;
                    }
                }
                late
            }
            _ => false,
        }
    }
}
