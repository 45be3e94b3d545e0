//! An adopted connection tells nothing again of what its domains have said while nobody listened. A
//! second session on the target, for a moment, makes the browser tell what it has kept.
use std::time::Instant;

use keeptab_protocol::Raw;
use serde_json::{Value, json};

use crate::link::Link;
use crate::pending::Own;
use crate::targets::{Phase, Replay};
use crate::{Str, TargetId};

/// The events that are told again, with their original times.
fn is_replayed(method: &str) -> bool {
    matches!(
        method,
        "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded"
    )
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
        if target.ledger.get("Runtime.enable").is_none() {
            target.replay = Replay::Done;
            return;
        }
        target.replay = Replay::Running;
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
        let (true, Some(session)) = (ok, session) else {
            return self.replay_over(now, &id);
        };
        self.targets.add_replay(session.clone(), id.clone());
        let nothing = Raw::object_empty();
        // It is answered after everything that it tells again.
        let last = Own::Replayed(id, session.clone());
        self.send_own(now, Some(session), "Runtime.enable", &nothing, last);
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
        if let Some(target) = self.targets.get_mut(id) {
            target.replay = Replay::Done;
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
        if is_replayed(method)
            && let Ok(mut value) = params.parse::<Value>()
        {
            without_objects(&mut value);
            self.tell_event(method.clone(), Raw::from(value), Some(id));
        }
        true
    }
}
