//! The state machine's data, its inputs and its outputs. What an input leads to is written in
//! `commands`, `incoming`, `target_events`, `setup`, `losing` and `recovery`.
use std::collections::VecDeque;
use std::time::{Instant, SystemTime};

use bytes::Bytes;

use crate::backoff::Attempts;
use crate::heartbeat::{Beat, Clocks, Heartbeat};
use crate::ledger::Ledger;
use crate::pending::{Own, Pending};
use crate::recovery::Recovery;
use crate::rtt::RoundTrips;
use crate::table::{Key, Table};
use crate::targets::Targets;
use crate::timers::{Timer, Timers};
use crate::{
    Cause, Config, Counters, Epoch, Health, Output, State, StateChange, Str, TargetId, TargetInfo,
    Token, Transport,
};

/// One logical CDP connection. See the crate's documentation for how to drive it.
#[derive(Debug)]
pub struct Link {
    pub(crate) config: Config,
    pub(crate) out: VecDeque<Output>,
    pub(crate) state: State,
    pub(crate) wire: Wire,
    pub(crate) epoch: Epoch,
    pub(crate) table: Table,
    pub(crate) pending: Pending,
    pub(crate) timers: Timers,
    pub(crate) attempts: Attempts,
    pub(crate) heartbeat: Option<Heartbeat>,
    pub(crate) clocks: Clocks,
    pub(crate) browser: Browser,
    pub(crate) targets: Targets,
    /// There from a loss until its gap record is made.
    pub(crate) recovery: Option<Recovery>,
    pub(crate) counters: Counters,
    pub(crate) round_trips: RoundTrips,
    /// Whether the endpoint writes messages in Chromium's order.
    pub(crate) quick: bool,
    pub(crate) last_loss: Option<Cause>,
    /// What there was when the owner of a connection that may live on was lost.
    pub(crate) left: Option<crate::Snapshot>,
    /// Counts changes for [`Link::revision`].
    pub(crate) revision: u64,
    /// Whether any transport was ever open.
    pub(crate) reached: bool,
}

/// The transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Down,
    Dialing {
        human: bool,
    },
    Open {
        transport: Transport,
        malformed: u32,
    },
}

/// What belongs to the browser itself.
#[derive(Debug, Default)]
pub(crate) struct Browser {
    pub(crate) queue: VecDeque<Key>,
    pub(crate) ledger: Ledger,
    /// Whether commands to the browser may pass.
    pub(crate) open: bool,
    pub(crate) identity: Option<String>,
    /// `Browser.close` was sent, so the end that comes is meant.
    pub(crate) closing: bool,
}

impl Link {
    /// A link that does nothing before [`Link::open`].
    pub fn new(config: Config, now: Instant) -> Self {
        let _ = now;
        Self {
            attempts: Attempts::new(config.backoff.clone(), config.seed),
            config,
            out: VecDeque::new(),
            state: State::Idle,
            wire: Wire::Down,
            epoch: Epoch(0),
            table: Table::default(),
            pending: Pending::default(),
            timers: Timers::default(),
            heartbeat: None,
            clocks: Clocks::default(),
            browser: Browser::default(),
            targets: Targets::default(),
            recovery: None,
            counters: Counters::default(),
            round_trips: RoundTrips::default(),
            quick: true,
            last_loss: None,
            left: None,
            revision: 0,
            reached: false,
        }
    }

