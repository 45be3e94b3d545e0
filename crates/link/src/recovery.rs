//! From a fresh transport to a link that is as it was: whose browser is it, set again what was set
//! on it, attach to the targets, make the gap record.
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::{Duration, Instant};

use keeptab_protocol::Raw;
use serde::Deserialize;

use crate::identity;
use crate::incoming::read_error;
use crate::ledger::Ledger;
use crate::link::Link;
use crate::pending::Own;
use crate::targets::{Replay, WireInfo};
use crate::timers::Timer;
use crate::{
    Cause, Epoch, EventMsg, Gap, Handover, Identity, NotRestored, Output, ReplacedPolicy, State,
    StateChange, Str, Stream, StreamGap, TargetEnd, TargetId, Verdict,
};

/// A connection that has held for so long is worth replacing at once when it is lost.
const HELD: Duration = Duration::from_millis(250);
const DISCOVER: &str = "Target.setDiscoverTargets";

/// How far a recovery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Down,
    Identity,
    Browser,
    Targets,
}

/// A recovery under way.
#[derive(Debug)]
pub(crate) struct Recovery {
    /// The record in the making.
    pub(crate) gap: Gap,
    step: Step,
    /// The targets that were there at the loss, and the streams that were on.
    pub(crate) known: Vec<TargetId>,
    pub(crate) streams: Vec<(Stream, Option<TargetId>)>,
    /// Targets whose main document is another one now.
    pub(crate) navigated: HashSet<TargetId>,
    /// Targets that have not told yet what they have kept.
    pub(crate) replays: usize,
    /// Answers to come before the browser itself is as it was.
    browser_left: usize,
    /// What the address of the present transport says.
    offered: Option<String>,
    /// Targets that are being prepared.
    waiting: BTreeSet<TargetId>,
    /// Events of the new connection, until the record stands before them.
    pub(crate) held: VecDeque<EventMsg>,
    overflow: bool,
    /// It resumes on a browser that was started anew.
    pub(crate) moved: bool,
}

impl Recovery {
    pub(crate) fn new(
        from: Epoch,
        lost_earliest: Instant,
        lost_latest: Instant,
        cause: Cause,
    ) -> Self {
        let gap = Gap {
            from,
            to: None,
            lost_earliest,
            lost_latest,
            ended: lost_latest,
            losses: 1,
            zombie: cause.may_leave_zombie(),
            cause,
            identity: Identity::Unreached,
            streams: Vec::new(),
            unknown: Vec::new(),
            repeated: 0,
            gone: Vec::new(),
            new: Vec::new(),
            without_init_scripts: Vec::new(),
            not_restored: Vec::new(),
            unanswered: Vec::new(),
            handover: None,
        };
        Self {
            gap,
            step: Step::Down,
            known: Vec::new(),
            streams: Vec::new(),
            navigated: HashSet::new(),
            replays: 0,
            browser_left: 0,
            offered: None,
            waiting: BTreeSet::new(),
            held: VecDeque::new(),
            overflow: false,
            moved: false,
        }
    }

    /// The connection failed again before everything was as it was: all of it starts over.
    pub(crate) fn lost_again(&mut self) {
        self.gap.losses += 1;
        self.gap.handover = None;
        self.step = Step::Down;
        self.waiting.clear();
        self.replays = 0;
        self.browser_left = 0;
    }

    /// What cannot be set again is named.
    pub(crate) fn declare(&mut self, target: Option<&TargetId>, ledger: &mut Ledger) {
        for entry in ledger.take_fragile() {
            self.gap.not_restored.push(NotRestored {
                target: target.cloned(),
                method: entry.method,
                reason: "it ended with its connection".to_owned(),
            });
        }
    }

    /// The connection is the one that was there before.
    pub(crate) fn adopted(&mut self, handover: Handover) {
        self.gap.not_restored.clear();
        self.gap.zombie = false;
        self.gap.handover = Some(handover);
    }

    pub(crate) fn may_attach(&self) -> bool {
        self.step >= Step::Browser
    }

    pub(crate) fn hold(&mut self, event: EventMsg, limit: usize) {
        if self.held.len() < limit {
            self.held.push_back(event);
        } else {
            self.overflow = true;
        }
    }

    pub(crate) fn gave_up(&mut self, now: Instant, cause: &Cause) {
        self.gap.ended = now;
        self.gap.to = None;
        if *cause == Cause::BrowserReplaced {
            self.gap.identity = Identity::Replaced;
        }
        self.gap.streams = self.verdicts(|_, _| Verdict::Unknown);
    }

    fn verdicts(&self, of: impl Fn(Stream, Option<&TargetId>) -> Verdict) -> Vec<StreamGap> {
        self.streams
            .iter()
            .map(|(stream, target)| StreamGap {
                stream: *stream,
                target: target.clone(),
                verdict: if self.overflow {
                    Verdict::Unknown
                } else {
                    of(*stream, target.as_ref())
                },
            })
            .collect()
    }
}

