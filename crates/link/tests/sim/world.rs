//! The world of a simulation: one link, one model browser, a network, a user, and chance.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use keeptab_link::{
    Cause, Config, DialError, DialInfo, Epoch, Link, Output, Route, State, Submit, TargetId, Token,
    Transport,
};
use keeptab_protocol::Raw;
use keeptab_testkit::{ConnectionId, DialogKind, ModelBrowser};
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::promises::{Promises, Purpose};
use crate::wire::{Arrival, Wire};

const SECOND: Duration = Duration::from_secs(1);
const LOSS_EVERY: Duration = Duration::from_secs(600);
const CRASH_EVERY: Duration = Duration::from_secs(3600);
const COMMAND_EVERY: Duration = Duration::from_secs(20);
/// Chromium reaps a client that vanished after this long.
const ZOMBIE: Duration = Duration::from_secs(45);
const TABS: usize = 5;

/// Something that will happen.
#[derive(Debug, Clone)]
enum Happening {
    Command,
    Loss,
    Crash,
    Mischief,
    /// The dial under way ends.
    Dialed,
    /// A silent hole ends before anybody gave up on it.
    HoleEnds,
    Reap(ConnectionId),
    AnswerDialog(String),
    Unhang(String),
    NetworkBack,
}

/// What a run has seen, for the report.
#[derive(Debug)]
#[allow(dead_code, reason = "printed")]
pub(crate) struct Seen {
    pub(crate) losses: u64,
    pub(crate) gaps: u64,
    pub(crate) dials: u64,
    pub(crate) settled: u64,
    settlements: Vec<(&'static str, u64)>,
}

pub(crate) struct World {
    now: Instant,
    wall: SystemTime,
    chance: Chance,
    link: Link,
    browser: ModelBrowser,
    wire: Option<Wire>,
    dialing: bool,
    network_down: bool,
    agenda: Vec<(Instant, Happening)>,
    promises: Promises,
    last_token: u64,
    losses: u64,
    gaps: u64,
    dials: u64,
    connected_before: bool,
    gap_since_loss: bool,
    /// The newest connection that is known to those who listen.
    told: Epoch,
    started: Instant,
    steps: u64,
    trace: bool,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let now = Instant::now();
        let mut chance = Chance::new(seed);
        let mut config = if chance.one_in(3) {
            Config::fast()
        } else {
            Config::default()
        };
        config.seed = seed;
        config.backoff.max_attempts = 0;
        config.retry_first = true;
        let mut browser = ModelBrowser::new();
        while browser.tabs().len() < TABS {
            browser.open_tab("about:blank", None);
        }
        let mut world = Self {
            now,
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000),
            chance,
            link: Link::new(config, now),
            browser,
            wire: None,
            dialing: false,
            network_down: false,
            agenda: Vec::new(),
            promises: Promises::default(),
            last_token: 0,
            losses: 0,
            gaps: 0,
            dials: 0,
            connected_before: false,
            gap_since_loss: false,
            told: Epoch(0),
            started: now,
            steps: 0,
            trace: std::env::var_os("KEEPTAB_SIM_TRACE").is_some(),
        };
        world.link.open(now);
        world.later(COMMAND_EVERY, Happening::Command);
        world.by_chance(LOSS_EVERY, Happening::Loss);
        world.by_chance(CRASH_EVERY, Happening::Crash);
        world.by_chance(LOSS_EVERY, Happening::Mischief);
        world.pump();
        world
    }

    /// Lets this much virtual time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
    }

    /// Closes the link and checks that nothing is left open.
    pub(crate) fn finish(mut self) -> Seen {
        self.link.close(self.now);
        self.pump();
        self.promises.nothing_open();
        assert_eq!(*self.link.state(), State::Closed);
        let late = self.command("Browser.getVersion", json!({}), None);
        self.link.submit(self.now, late);
        self.link.timeout(self.now + Duration::from_secs(3600));
        while let Some(output) = self.link.poll() {
            match output {
                Output::Settle {
                    token, settlement, ..
                } => {
                    self.promises.settled(self.now, token, &settlement);
                }
                other => panic!("after the end of the link: {other:?}"),
            }
        }
        self.promises.nothing_open();
        let mut settlements: Vec<_> = self
            .promises
            .settled
            .iter()
            .map(|(k, v)| (*k, *v))
            .collect();
        settlements.sort_unstable();
        Seen {
            losses: self.losses,
            gaps: self.gaps,
            dials: self.dials,
            settled: settlements.iter().map(|(_, count)| count).sum(),
            settlements,
        }
    }

    /// One line of what happens, for `KEEPTAB_SIM_TRACE=1`.
    fn tell(&self, what: impl FnOnce() -> String) {
        if self.trace {
            let at = (self.now - self.started).as_secs_f64();
            println!("{at:>12.3} {}", what());
        }
    }

    fn later(&mut self, after: Duration, what: Happening) {
        self.agenda.push((self.now + after, what));
    }

    fn by_chance(&mut self, mean: Duration, what: Happening) {
        let after = self.chance.exponential(mean);
        self.later(after, what);
    }

    /// The next moment at which anything happens. `false` when it is past the end.
    fn step(&mut self, end: Instant) -> bool {
        let agenda = self.agenda.iter().map(|(at, _)| *at).min();
        let wire = self.wire.as_ref().and_then(Wire::next);
        let timer = self.link.poll_timeout();
        let next = [agenda, wire, timer]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(end);
        if next > end {
            self.pass_until(end);
            return false;
        }
        self.pass_until(next.max(self.now));
        while let Some(arrival) = self.wire.as_mut().and_then(|wire| wire.arrived(self.now)) {
            match arrival {
                Arrival::AtBrowser(connection, message) => self.reach_browser(connection, &message),
                Arrival::AtLink(message) => {
                    self.tell(|| format!("arrives  {}", String::from_utf8_lossy(&message)));
                    self.link.received(self.now, message);
                    self.pump();
                }
            }
        }
        while let Some(at) = self.agenda.iter().position(|(at, _)| *at <= self.now) {
            let (_, happening) = self.agenda.swap_remove(at);
            self.happens(happening);
            self.pump();
        }
        if self.link.poll_timeout().is_some_and(|at| at <= self.now) {
            self.link.timeout(self.now);
            self.pump();
        }
        // Looked at often, but not always: it costs as much as all the rest of a step.
        self.steps += 1;
        if self.steps.is_multiple_of(32) {
            self.stays_bounded();
        }
        true
    }

    fn pass_until(&mut self, then: Instant) {
        self.wall += then - self.now;
        self.now = then;
        let since = self.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        self.browser.set_clock(since.as_secs_f64() * 1000.0);
        self.link.wall_clock(self.now, self.wall);
        self.pump();
    }

    fn reach_browser(&mut self, connection: ConnectionId, message: &Bytes) {
        self.browser
            .receive(connection, std::str::from_utf8(message).unwrap());
        self.carry_to_link();
    }

    fn carry_to_link(&mut self) {
        while let Some((to, message)) = self.browser.poll() {
            if let Some(wire) = self.wire.as_mut().filter(|wire| wire.connection == to) {
                wire.send_to_link(self.now, &mut self.chance, Bytes::from(message));
            }
        }
    }

    /// Does what the link asks for until it asks for nothing.
    fn pump(&mut self) {
        while let Some(output) = self.link.poll() {
            if !matches!(output, Output::Event(_) | Output::Target(_)) {
                self.tell(|| format!("link     {output:?}"));
            }
            match output {
                Output::Dial { .. } => {
                    assert!(self.wire.is_none() && !self.dialing, "a second dial");
                    self.dials += 1;
                    self.dialing = true;
                    let takes = self.chance.between(Duration::from_millis(1), SECOND / 5);
                    self.later(takes, Happening::Dialed);
                }
                Output::Abort => self.abort(),
                Output::Send(message) => self.send(message),
                Output::Ping => {
                    // A pong comes from the transport, not from the browser.
                    if self.wire.as_ref().is_some_and(|wire| !wire.hole) {
                        self.link.alive(self.now);
                    }
                }
                Output::Settle {
                    token, settlement, ..
                } => {
                    self.promises.settled(self.now, token, &settlement);
                }
                Output::State(change) => self.state_changed(&change.state),
                Output::Gap(gap) => {
                    self.gaps += 1;
                    self.gap_since_loss = true;
                    assert!(gap.lost_earliest <= gap.lost_latest, "{gap:?}");
                    for target in &gap.gone {
                        self.promises.forget(&target.id);
                    }
                }
                Output::Event(event) => {
                    // Between a loss and its record nothing of the new connection is told.
                    let told = !self.connected_before || event.epoch <= self.told;
                    assert!(told, "before its gap record: {event:?}");
                }
                Output::Target(_) | Output::Keep => {}
            }
        }
    }

    /// What the link holds is what was asked of it, and its own commands.
    fn stays_bounded(&self) {
        let health = self.link.health(self.now);
        let waiting = health.in_flight + health.parked;
        assert!(
            waiting <= self.promises.open() + 400,
            "the link holds {waiting} commands"
        );
    }

    fn state_changed(&mut self, state: &State) {
        if matches!(state, State::Connected { .. }) {
            if self.connected_before {
                assert!(self.gap_since_loss, "reconnected without a gap record");
            }
            self.connected_before = true;
            self.gap_since_loss = false;
            self.told = self.link.epoch();
        }
        if let State::Disconnected { cause } = state {
            panic!("gave up: {cause}");
        }
    }

    fn send(&mut self, message: Bytes) {
        let frame: Value = serde_json::from_slice(&message).unwrap();
        let Some(wire) = self.wire.as_mut() else {
            panic!("sent without a transport: {frame}")
        };
        let reaches = frame["sessionId"].as_str();
        let target = reaches.and_then(|id| self.browser.target_of(wire.connection, id));
        let gone = reaches.is_some() && target.is_none();
        if !gone {
            self.promises.sent(&frame, target.as_deref());
        }
        wire.send_to_browser(self.now, &mut self.chance, message);
    }

    fn abort(&mut self) {
        self.dialing = false;
        self.agenda
            .retain(|(_, what)| !matches!(what, Happening::Dialed));
        let Some(wire) = self.wire.take() else { return };
        if wire.hole {
            // Our reset does not get through either: the browser holds the old client for some time.
            self.browser.go_half_open(wire.connection);
            self.later(ZOMBIE, Happening::Reap(wire.connection));
        } else {
            self.browser.disconnect(wire.connection);
        }
        self.agenda
            .retain(|(_, what)| !matches!(what, Happening::HoleEnds));
    }

    fn happens(&mut self, happening: Happening) {
        if !matches!(happening, Happening::Command) {
            self.tell(|| format!("happens  {happening:?}"));
        }
        match happening {
            Happening::Command => {
                self.user_acts();
                self.by_chance(COMMAND_EVERY, Happening::Command);
            }
            Happening::Loss => {
                self.lose();
                self.by_chance(LOSS_EVERY, Happening::Loss);
            }
            Happening::Crash => {
                if let Some(tab) = self.some_tab() {
                    self.browser.crash_tab(&tab);
                }
                self.by_chance(CRASH_EVERY, Happening::Crash);
            }
            Happening::Mischief => {
                self.mischief();
                self.by_chance(LOSS_EVERY, Happening::Mischief);
            }
            Happening::Dialed => self.dialed(),
            Happening::HoleEnds => {
                if let Some(wire) = &mut self.wire {
                    wire.hole = false;
                }
            }
            Happening::Reap(connection) => self.browser.disconnect(connection),
            Happening::AnswerDialog(tab) => {
                let accept = json!({"accept": true});
                let target = Some(TargetId::from(tab));
                let command = self.command("Page.handleJavaScriptDialog", accept, target);
                self.link.submit(self.now, command);
            }
            Happening::Unhang(tab) => self.browser.hang_tab(&tab, false),
            Happening::NetworkBack => self.network_down = false,
        }
        self.carry_to_link();
    }

    fn dialed(&mut self) {
        self.dialing = false;
        if self.network_down {
            let error = if self.chance.one_in(2) {
                DialError::Unreachable {
                    reason: "connection refused".into(),
                }
            } else {
                DialError::Busy {
                    retry_after: Some(SECOND * 3),
                }
            };
            self.link.dial_failed(self.now, error);
            return;
        }
        let connection = self.browser.connect().unwrap();
        // Mostly a near browser, now and then one at the end of a very bad line.
        let latency = match self.chance.below(20) {
            0 => SECOND * 5,
            1..4 => SECOND / 2,
            _ => Duration::from_millis(2),
        };
        self.wire = Some(Wire::new(connection, latency));
        let info = DialInfo {
            endpoint_identity: Some(self.browser.identity()),
            transport: Transport::WebSocket,
            ..DialInfo::default()
        };
        self.link.dialed(self.now, info);
    }

    fn lose(&mut self) {
        if self.wire.is_none() {
            return;
        }
        self.losses += 1;
        match self.chance.below(4) {
            0 => {
                if let Some(wire) = &mut self.wire {
                    wire.hole = true;
                }
                let lasts = self.chance.between(SECOND, SECOND * 60);
                self.later(lasts, Happening::HoleEnds);
                return;
            }
            1 => {
                self.network_down = true;
                let lasts = self.chance.between(SECOND, SECOND * 90);
                self.later(lasts, Happening::NetworkBack);
            }
            _ => {}
        }
        let Some(mut wire) = self.wire.take() else {
            return;
        };
        for message in wire.in_flight_to_browser(&mut self.chance) {
            self.browser
                .receive(wire.connection, std::str::from_utf8(&message).unwrap());
        }
        self.browser.disconnect(wire.connection);
        while self.browser.poll().is_some() {}
        let cause = match self.chance.below(4) {
            0 => Cause::Eof,
            1 => Cause::CloseFrame {
                code: 1001,
                reason: "restart".into(),
            },
            2 => Cause::CloseFrame {
                code: 1000,
                reason: "".into(),
            },
            _ => Cause::Reset,
        };
        self.link.lost(self.now, cause);
    }

    fn mischief(&mut self) {
        let Some(tab) = self.some_tab() else { return };
        match self.chance.below(6) {
            0 => {
                self.browser
                    .open_dialog(&tab, DialogKind::Alert, "look here");
                let lasts = self.chance.between(SECOND, SECOND * 20);
                self.later(lasts, Happening::AnswerDialog(tab));
            }
            1 => {
                self.browser.hang_tab(&tab, true);
                let lasts = self.chance.between(SECOND, SECOND * 60);
                self.later(lasts, Happening::Unhang(tab));
            }
            2 if self.browser.tabs().len() > 2 => {
                self.browser.close_tab(&tab);
                self.promises.forget(&TargetId::from(tab));
            }
            3 if self.browser.tabs().len() < TABS * 2 => {
                self.browser.open_tab("about:blank#popup", Some(tab));
            }
            4 => {
                // The machine sleeps: the clock on the wall goes on, ours does not.
                self.wall += Duration::from_secs(7200);
                self.link.wall_clock(self.now, self.wall);
            }
            _ => self.link.reconnect(self.now),
        }
    }

    fn some_tab(&mut self) -> Option<String> {
        let tabs = self.browser.tabs();
        self.chance.pick(&tabs).cloned()
    }

    /// A user sends a handful of commands at once, to tabs that were there when they looked.
    fn user_acts(&mut self) {
        let Some(tab) = self.some_tab() else { return };
        let target = TargetId::from(tab.as_str());
        for _ in 0..=self.chance.below(4) {
            self.last_token += 1;
            let token = Token(self.last_token);
            let (method, params, purpose) = match self.chance.below(10) {
                0..4 => {
                    let counter = format!("{}_{tab}", self.last_token);
                    let name = format!("globalThis.once_{counter}");
                    let expression = format!("{name} = ({name} || 0) + 1");
                    let params = json!({"expression": expression, "returnByValue": true});
                    ("Runtime.evaluate", params, Purpose::Effect { counter })
                }
                4..6 => {
                    let agent = format!("Agent/{}", self.last_token);
                    let params = json!({"userAgent": agent});
                    (
                        "Emulation.setUserAgentOverride",
                        params,
                        Purpose::SetUserAgent(agent),
                    )
                }
                6..8 => {
                    let params =
                        json!({"expression": "navigator.userAgent", "returnByValue": true});
                    ("Runtime.evaluate", params, Purpose::ReadUserAgent)
                }
                8 => ("Page.reload", json!({}), Purpose::Other),
                _ => ("Page.getNavigationHistory", json!({}), Purpose::Other),
            };
            let timeout = self.chance.between(SECOND / 2, SECOND * 40);
            let mut submit = self.submit(token, method, params, Some(target.clone()));
            submit.timeout = Some(timeout);
            self.tell(|| format!("submit   {token:?} {method} {purpose:?} to {tab}"));
            self.promises
                .submitted(token, purpose, Some(target.clone()), self.now + timeout);
            self.link.submit(self.now, submit);
        }
    }

    /// A command that nobody looks at the answer of.
    fn command(&mut self, method: &'static str, params: Value, target: Option<TargetId>) -> Submit {
        self.last_token += 1;
        let token = Token(self.last_token);
        let due = self.now + Config::default().default_timeout;
        self.promises
            .submitted(token, Purpose::Other, target.clone(), due);
        self.submit(token, method, params, target)
    }

    fn submit(
        &self,
        token: Token,
        method: &'static str,
        params: Value,
        target: Option<TargetId>,
    ) -> Submit {
        let route = target.map_or(Route::Browser, Route::Target);
        let params = Raw::from_utf8(Bytes::from(params.to_string())).unwrap();
        Submit::new(token, route, method, params)
    }
}
