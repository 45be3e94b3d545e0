//! Domains that one caller needs all the time: another who switches one off does not take it away.
//!
//! The browser carries the call out, because it resets more than the events (headers, bindings);
//! right behind it, in the same burst, the domain is switched on again.
use std::time::Instant;

use keeptab_protocol::Raw;

use crate::incoming::read_error;
use crate::link::Link;
use crate::pending::Own;
use crate::replay;
use crate::targets::Phase;
use crate::{Output, Str, TargetChange, TargetId};

impl Link {
    /// A command for a target has left: what it switches off and is needed goes on behind it.
    pub(crate) fn keep_standing(&mut self, now: Instant, id: &TargetId, method: &str) {
        let Some(domain) = method.strip_suffix(".disable") else {
            return;
        };
        let Some(target) = self.targets.get(id) else {
            return;
        };
        let Some((enable, params)) = target.ledger.standing(&format!("{domain}.enable")) else {
            return;
        };
        let session = target.session.clone();
        if replay::listens(&enable) {
            self.out
                .push_back(Output::Target(TargetChange::Retells(id.clone())));
        }
        let own = Own::Standing(id.clone(), enable.clone());
        self.send_own(now, session, &enable, &params, own);
    }

    /// It was switched on again, or could not be.
    pub(crate) fn stands_again(&mut self, id: &TargetId, method: &Str, ok: bool, body: &Raw) {
        if !ok {
            return self.not_restored(id, method, read_error(body).message);
        }
        let ready = |target: &crate::targets::Target| target.phase == Phase::Ready;
        if replay::listens(method) && self.targets.get(id).is_some_and(ready) {
            self.out
                .push_back(Output::Target(TargetChange::Ready(id.clone())));
        }
    }
}
