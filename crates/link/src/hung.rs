//! Targets that do not answer while the browser does.
use std::collections::HashMap;
use std::time::Instant;

use keeptab_protocol::Raw;

use crate::link::Link;
use crate::pending::{Own, Who};
use crate::timers::Timer;
use crate::{Condition, TargetId};

impl Link {
    /// Something is in flight to a target: look after it later.
    pub(crate) fn watch_for_hung(&mut self, now: Instant) {
        if !self.timers.has(&Timer::Hung) {
            self.timers
                .set(now + self.config.hung_after / 2, Timer::Hung);
        }
    }

    /// A command may take long without anything being wrong, so a target that is silent for half the
    /// time is asked for something that it answers at once if it can.
    pub(crate) fn look_for_hung(&mut self, now: Instant) {
        let half = self.config.hung_after / 2;
        let mut oldest: HashMap<TargetId, Instant> = HashMap::new();
        for wait in self.pending.iter() {
            let Who::Cmd(key) = wait.who else { continue };
            let Some(cmd) = self.table.get(key) else {
                continue;
            };
            let (Some(id), Some(sent)) = (&cmd.target, cmd.sent) else {
                continue;
            };
            let first = oldest.entry(id.clone()).or_insert(sent.at);
            *first = sent.at.min(*first);
        }
        if !oldest.is_empty() {
            self.timers.set(now + half, Timer::Hung);
        }
        let heard = self.heartbeat.as_ref().map(|beat| beat.last_byte());
        for (id, sent) in oldest {
            let Some(target) = self.targets.get_mut(&id) else {
                continue;
            };
            let watched = matches!(
                target.info.condition,
                Condition::Fine | Condition::Hung { .. }
            );
            let (Some(session), true) = (target.session.clone(), watched) else {
                continue;
            };
            match target.asked {
                // A silent browser is not this target's fault.
                Some(asked)
                    if now.saturating_duration_since(asked) >= half
                        && heard.is_some_and(|heard| heard > asked) =>
                {
                    let since = match target.info.condition {
                        Condition::Hung { since } => since,
                        _ => asked,
                    };
                    self.set_condition(&id, Condition::Hung { since });
                }
                Some(_) => {}
                None if now.saturating_duration_since(sent) >= half => {
                    target.asked = Some(now);
                    let nothing = Raw::object_empty();
                    self.send_own(
                        now,
                        Some(session),
                        "Runtime.getHeapUsage",
                        &nothing,
                        Own::Ask(id),
                    );
                }
                None => {}
            }
        }
    }

    /// A target answered the question.
    pub(crate) fn sign_of_life(&mut self, id: &TargetId) {
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        target.asked = None;
        if matches!(target.info.condition, Condition::Hung { .. }) {
            self.set_condition(id, Condition::Fine);
        }
    }
}
