//! Domains that one caller needs all the time: another who switches one off does not take it away. Being
//! attached to the frames and workers of a page counts as one.
//!
//! The browser carries the call out, because it resets more than the events (headers, bindings);
//! right behind it, in the same burst, the domain is switched on again.
use std::time::Instant;

use keeptab_protocol::Raw;
use serde_json::{Value, json};

use crate::incoming::read_error;
use crate::link::Link;
use crate::pending::{Own, Who};
use crate::replay;
use crate::targets::Phase;
use crate::{Lapse, Output, Str, TargetChange, TargetId};

const AUTO_ATTACH: &str = "Target.setAutoAttach";

fn switches_on(params: &Raw) -> bool {
    let value: Option<Value> = params.parse().ok();
    value.is_some_and(|value| value["autoAttach"] == Value::Bool(true))
}

impl Link {
    /// A command for a target has left: what it switches off and is needed goes on behind it.
    pub(crate) fn keep_standing(&mut self, now: Instant, id: &TargetId, method: &str, given: &Raw) {
        let needed = match method.strip_suffix(".disable") {
            Some(domain) => format!("{domain}.enable"),
            None if method == AUTO_ATTACH => method.to_owned(),
            None => return,
        };
        let Some(target) = self.targets.get(id) else {
            return;
        };
        let Some((enable, params)) = target.ledger.standing(&needed) else {
            return;
        };
        let session = target.session.clone();
        if method == AUTO_ATTACH && switches_on(given) {
            // The browser tells of what it attaches to, and that was done before.
            return self.tell_attached(id);
        }
        if replay::listens(&enable) {
            self.out
                .push_back(Output::Target(TargetChange::Retells(id.clone())));
        }
        let own = Own::Standing(id.clone(), enable.clone());
        self.send_own(now, session, &enable, &params, own);
    }

    pub(crate) fn lapsed(
        &mut self,
        id: &TargetId,
        method: &Str,
        since: Instant,
        refused: Option<String>,
    ) {
        if refused.is_none() && replay::listens(method) {
            return;
        }
        let lapse = Lapse {
            target: id.clone(),
            method: method.clone(),
            since,
            refused,
        };
        self.out
            .push_back(Output::Target(TargetChange::Lapsed(lapse)));
    }

    /// The connection is lost: whether something was switched on again before cannot be known.
    pub(crate) fn lapsed_into_loss(&mut self) {
        let waiting = self.pending.iter().filter_map(|wait| match &wait.who {
            Who::Own(Own::Standing(id, method), since) => {
                Some((id.clone(), method.clone(), *since))
            }
            _ => None,
        });
        let mut waiting: Vec<_> = waiting.collect();
        waiting.sort_unstable();
        for (id, method, since) in waiting {
            self.lapsed(&id, &method, since, None);
        }
    }

    /// Tells of the frames and workers of a target as the browser would have, had nobody asked before.
    fn tell_attached(&mut self, id: &TargetId) {
        for child in self.targets.children(id) {
            let Some(target) = self.targets.get(&child) else {
                continue;
            };
            if target.session.is_none() {
                continue;
            }
            let info = &target.info;
            let mut info = json!({
                "targetId": child.as_str(),
                "type": &*info.kind,
                "title": &*info.title,
                "url": &*info.url,
                "attached": true,
                "canAccessOpener": false,
                "parentId": id.as_str(),
            });
            if let Some(context) = &target.info.browser_context {
                info["browserContextId"] = Value::from(&**context);
            }
            let handle = child.handle();
            let told =
                json!({"sessionId": handle, "targetInfo": info, "waitingForDebugger": false});
            let method = Str::from_static("Target.attachedToTarget");
            self.tell_event(method, Raw::from(told), Some(id.clone()));
        }
    }

    /// It was switched on again, or could not be.
    pub(crate) fn stands_again(
        &mut self,
        id: &TargetId,
        method: &Str,
        since: Instant,
        ok: bool,
        body: &Raw,
    ) {
        let refused = (!ok).then(|| read_error(body).message);
        self.lapsed(id, method, since, refused.clone());
        if let Some(reason) = refused {
            return self.not_restored(id, method, reason);
        }
        let ready = |target: &crate::targets::Target| target.phase == Phase::Ready;
        if replay::listens(method) && self.targets.get(id).is_some_and(ready) {
            self.out
                .push_back(Output::Target(TargetChange::Ready(id.clone())));
        }
    }
}