    /// Something came that is not a whole message: part of a large one, or a pong.
    pub fn alive(&mut self, now: Instant) {
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.heard(now);
            if let State::Unresponsive { epoch, .. } = self.state {
                self.set_state(State::Connected { epoch });
            }
        }
    }

    /// The other side took bytes that had waited to be written. A large command keeps a slow link busy for
    /// longer than it may be silent, and the probe waits behind it.
    pub fn took(&mut self, now: Instant) {
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.took(now);
        }
    }

    /// Tells the time of day; to be called now and then, and after every long wait. A jump against
    /// `now` means that the machine slept, and the connection is probed, or dialed, at once.
    pub fn wall_clock(&mut self, now: Instant, wall: SystemTime) {
        if !self.clocks.jumped(now, wall) {
            return;
        }
        if let Some(heartbeat) = &mut self.heartbeat {
            if heartbeat.probe_now(now, self.config.wake_probe) {
                self.probe(now);
            }
        } else if self.timers.has(&Timer::Dial) {
            self.timers.set(now, Timer::Dial);
        }
    }

    /// Time has passed. Calling it too early does no harm.
    pub fn timeout(&mut self, now: Instant) {
        if self.state == State::Closed {
            return;
        }
        self.expire_commands(now);
        let beat = self
            .heartbeat
            .as_mut()
            .map_or(Beat::Quiet, |heartbeat| heartbeat.timeout(now));
        match beat {
            Beat::Quiet => {}
            Beat::Probe => self.probe(now),
            Beat::Dead { silent } => self.silent(now, silent),
        }
        while let Some(timer) = self.timers.due(now) {
            self.fire(now, timer);
        }
        self.finish_gap_if_complete(now);
    }

    fn fire(&mut self, now: Instant, timer: Timer) {
        match timer {
            Timer::Dial => self.dial(),
            Timer::Greeting => self.greeting_overdue(now),
            Timer::Gap => self.finish_gap(now),
            Timer::Hung => self.look_for_hung(now),
            Timer::Settled => self.attempts.settled(),
            Timer::Dialog(id) => self.dialog_grace_over(&id),
            Timer::Crashed(id) => self.crash_without_details(&id),
            Timer::Detached(id) => self.detached_for_good(now, &id),
            Timer::Setup(id) => self.setup_overdue(now, &id),
            Timer::Retry(id) => self.retry_blocked(now, &id),
        }
    }

    /// When [`Link::timeout`] wants to be called. A driver may leave a timer armed that is too early,
    /// so it need not set a new one for every command.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let beat = self.heartbeat.as_ref().map(Heartbeat::next);
        [self.table.next_deadline(), self.timers.next(), beat]
            .into_iter()
            .flatten()
            .min()
    }

    /// The next thing to do or tell. After [`State::Closed`] there is nothing but the settlements of
    /// commands that were submitted to a closed link.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// The present state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The present or last connection.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Every target that is known, in the order in which they became known.
    pub fn targets(&self) -> impl Iterator<Item = &TargetInfo> {
        self.targets.iter().map(|target| &target.info)
    }

    /// One target.
    pub fn target(&self, id: &TargetId) -> Option<&TargetInfo> {
        self.targets.get(id).map(|target| &target.info)
    }

    /// How the link does.
    pub fn health(&self, now: Instant) -> Health {
        let (rtt_p50, rtt_p99) = self.round_trips.percentiles();
        let next_attempt = match &self.state {
            State::Reconnecting { next, .. } | State::Connecting { next, .. } => *next,
            _ => None,
        };
        Health {
            state: self.state.clone(),
            epoch: self.epoch,
            last_byte: self
                .heartbeat
                .as_ref()
                .map(|beat| now.saturating_duration_since(beat.last_byte())),
            rtt_p50,
            rtt_p99,
            attempts: self.attempts.counted(),
            next_attempt,
            in_flight: self.pending.len(),
            parked: self.table.parked(),
            targets: self.targets.len(),
            counters: self.counters,
        }
    }

    /// Whether no command waits for its end.
    pub fn is_idle(&self) -> bool {
        self.table.is_empty()
    }

    /// The caller of a command went away. It will not be told how the command ends; an unsent
    /// command is never sent.
    pub fn cancel(&mut self, token: Token) {
        if let Some(key) = self.table.find(token) {
            self.abandon(key);
        }
    }

    /// One whole message came.
    pub fn received(&mut self, now: Instant, message: Bytes) {
        if matches!(self.wire, Wire::Open { .. }) {
            self.alive(now);
            self.message(now, message);
            self.finish_gap_if_complete(now);
        }
    }

    /// The transport ended.
    pub fn lost(&mut self, now: Instant, cause: Cause) {
        match self.wire {
            Wire::Open {
                transport: Transport::Pipe,
                ..
            } => {
                let status = Str::from_static("its pipe closed");
                self.fail(now, Cause::ProcessExited { status });
            }
            Wire::Open { .. } => self.fail(now, cause),
            Wire::Dialing { .. } => self.dial_ended(now, cause),
            Wire::Down => {}
        }
    }

    /// The browser process ended. May be told before or after [`Link::lost`].
    pub fn process_exited(&mut self, now: Instant, status: impl Into<Str>) {
        if self.state.is_final() {
            return;
        }
        if self.wire != Wire::Down {
            self.out.push_back(Output::Abort);
        }
        self.fail(
            now,
            Cause::ProcessExited {
                status: status.into(),
            },
        );
    }

    pub(crate) fn set_state(&mut self, state: State) {
        self.change_state(StateChange {
            state,
            outage: None,
            cost: None,
        });
    }

    pub(crate) fn change_state(&mut self, change: StateChange) {
        self.state = change.state.clone();
        self.out.push_back(Output::State(change));
    }

    /// Asks the browser for a sign of life: a ping sees the transport, a command sees the browser.
    pub(crate) fn probe(&mut self, now: Instant) {
        self.counters.probes += 1;
        if matches!(
            self.wire,
            Wire::Open {
                transport: Transport::WebSocket,
                ..
            }
        ) {
            self.out.push_back(Output::Ping);
        }
        self.send_own(
            now,
            None,
            "Browser.getVersion",
            &keeptab_protocol::Raw::object_empty(),
            Own::Probe,
        );
    }
}
