//! From "there is a session" to "commands may pass": set again what was set, read it back.
use std::time::{Duration, Instant};

use keeptab_protocol::Raw;

use crate::incoming::read_error;
use crate::ledger::{self, Phase as Order};
use crate::link::Link;
use crate::pending::{Own, Step};
use crate::readback;
use crate::refusals;
use crate::targets::{Phase, Target};
use crate::timers::Timer;
use crate::{Condition, NotRestored, Output, Str, TargetChange, TargetEnd, TargetId};

/// How long a tab that had a dialog open may take to show that the dialog is gone.
const DIALOG_CHECK: Duration = Duration::from_secs(1);
/// How often a setting is tried that a leftover of our old socket blocks.
const RETRY: Duration = Duration::from_secs(1);

/// Calls of one burst.
pub(crate) type Calls = Vec<(Str, Raw, Step)>;

impl Link {
    pub(crate) fn begin_setup(&mut self, now: Instant, id: &TargetId) {
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        let calls = first_part(target);
        let dialog = matches!(target.info.condition, Condition::Dialog(_));
        let restores = !target.ledger.is_empty() || !target.held.is_empty() || dialog;
        target.phase = Phase::Setup;
        target.left = 0;
        target.dependent = false;
        target.again = false;
        target.unread.clear();
        target.read_twice = false;
        target.retry.clear();
        target.retry_since = None;
        let patience = if dialog {
            DIALOG_CHECK
        } else {
            self.config.restore_timeout
        };
        self.timers.set(now + patience, Timer::Setup(id.clone()));
        self.send_setup(now, id, calls);
        // Nothing is to be restored, and the browser keeps the order: commands may follow at once.
        if !restores {
            self.ready(now, id);
        }
    }

    pub(crate) fn send_setup(&mut self, now: Instant, id: &TargetId, calls: Calls) {
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        target.left += calls.len();
        let session = target.session.clone();
        for (method, params, step) in calls {
            self.send_own(
                now,
                session.clone(),
                &method,
                &params,
                Own::Setup(id.clone(), step),
            );
        }
    }

    pub(crate) fn setup_answered(
        &mut self,
        now: Instant,
        id: &TargetId,
        step: Step,
        ok: bool,
        body: &Raw,
    ) {
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        target.left = target.left.saturating_sub(1);
        let error = if ok {
            None
        } else {
            Some(read_error(body).message)
        };
        if target.unverified && self.adopted_answered(now, id, &step, error.as_deref()) {
            return;
        }
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        match (step, error) {
            // A crashed tab answers when it is revived; then all of it is done again.
            (_, Some(message)) if message == "Target crashed" => target.again = true,
            (Step::Entry(key), None) => {
                target.ledger.restored(&key, body);
                target.retry.retain(|other| *other != key);
            }
            (Step::Entry(key), Some(message)) if message.contains("already in effect") => {
                target.retry_since.get_or_insert(now);
                if !target.retry.contains(&key) {
                    target.retry.push(key);
                }
                self.timers.set(now + RETRY, Timer::Retry(id.clone()));
            }
            (Step::Entry(key), Some(message)) => self.not_restored(id, &key, message),
            (Step::FrameTree, None) => self.compare_documents(id, body),
            (Step::ReadBack, None) => target.unread = readback::differences(body),
            _ => {}
        }
        if self.targets.get(id).is_some_and(|target| target.left == 0) {
            self.part_done(now, id);
        }
    }

    /// All answers of one burst are there.
    fn part_done(&mut self, now: Instant, id: &TargetId) {
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        if target.again {
            return;
        }
        let mut calls = Calls::new();
        if !std::mem::replace(&mut target.dependent, true) {
            let (_, dependent) = target.ledger.to_restore();
            calls.extend(
                dependent
                    .into_iter()
                    .filter_map(|key| entry_call(target, key)),
            );
        }
        // A viewport takes a moment to change its size: a second look decides.
        if !target.unread.is_empty()
            && target.retry.is_empty()
            && !std::mem::replace(&mut target.read_twice, true)
        {
            calls.extend(read_back(target));
        }
        if !calls.is_empty() {
            return self.send_setup(now, id, calls);
        }
        if target.phase == Phase::Ready {
            self.timers.clear(&Timer::Setup(id.clone()));
            return self.prepared(id);
        }
        // A leftover of our old socket is in the way. Where it holds the very value that is wanted,
        // the page is as it should be; otherwise commands wait.
        let blocked = target
            .retry
            .iter()
            .any(|key| target.unread.iter().any(|(unread, _)| unread == key));
        if !blocked {
            self.ready(now, id);
            self.prepared(id);
        }
    }

    /// Commands may pass.
    pub(crate) fn ready(&mut self, now: Instant, id: &TargetId) {
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        target.phase = Phase::Ready;
        target.info.attached = true;
        target.blocked = false;
        let unread: Vec<_> = target
            .unread
            .drain(..)
            .filter(|(key, _)| !target.retry.contains(key))
            .collect();
        for (key, reason) in unread {
            self.not_restored(id, &key, reason);
        }
        self.out
            .push_back(Output::Target(TargetChange::Ready(id.clone())));
        self.flush(now, Some(id));
        self.no_longer_waited_for(id);
        // Its frames and workers were announced before its last answer, if they are still there.
        for child in self.targets.children(id) {
            match self
                .targets
                .get(&child)
                .map(|child| (child.phase, child.present))
            {
                Some((Phase::Detached, true)) => self.attach_if_possible(now, &child),
                Some((Phase::Detached, false)) => self.target_gone(&child, &TargetEnd::GoneInGap),
                _ => {}
            }
        }
    }

