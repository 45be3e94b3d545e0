//! The world of a simulation: one link, one model browser, a network, a user, and chance. This is its clock, and what
//! it does for the link; the rest is in the modules below.

mod happenings;
mod network;
mod user;

use std::time::{Duration, Instant, SystemTime};

use keeptab_link::{Config, Epoch, Link, Output, State};
use keeptab_testkit::ModelBrowser;
use serde_json::json;

use crate::chance::Chance;
use crate::promises::Promises;
use crate::wire::{Arrival, Wire};
use happenings::{Happening, TABS};

const SECOND: Duration = Duration::from_secs(1);

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
        world.begin();
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
}
