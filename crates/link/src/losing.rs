//! Making, losing and giving up connections.
use std::time::{Duration, Instant};

use keeptab_protocol::{Class, Raw};

use crate::backoff::Next;
use crate::frame;
use crate::heartbeat::Heartbeat;
use crate::link::{Link, Wire};
use crate::pending::Own;
use crate::recovery::Recovery;
use crate::table::Key;
use crate::{
    Cause, DialError, DialInfo, Epoch, NotSent, Output, Settlement, Snapshot, State, Str,
    Transport, UnknownOutcome,
};

/// The longest wait that an endpoint may ask for.
const LONGEST_TOLD: Duration = Duration::from_secs(3600);
/// Chrome's own prompt gets at least this long.
const HUMAN_AT_LEAST: Duration = Duration::from_secs(60);

impl Link {
    /// Starts connecting: outputs [`Output::Dial`]. Does nothing unless the link is idle or has given up.
    pub fn open(&mut self, now: Instant) {
        if matches!(self.state, State::Idle | State::Disconnected { .. }) {
            self.reconnect(now);
        }
    }

    /// Somebody asks for a new connection: at once, whatever the present one is like. A dial that is
    /// under way is left alone, and so is a pipe, which cannot be made anew.
    pub fn reconnect(&mut self, now: Instant) {
        if self.state == State::Closed {
            return;
        }
        match self.wire {
            Wire::Dialing { .. }
            | Wire::Open {
                transport: Transport::Pipe,
                ..
            } => {}
            Wire::Open { .. } => {
                self.out.push_back(Output::Abort);
                self.attempts.settled();
                self.fail(now, Cause::Requested);
            }
            Wire::Down => {
                self.attempts.settled();
                self.timers.clear_all();
                self.dial();
            }
        }
    }

    /// Ends the link for good: commands in flight have an unknown outcome, the others were not sent.
    /// The browser stays as it is.
    pub fn close(&mut self, now: Instant) {
        let _ = now;
        if self.state == State::Closed {
            return;
        }
        self.recall();
        self.settle_all(&Cause::Closed, &NotSent::Closed);
        self.left = self.leaves();
        if self.wire != Wire::Down {
            self.out.push_back(Output::Abort);
        }
        self.wire = Wire::Down;
        self.heartbeat = None;
        self.browser.open = false;
        self.timers.clear_all();
        self.recovery = None;
        self.targets.disconnected();
        self.set_state(State::Closed);
    }

    pub(crate) fn dial(&mut self) {
        self.wire = Wire::Dialing { human: false };
        let counted = self.attempts.counted();
        let (attempt, state) = match &self.recovery {
            Some(recovery) => (
                counted,
                State::Reconnecting {
                    attempt: counted,
                    since: recovery.gap.lost_latest,
                    cause: recovery.gap.cause.clone(),
                    next: None,
                },
            ),
            None => (
                counted + 1,
                State::Connecting {
                    attempt: counted + 1,
                    next: None,
                },
            ),
        };
        if self.state != state {
            self.set_state(state);
        }
        self.out.push_back(Output::Dial {
            attempt,
            patience: self.config.dial_patience,
            human_patience: self.config.human_patience.max(HUMAN_AT_LEAST),
        });
    }

    /// The dial under way waits for a person to allow it.
    pub fn dial_waits_for_human(&mut self, now: Instant) {
        if let Wire::Dialing {
            human: human @ false,
        } = &mut self.wire
        {
            *human = true;
            self.set_state(State::WaitingForHuman { since: now });
        }
    }