    /// The target has answered everything, so what was wrong with it is over.
    fn prepared(&mut self, id: &TargetId) {
        self.timers.clear(&Timer::Setup(id.clone()));
        let over = self
            .targets
            .get(id)
            .is_some_and(|target| match &target.info.condition {
                Condition::Hung { .. } | Condition::Crashed(_) => true,
                Condition::Dialog(dialog) => !dialog.answerable,
                _ => false,
            });
        if over {
            self.set_condition(id, Condition::Fine);
        }
    }

    /// A target takes too long.
    pub(crate) fn setup_overdue(&mut self, now: Instant, id: &TargetId) {
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        if target.left == 0 {
            return;
        }
        match target.info.condition.clone() {
            Condition::Dialog(dialog) => {
                target.blocked = true;
                self.settle_queue(id, |cmd| {
                    (!refusals::revives(&cmd.method))
                        .then(|| refusals::dialog_open(&dialog, cmd.was_sent()))
                });
                self.flush(now, Some(id));
                self.no_longer_waited_for(id);
            }
            // It was crashed before, and it still is; loading it again prepares it.
            Condition::Crashed(_) => self.no_longer_waited_for(id),
            _ => {
                let since = now.checked_sub(self.config.restore_timeout).unwrap_or(now);
                self.set_condition(id, Condition::Hung { since });
                self.flush(now, Some(id));
            }
        }
    }

    /// The next try of what a leftover of our old socket blocks.
    pub(crate) fn retry_blocked(&mut self, now: Instant, id: &TargetId) {
        let patience = self.config.zombie_patience;
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        if target.session.is_none() || target.retry.is_empty() {
            return;
        }
        let over = target
            .retry_since
            .is_some_and(|since| now.saturating_duration_since(since) >= patience);
        if !over {
            let keys = target.retry.clone();
            let mut calls: Calls = keys
                .into_iter()
                .filter_map(|key| entry_call(target, key))
                .collect();
            calls.extend(read_back(target));
            return self.send_setup(now, id, calls);
        }
        for key in std::mem::take(&mut target.retry) {
            self.not_restored(id, &key, "another connection holds this setting".to_owned());
        }
        if self
            .targets
            .get(id)
            .is_some_and(|target| target.phase == Phase::Setup)
        {
            self.ready(now, id);
        }
    }

    /// A crashed tab was loaded again. The browser itself remembers what a prepared target had.
    pub(crate) fn revived(&mut self, now: Instant, id: &TargetId) {
        let Some(target) = self.targets.get(id) else {
            return;
        };
        if target.again || target.phase != Phase::Ready {
            self.begin_setup(now, id);
        } else {
            self.flush(now, Some(id));
        }
    }

    /// What the link needs on every target stays on, also when a caller switches it off.
    pub(crate) fn keep_own_domains(&mut self, now: Instant, id: &TargetId, method: &str) {
        let again = match method {
            "Page.disable" => "Page.enable",
            "Inspector.disable" => "Inspector.enable",
            _ => return,
        };
        if let Some(session) = self
            .targets
            .get(id)
            .and_then(|target| target.session.clone())
        {
            self.send_own(
                now,
                Some(session),
                again,
                &Raw::object_empty(),
                Own::Nothing,
            );
        }
    }

    pub(crate) fn not_restored(&mut self, id: &TargetId, key: &str, reason: String) {
        let method = self
            .targets
            .get(id)
            .and_then(|target| target.ledger.get(key))
            .map(|entry| entry.method.clone());
        let Some(method) = method else { return };
        let lost = NotRestored {
            target: Some(id.clone()),
            method,
            reason,
        };
        match &mut self.recovery {
            Some(recovery) => recovery.gap.not_restored.push(lost),
            None => self
                .out
                .push_back(Output::Target(TargetChange::NotRestored(lost))),
        }
    }
}

/// What stands alone: the link's own domains, and every setting that needs no id of another.
fn first_part(target: &mut Target) -> Calls {
    let own = |method: &'static str| (Str::from_static(method), Raw::object_empty(), Step::Domain);
    let mut calls = vec![own("Inspector.enable")];
    let (keys, _) = target.ledger.to_restore();
    let phase = |key: &String| {
        target
            .ledger
            .get(key)
            .map(|entry| ledger::phase(&entry.method))
    };
    let (guards, rest): (Vec<_>, Vec<_>) = keys
        .into_iter()
        .partition(|key| phase(key) == Some(Order::Guards));
    calls.extend(guards.into_iter().filter_map(|key| entry_call(target, key)));
    if target.has_pages() {
        if target.ledger.get("Page.enable").is_none() {
            calls.push(own("Page.enable"));
        }
        calls.push((
            Str::from_static("Page.getFrameTree"),
            Raw::object_empty(),
            Step::FrameTree,
        ));
    }
    calls.extend(rest.into_iter().filter_map(|key| entry_call(target, key)));
    calls.extend(read_back(target));
    calls.extend(
        target
            .held
            .release()
            .into_iter()
            .map(|(method, params)| (method, params, Step::Release)),
    );
    calls
}

fn entry_call(target: &Target, key: String) -> Option<(Str, Raw, Step)> {
    let entry = target.ledger.get(&key)?;
    let params = target
        .ledger
        .translate(&entry.method, &entry.params)
        .unwrap_or_else(|| entry.params.clone());
    Some((entry.method.clone(), params, Step::Entry(key)))
}

pub(crate) fn read_back(target: &Target) -> Option<(Str, Raw, Step)> {
    if !target.has_pages() {
        return None;
    }
    let question = readback::question(&target.ledger)?;
    Some((
        Str::from_static("Runtime.evaluate"),
        question,
        Step::ReadBack,
    ))
}
