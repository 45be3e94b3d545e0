//! Getting a session on a target.
use std::time::Instant;

use keeptab_protocol::Raw;
use serde_json::{Value, json};

use crate::incoming::read_error;
use crate::link::{Link, Wire};
use crate::pending::Own;
use crate::targets::Phase;
use crate::timers::Timer;
use crate::{NotSent, Settlement, Str, TargetEnd, TargetId};

impl Link {
    /// Attaches to a target that somebody needs, unless that is under way or not possible now.
    pub(crate) fn attach_if_possible(&mut self, now: Instant, id: &TargetId) {
        let possible = match &self.recovery {
            None => matches!(self.wire, Wire::Open { .. }),
            Some(recovery) => recovery.may_attach(),
        };
        let ours = self.targets.get(id).is_some_and(|target| {
            // Frames and workers come back through their page, if they come back.
            let through = target.info.parent.as_ref();
            let page = through.and_then(|page| self.targets.get(page));
            target.phase == Phase::Detached && page.is_none_or(|page| page.phase == Phase::Ready)
        });
        if !possible || !ours {
            return;
        }
        let ask = Raw::from(json!({ "targetId": id.as_str(), "flatten": true }));
        let own = Own::Attach(id.clone());
        let asked = self.send_own(now, None, "Target.attachToTarget", &ask, own);
        if let (true, Some(target)) = (asked, self.targets.get_mut(id)) {
            target.phase = Phase::Attaching;
            target.wanted = true;
        }
    }

    pub(crate) fn attach_by_policy(&mut self, now: Instant, id: &TargetId) {
        let Some(target) = self.targets.get(id) else {
            return;
        };
        if self.attaches_by_itself(&target.info.kind) || !target.queue.is_empty() {
            self.attach_if_possible(now, id);
        }
    }

    pub(crate) fn attach_answered(&mut self, now: Instant, id: &TargetId, ok: bool, body: &Raw) {
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        if target.session.is_some() {
            return;
        }
        if ok {
            let session = body.parse::<Value>().ok();
            let session = session
                .as_ref()
                .and_then(|value| value.get("sessionId")?.as_str())
                .map(Str::from);
            if let Some(session) = session {
                return self.bind(now, session, id);
            }
        }
        target.phase = Phase::Detached;
        let message = read_error(body).message;
        if !target.present || message.contains("No target with given id") {
            let end = if target.info.kind.is_empty() {
                TargetEnd::Unknown
            } else {
                TargetEnd::Closed
            };
            return self.target_gone(id, &end);
        }
        target.wanted = false;
        self.settle_queue(id, |_| {
            Some(Settlement::NotSent(NotSent::AttachFailed(message.clone())))
        });
        self.no_longer_waited_for(id);
    }

    /// There is a session: everything that was set is set again in one burst.
    pub(crate) fn bind(&mut self, now: Instant, session: Str, id: &TargetId) {
        self.timers.clear(&Timer::Detached(id.clone()));
        // What was in flight over a session that ended has no answer to expect.
        self.settle_in_flight(id, None, |_| {
            Some(Settlement::TargetGone(TargetEnd::Detached))
        });
        self.targets.bind(session, id);
        if let Some(target) = self.targets.get_mut(id) {
            target.wanted = true;
        }
        self.begin_setup(now, id);
    }
}