    /// The transport that was asked for is open. A transport that nobody asked for, or not any
    /// more, is aborted.
    pub fn dialed(&mut self, now: Instant, info: DialInfo) {
        let Wire::Dialing { human } = self.wire else {
            if self.wire == Wire::Down && self.state != State::Closed {
                self.out.push_back(Output::Abort);
            }
            return;
        };
        let DialInfo {
            endpoint_identity,
            transport,
            inheritance,
        } = info;
        let same = self.left.take().filter(|left| {
            transport == Transport::Keeper && left.is_of(endpoint_identity.as_deref())
        });
        if same.is_none() {
            self.epoch = Epoch(self.epoch.0 + 1);
        }
        let heir = !std::mem::replace(&mut self.reached, true);
        self.wire = Wire::Open {
            transport,
            malformed: 0,
        };
        self.quick = true;
        self.browser.closing = false;
        let patience = if human {
            self.config.dead_after_approved
        } else {
            self.config.dead_after
        };
        self.heartbeat = Some(Heartbeat::new(now, self.config.probe_after, patience));
        if self.recovery.is_some() {
            if let Some(left) = same {
                self.adopt(left, inheritance, heir);
            }
            self.greet(now, endpoint_identity);
            return;
        }
        self.browser.identity = endpoint_identity;
        self.revision += 1;
        self.browser.open = true;
        let discover = Raw::from_static(r#"{"discover":true}"#);
        self.send_own(
            now,
            None,
            "Target.setDiscoverTargets",
            &discover,
            Own::Discover,
        );
        self.attempts.restored();
        self.set_state(State::Connected { epoch: self.epoch });
        self.flush(now, None);
        for id in self.targets.ids() {
            self.attach_if_possible(now, &id);
        }
    }

    /// The transport that was asked for cannot be opened.
    pub fn dial_failed(&mut self, now: Instant, error: DialError) {
        let Wire::Dialing { human } = self.wire else {
            return;
        };
        self.wire = Wire::Down;
        match error {
            DialError::Refused { status, reason } => {
                self.give_up(now, Cause::Refused { status, reason })
            }
            DialError::Gone { reason } => self.give_up(now, Cause::Gone(reason)),
            DialError::Exited { status } => self.give_up(now, Cause::ProcessExited { status }),
            // Asking again would only ask for another click.
            DialError::Unreachable { .. } if human => self.give_up(now, Cause::NotAllowed),
            DialError::Busy { retry_after } => {
                let next = self
                    .attempts
                    .after_failure(retry_after.map(|wait| wait.min(LONGEST_TOLD)));
                self.wait(now, next, Cause::Busy);
            }
            DialError::Unreachable { reason } => {
                let cause = Cause::Unreachable(reason);
                if !self.reached && !self.config.retry_first {
                    return self.give_up(now, cause);
                }
                let next = self.attempts.after_failure(None);
                self.wait(now, next, cause);
            }
        }
    }

    /// A driver that reports the end of a dial as the end of a transport.
    pub(crate) fn dial_ended(&mut self, now: Instant, cause: Cause) {
        let error = match cause.into_refusal() {
            Cause::Refused { status, reason } => DialError::Refused { status, reason },
            other => DialError::Unreachable {
                reason: Str::from(other.to_string()),
            },
        };
        self.dial_failed(now, error);
    }

    fn wait(&mut self, now: Instant, next: Next, cause: Cause) {
        match next {
            Next::GiveUp => self.give_up(now, cause),
            Next::AtOnce => self.dial(),
            Next::After { attempt, wait } => {
                let at = now + wait;
                self.timers.set(at, crate::timers::Timer::Dial);
                let state = match &self.recovery {
                    Some(recovery) => State::Reconnecting {
                        attempt,
                        since: recovery.gap.lost_latest,
                        cause: recovery.gap.cause.clone(),
                        next: Some(at),
                    },
                    None => State::Connecting {
                        attempt: attempt + 1,
                        next: Some(at),
                    },
                };
                self.set_state(state);
            }
        }
    }

    /// Nothing came for too long.
    pub(crate) fn silent(&mut self, now: Instant, silent: Duration) {
        if let Wire::Open {
            transport: Transport::Pipe,
            ..
        } = self.wire
        {
            // Letting go of the pipe would end the browser.
            if let Some(heartbeat) = &mut self.heartbeat {
                heartbeat.ask_again(now);
            }
            let since = now.checked_sub(silent).unwrap_or(now);
            if !matches!(self.state, State::Unresponsive { .. }) {
                self.set_state(State::Unresponsive {
                    epoch: self.epoch,
                    since,
                });
            }
            return self.probe(now);
        }
        self.out.push_back(Output::Abort);
        self.fail(now, Cause::Unresponsive { silent });
    }

    /// The connection is gone. (Or the process of the browser, while there was none.)
    pub(crate) fn fail(&mut self, now: Instant, cause: Cause) {
        let was_open = matches!(self.wire, Wire::Open { .. });
        self.recall();
        let cause = if was_open && self.browser.closing {
            Cause::BrowserClosed
        } else {
            cause.into_refusal()
        };
        let last_byte = self
            .heartbeat
            .take()
            .map_or(now, |heartbeat| heartbeat.last_byte());
        let left = self.leaves();
        self.wire = Wire::Down;
        self.browser.open = false;
        self.timers.clear_all();
        self.last_loss = Some(cause.clone());
        if was_open {
            self.counters.losses += 1;
            self.left = left;
            self.note_loss(now, last_byte, &cause);
            self.lapsed_into_loss();
            self.sort_out(&cause);
            self.targets.disconnected();
        }
        if cause.is_final() {
            return self.give_up(now, cause);
        }
        if let Some(recovery) = &self.recovery {
            let State::Reconnecting { .. } = self.state else {
                let state = State::Reconnecting {
                    attempt: 0,
                    since: recovery.gap.lost_latest,
                    cause: recovery.gap.cause.clone(),
                    next: None,
                };
                self.set_state(state);
                return self.after_loss(now, cause);
            };
        }
        self.after_loss(now, cause);
    }

    /// A keeper holds the connection for its next owner, which may be us again.
    fn leaves(&self) -> Option<Snapshot> {
        match self.wire {
            Wire::Open {
                transport: Transport::Keeper,
                ..
            } => Some(self.snapshot()),
            _ => None,
        }
    }

    fn after_loss(&mut self, now: Instant, cause: Cause) {
        // These say: not now.
        let patient = matches!(
            cause,
            Cause::CloseFrame {
                code: 1011..=1013,
                ..
            }
        );
        let next = self.attempts.after_loss(!patient);
        self.wait(now, next, cause);
    }

    fn note_loss(&mut self, now: Instant, last_byte: Instant, cause: &Cause) {
        if let Some(mut recovery) = self.recovery.take() {
            // What an adopted connection had kept is lost after all, unless the next one is it again.
            if recovery.gap.handover.is_some() {
                self.declare_fragile(&mut recovery);
            }
            recovery.lost_again();
            self.recovery = Some(recovery);
            return;
        }
        let mut recovery = Recovery::new(self.epoch, last_byte, now, cause.clone());
        self.note_known(&mut recovery);
        self.declare_fragile(&mut recovery);
        self.recovery = Some(recovery);
    }

    /// Targets that are there at the loss, and streams that are on.
    pub(crate) fn note_known(&self, recovery: &mut Recovery) {
        let browser = self
            .browser
            .ledger
            .streams()
            .into_iter()
            .map(|stream| (stream, None));
        recovery.streams.extend(browser);
        for target in self.targets.iter() {
            recovery.known.push(target.info.id.clone());
            let id = &target.info.id;
            recovery.streams.extend(
                target
                    .ledger
                    .streams()
                    .into_iter()
                    .map(|stream| (stream, Some(id.clone()))),
            );
        }
    }

    /// Names what cannot be set again.
    pub(crate) fn declare_fragile(&mut self, recovery: &mut Recovery) {
        recovery.declare(None, &mut self.browser.ledger);
        for id in self.targets.ids() {
            if let Some(target) = self.targets.get_mut(&id) {
                recovery.declare(Some(&id), &mut target.ledger);
            }
        }
    }

    /// Takes back what no driver has fetched: it has not left us.
    fn recall(&mut self) {
        let mut unsent = Vec::new();
        self.out.retain(|output| match output {
            Output::Send(message) => {
                unsent.extend(frame::id(message));
                false
            }
            Output::Ping => false,
            _ => true,
        });
        for key in unsent.into_iter().filter_map(|id| self.pending.key(id)) {
            let Some(cmd) = self.table.get_mut(key) else {
                continue;
            };
            if &*cmd.method == "Browser.close" {
                self.browser.closing = false;
            }
            // What is repeated may have been sent over an earlier connection.
            if !may_repeat(cmd.class) {
                cmd.sent = None;
            }
        }
    }

    /// Decides for every command in flight what its lost answer means.
    fn sort_out(&mut self, cause: &Cause) {
        let mut unknown = Vec::new();
        for key in self.pending.drain() {
            let Some(cmd) = self.table.get(key) else {
                continue;
            };
            let wanted = cmd.owner.is_some() && (may_repeat(cmd.class) || !cmd.was_sent());
            // A page that hung or went elsewhere may leave a setting unanswered and answer a later one:
            // made once more, the earlier would take its place.
            let ledger = self.ledger(cmd.target.as_ref());
            let overtaken =
                cmd.sticky && ledger.is_overtaken(&cmd.method, &cmd.params, cmd.class, key.seq);
            if wanted && !overtaken {
                self.repeat(key);
                continue;
            }
            let Some(cmd) = self.table.take(key) else {
                continue;
            };
            self.presume_set(&cmd, key);
            // An orphan of a class that does no harm is nobody's business.
            if !matches!(cmd.class, Class::R | Class::R1 | Class::S | Class::I) {
                unknown.push(UnknownOutcome::of(&cmd));
            }
            self.tell(
                &cmd,
                Settlement::OutcomeUnknown {
                    cause: cause.clone(),
                },
            );
        }
        self.browser.queue.make_contiguous().sort_unstable();
        for id in self.targets.ids() {
            if let Some(target) = self.targets.get_mut(&id) {
                target.queue.make_contiguous().sort_unstable();
            }
        }
        if let Some(recovery) = &mut self.recovery {
            recovery.gap.unknown.extend(unknown);
        }
    }

    fn repeat(&mut self, key: Key) {
        self.table.set_parked(key, true);
        let id = self.table.get(key).and_then(|cmd| cmd.target.clone());
        match id.and_then(|id| self.targets.get_mut(&id)) {
            Some(target) => target.queue.push_back(key),
            None => self.browser.queue.push_back(key),
        }
        if self.table.get(key).is_some_and(|cmd| cmd.was_sent()) {
            self.counters.repeated += 1;
            if let Some(recovery) = &mut self.recovery {
                recovery.gap.repeated += 1;
            }
        }
    }

    /// Nothing more is tried.
    pub(crate) fn give_up(&mut self, now: Instant, cause: Cause) {
        self.recall();
        self.wire = Wire::Down;
        self.heartbeat = None;
        self.browser.open = false;
        self.timers.clear_all();
        self.targets.disconnected();
        let unknown = self.settle_all(&cause, &NotSent::Disconnected(cause.clone()));
        if let Some(recovery) = &mut self.recovery {
            recovery.gap.unknown.extend(unknown);
            recovery.gave_up(now, &cause);
            self.counters.gaps += 1;
            self.out
                .push_back(Output::Gap(Box::new(recovery.gap.clone())));
            for event in recovery.held.drain(..) {
                self.out.push_back(Output::Event(event));
            }
        }
        self.set_state(State::Disconnected { cause });
    }
}

/// Whether sending it a second time does no harm.
fn may_repeat(class: Class) -> bool {
    matches!(class, Class::R | Class::S | Class::I)
}