impl Link {
    /// The first question on a new transport: which targets are there?
    pub(crate) fn greet(&mut self, now: Instant, identity: Option<String>) {
        if let Some(recovery) = &mut self.recovery {
            recovery.step = Step::Identity;
            recovery.offered = identity;
        }
        self.timers
            .set(now + 2 * self.config.restore_timeout, Timer::Greeting);
        self.send_own(
            now,
            None,
            "Target.getTargets",
            &Raw::object_empty(),
            Own::Identity,
        );
    }

    pub(crate) fn greeting_overdue(&mut self, now: Instant) {
        let unanswered = self
            .recovery
            .as_ref()
            .is_some_and(|recovery| recovery.step < Step::Targets);
        if unanswered {
            let silent = 2 * self.config.restore_timeout;
            self.out.push_back(Output::Abort);
            self.fail(now, Cause::Unresponsive { silent });
        }
    }

    /// The browser has said which targets it has.
    pub(crate) fn identified(&mut self, now: Instant, ok: bool, body: &Raw) {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            target_infos: Vec<WireInfo>,
        }
        let Some(recovery) = &mut self.recovery else {
            return;
        };
        let answer = if ok {
            body.parse::<Answer>().ok()
        } else {
            None
        };
        let Some(Answer { target_infos }) = answer else {
            let what = Str::from_static("Target.getTargets was refused");
            self.out.push_back(Output::Abort);
            return self.fail(now, Cause::Protocol(what));
        };
        let there: HashSet<TargetId> = target_infos.iter().map(WireInfo::id).collect();
        let before = self.browser.identity.as_deref();
        let verdict =
            identity::decide(&recovery.known, &there, before, recovery.offered.as_deref());
        recovery.gap.identity = if recovery.moved {
            // That the targets are there was seen to; the browser is not the one that was lost.
            Identity::Replaced
        } else {
            verdict
        };
        if verdict == Identity::Replaced && self.config.identity_policy == ReplacedPolicy::Fail {
            self.out.push_back(Output::Abort);
            return self.give_up(now, Cause::BrowserReplaced);
        }
        if recovery.offered.is_some() {
            self.browser.identity = recovery.offered.take();
        }
        recovery.step = Step::Browser;
        for info in target_infos {
            self.target_info(info);
        }
        // Frames and workers are not all listed; they come back, or not, through their page.
        for id in self.targets.ids() {
            let target = self.targets.get(&id);
            if target.is_some_and(|target| !target.present && target.info.parent.is_none()) {
                self.target_gone(&id, &TargetEnd::GoneInGap);
            }
        }
        let adopted = self
            .recovery
            .as_ref()
            .is_some_and(|recovery| recovery.gap.handover.is_some());
        if adopted {
            self.go_on_with_targets(now);
        } else {
            self.restore_browser(now);
        }
    }

    /// Nothing was lost on the browser's side: every target that has its session is looked at, and
    /// those that came meanwhile are attached to.
    fn go_on_with_targets(&mut self, now: Instant) {
        let mut waiting = BTreeSet::new();
        for id in self.targets.ids() {
            let Some(target) = self.targets.get(&id) else {
                continue;
            };
            if target.session.is_some()
                || target.wanted
                || self.attaches_by_itself(&target.info.kind)
            {
                waiting.insert(id);
            }
        }
        let targets: Vec<TargetId> = waiting.iter().cloned().collect();
        if let Some(recovery) = &mut self.recovery {
            recovery.browser_left = 1;
            recovery.waiting = waiting;
        }
        for id in targets {
            if self
                .targets
                .get(&id)
                .is_some_and(|target| target.session.is_some())
            {
                self.verify(now, &id);
                if self
                    .targets
                    .get(&id)
                    .is_some_and(|target| target.replay == Replay::Done)
                {
                    self.ask_for_replay(now, &id);
                }
            }
        }
        self.browser_step(now, None, true, &Raw::object_empty());
    }

    /// Sets again what was set on the browser, and attaches to the targets, all in one burst.
    fn restore_browser(&mut self, now: Instant) {
        let (keys, _) = self.browser.ledger.to_restore();
        let mut left = 1;
        let discover = match self.browser.ledger.get(DISCOVER) {
            Some(entry) => entry.params.clone(),
            None => Raw::from_static(r#"{"discover":true}"#),
        };
        let mut calls = Vec::new();
        for key in keys.into_iter().filter(|key| key != DISCOVER) {
            if let Some(entry) = self.browser.ledger.get(&key) {
                calls.push((
                    entry.method.clone(),
                    entry.params.clone(),
                    Own::Restore(key.into()),
                ));
                left += 1;
            }
        }
        // Whatever is attached by the browser itself comes after what is set on it.
        let by_browser = self.browser.ledger.get("Target.setAutoAttach").is_some();
        let mut waiting = BTreeSet::new();
        for id in self.targets.ids() {
            let Some(target) = self.targets.get(&id) else {
                continue;
            };
            if target.wanted || self.attaches_by_itself(&target.info.kind) {
                waiting.insert(id);
            }
        }
        let mut attach: Vec<TargetId> = waiting.iter().cloned().collect();
        attach.retain(|id| {
            self.targets
                .get(id)
                .is_some_and(|target| target.info.parent.is_none())
        });
        if let Some(recovery) = &mut self.recovery {
            recovery.browser_left = left;
            recovery.waiting = waiting;
        }
        self.send_own(now, None, DISCOVER, &discover, Own::Discover);
        for (method, params, own) in calls {
            self.send_own(now, None, &method, &params, own);
        }
        if !by_browser {
            for id in attach {
                self.attach_if_possible(now, &id);
            }
        }
    }

    /// One setting of the browser is answered.
    pub(crate) fn browser_step(&mut self, now: Instant, key: Option<&str>, ok: bool, body: &Raw) {
        let Some(recovery) = &mut self.recovery else {
            return;
        };
        let refused = key.filter(|_| !ok);
        if let Some(entry) = refused.and_then(|key| self.browser.ledger.get(key)) {
            recovery.gap.not_restored.push(NotRestored {
                target: None,
                method: entry.method.clone(),
                reason: read_error(body).message,
            });
        }
        recovery.browser_left = recovery.browser_left.saturating_sub(1);
        if recovery.browser_left > 0 || recovery.step != Step::Browser {
            return;
        }
        recovery.step = Step::Targets;
        let detached: Vec<TargetId> = recovery.waiting.iter().cloned().collect();
        self.timers.clear(&Timer::Greeting);
        self.timers.set(now + self.config.gap_patience, Timer::Gap);
        self.browser.open = true;
        self.flush(now, None);
        for id in detached {
            let alone = self
                .targets
                .get(&id)
                .is_some_and(|target| target.info.parent.is_none());
            if alone {
                self.attach_if_possible(now, &id);
            }
        }
        // A caller may have named a target that was never attached to.
        for id in self.targets.ids() {
            if self
                .targets
                .get(&id)
                .is_some_and(|target| !target.queue.is_empty())
            {
                self.attach_if_possible(now, &id);
            }
        }
    }

    /// A target is prepared, gone, or known to be in no state to be prepared.
    pub(crate) fn no_longer_waited_for(&mut self, id: &TargetId) {
        if let Some(recovery) = &mut self.recovery {
            recovery.waiting.remove(id);
        }
    }

    pub(crate) fn finish_gap_if_complete(&mut self, now: Instant) {
        let complete = self.recovery.as_ref().is_some_and(|recovery| {
            recovery.step == Step::Targets && recovery.waiting.is_empty() && recovery.replays == 0
        });
        if complete {
            self.finish_gap(now);
        }
    }

    /// Everything that answers is as it was: makes the record, then lets the events pass.
    pub(crate) fn finish_gap(&mut self, now: Instant) {
        let Some(mut recovery) = self.recovery.take() else {
            return;
        };
        self.timers.clear(&Timer::Gap);
        let adopted = recovery.gap.handover.is_some();
        let streams = recovery.verdicts(|stream, target| {
            let there = target.is_none_or(|id| self.targets.get(id).is_some());
            let navigated = target.is_some_and(|id| recovery.navigated.contains(id));
            match stream {
                Stream::Console if there && !navigated => Verdict::Partial,
                // A domain that stayed on tells nothing again.
                _ if adopted => Verdict::Unknown,
                Stream::Page | Stream::Targets if there => Verdict::Partial,
                _ => Verdict::Unknown,
            }
        });
        let gap = &mut recovery.gap;
        gap.streams = streams;
        gap.to = Some(self.epoch);
        gap.ended = now;
        gap.unanswered = std::mem::take(&mut recovery.waiting).into_iter().collect();
        gap.new.retain(|info| self.targets.get(&info.id).is_some());
        self.counters.gaps += 1;
        self.attempts.restored();
        self.timers.set(now + HELD, Timer::Settled);
        let change = StateChange {
            state: State::Connected { epoch: self.epoch },
            outage: Some(now.saturating_duration_since(gap.lost_latest)),
            cost: Some(gap.summary()),
        };
        self.out.push_back(Output::Gap(Box::new(recovery.gap)));
        self.change_state(change);
        for event in recovery.held {
            self.out.push_back(Output::Event(event));
        }
    }
}
