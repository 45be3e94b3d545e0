//! A connection that lived on without its owner: its sessions, settings and dialogs are as they were.
use std::time::Instant;

use keeptab_protocol::{Class, Raw};

use crate::ledger::adds;
use crate::link::Link;
use crate::pending::Step;
use crate::replay::has_console;
use crate::setup::read_back;
use crate::snapshot::Snapshot;
use crate::target_events::Opening;
use crate::targets::{Phase, Replay};
use crate::timers::Timer;
use crate::{
    Condition, Handover, InFlight, Inheritance, Settlement, StillOpen, Str, TargetEnd, TargetId,
    UnknownOutcome,
};

impl Link {
    /// The transport is the very connection that was left: sessions, settings and open dialogs are as
    /// they were. An heir comes after another process, of which nobody who listened is left.
    pub(crate) fn adopt(&mut self, snapshot: Snapshot, inheritance: Inheritance, heir: bool) {
        self.browser.ledger.take_back_fragile(snapshot.browser);
        for kept in snapshot.targets {
            let id = TargetId::from(kept.id.as_str());
            let condition = kept.condition();
            if let Some(session) = kept.session {
                self.targets.bind(Str::from(session), &id);
            }
            if let Some(target) = self.targets.get_mut(&id) {
                target.info.condition = condition;
                target.ledger.take_back_fragile(kept.ledger);
                target.unverified = true;
                if heir && has_console(target) {
                    target.replay = Replay::Due;
                }
            }
        }
        for dialog in inheritance.dialogs {
            self.adopt_dialog(&dialog);
        }
        self.add_nothing_twice();
        let mut in_flight = inheritance.in_flight.len();
        // A process that lost only its socket knows what it had sent, and has settled it.
        let left = if heir {
            inheritance.in_flight
        } else {
            Vec::new()
        };
        let unknown: Vec<UnknownOutcome> = left
            .into_iter()
            .filter_map(|command| self.left_in_flight(command))
            .collect();
        in_flight -= unknown.len();
        let handover = Handover {
            dropped: inheritance.dropped,
            in_flight,
        };
        if let Some(recovery) = &mut self.recovery {
            recovery.adopted(handover);
            recovery.gap.unknown.extend(unknown);
        }
    }

    /// What was to be repeated may be in force already, over the very connection that it left on, and
    /// would then be there twice. Whoever asked for it is told that this cannot be known.
    fn add_nothing_twice(&mut self) {
        let Some(cause) = self.last_loss.clone() else {
            return;
        };
        let mut unknown = Vec::new();
        for id in self.targets.ids() {
            self.settle_queue(&id, |cmd| {
                let twice = cmd.was_sent() && adds(&cmd.method, &cmd.params, cmd.class);
                twice.then(|| {
                    unknown.push(UnknownOutcome::of(cmd));
                    Settlement::OutcomeUnknown {
                        cause: cause.clone(),
                    }
                })
            });
        }
        if let Some(recovery) = &mut self.recovery {
            let count = u32::try_from(unknown.len()).unwrap_or(u32::MAX);
            recovery.gap.repeated = recovery.gap.repeated.saturating_sub(count);
            recovery.gap.unknown.extend(unknown);
        }
    }

    /// A command whose caller died with the process before ours, named if it may have had an effect.
    fn left_in_flight(&self, command: InFlight) -> Option<UnknownOutcome> {
        let method = command.method?;
        let harmless = matches!(
            Class::of(&method),
            Class::R | Class::R1 | Class::S | Class::I
        );
        // The link's own, which no caller has sent.
        let own = matches!(
            &*method,
            "Target.attachToTarget" | "Target.detachFromTarget"
        );
        let target = match &command.session {
            Some(session) => Some(self.targets.of_session(session)?.clone()),
            None => None,
        };
        (!harmless && !own).then_some(UnknownOutcome {
            token: None,
            method,
            target,
        })
    }

    /// A dialog that nobody may have told us of: it may have opened after the snapshot was made. Like one
    /// of the snapshot it counts until the page answers something.
    fn adopt_dialog(&mut self, dialog: &StillOpen) {
        let Some(id) = self.targets.of_session(&dialog.session).cloned() else {
            return;
        };
        let crashed = self
            .targets
            .get(&id)
            .is_some_and(|target| matches!(target.info.condition, Condition::Crashed(_)));
        if let (false, Ok(opening)) = (crashed, dialog.opening.parse::<Opening>()) {
            self.set_condition(&id, Condition::Dialog(opening.into_dialog()));
        }
    }

    /// The session of a target was adopted: asks whether it is still there, and whether what was set is
    /// what the page sees. Sets nothing.
    pub(crate) fn verify(&mut self, now: Instant, id: &TargetId) {
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        let own =
            |method: &'static str, step| (Str::from_static(method), Raw::object_empty(), step);
        // Tells of a crash that nobody heard of.
        let mut calls = vec![own("Inspector.enable", Step::Domain)];
        if target.has_pages() {
            calls.push(own("Page.getFrameTree", Step::FrameTree));
            let question = read_back(target).unwrap_or_else(|| {
                let nothing = Raw::from_static(r#"{"expression":"0","silent":true}"#);
                (
                    Str::from_static("Runtime.evaluate"),
                    nothing,
                    Step::ReadBack,
                )
            });
            calls.push(question);
        } else {
            calls.push(own("Runtime.getHeapUsage", Step::Alive));
        }
        let impaired = !matches!(target.info.condition, Condition::Fine);
        let nothing_set = target.ledger.is_empty();
        target.phase = Phase::Setup;
        target.left = 0;
        // What needs an id of another is in force like everything else.
        target.dependent = true;
        target.unread.clear();
        target.read_twice = false;
        if !impaired {
            self.timers
                .set(now + self.config.restore_timeout, Timer::Setup(id.clone()));
        }
        self.send_setup(now, id, calls);
        // A dialog keeps the page from answering, and is answered over this connection; a crashed
        // page answers when it is loaded again.
        if impaired || nothing_set {
            self.ready(now, id);
        }
    }

    /// The browser does not know the session that was left to us.
    fn adopted_in_vain(&mut self, now: Instant, id: &TargetId) {
        self.timers.clear(&Timer::Setup(id.clone()));
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        target.unverified = false;
        let session = target.session.clone();
        let alone = target.info.parent.is_none();
        if let Some(session) = session {
            self.targets.unbind(&session);
        }
        if alone {
            self.attach_if_possible(now, id);
        } else {
            // Frames and workers come back only by themselves.
            self.target_gone(id, &TargetEnd::GoneInGap);
        }
    }
    /// A target that was adopted answered for the first time. `true` when its session is gone, and
    /// everything about it starts over.
    pub(crate) fn adopted_answered(
        &mut self,
        now: Instant,
        id: &TargetId,
        step: &Step,
        error: Option<&str>,
    ) -> bool {
        if error.is_some_and(|message| message.contains("Session with given id not found")) {
            self.adopted_in_vain(now, id);
            return true;
        }
        let (Some(target), Step::ReadBack | Step::Alive) = (self.targets.get_mut(id), step) else {
            return false;
        };
        target.unverified = false;
        // The page ran this, so the dialog that was left to us is gone.
        if matches!(target.info.condition, Condition::Dialog(_)) {
            self.set_condition(id, Condition::Fine);
        }
        false
    }
}
