//! Drives a link against the model: one transport at a time, and time that only moves when told.
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use keeptab_link::{
    Cause, Config, DialError, DialInfo, EventMsg, Gap, Inheritance, Link, NotSent, Output, Route,
    Settlement, Snapshot, State, StillOpen, Str, Submit, TargetChange, TargetId, Token, Transport,
};
use keeptab_protocol::Raw;

use crate::model::Model;

/// What becomes of a dial.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Dialing {
    Open,
    Hang,
    Fail(DialError),
}

/// A link, a browser, and what was seen of them.
pub(crate) struct World {
    pub(crate) link: Link,
    pub(crate) model: Model,
    pub(crate) now: Instant,
    pub(crate) dialing: Dialing,
    pub(crate) info: DialInfo,
    /// The keeper, of an older build, does not name the dialogs that are open.
    pub(crate) silent_keeper: bool,
    /// Nothing comes back from the browser.
    pub(crate) stalled: bool,
    /// Nothing reaches the browser either.
    pub(crate) deaf: bool,
    /// The connection is reset when this many further messages have been sent.
    pub(crate) cut_after: Option<usize>,
    pub(crate) settled: BTreeMap<u64, Settlement>,
    pub(crate) events: Vec<EventMsg>,
    pub(crate) states: Vec<State>,
    pub(crate) lines: Vec<String>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) changes: Vec<TargetChange>,
    pub(crate) dials: Vec<Instant>,
    pub(crate) pings: u32,
    pub(crate) submitted: u64,
    /// Settings made, each of which came right before its settlement.
    pub(crate) keeps: u32,
    connected: bool,
    dial_open: bool,
    closed: bool,
    inbox: VecDeque<String>,
}

impl World {
    pub(crate) fn new(tabs: &[&str]) -> Self {
        Self::with(tabs, Config::default())
    }

    pub(crate) fn with(tabs: &[&str], config: Config) -> Self {
        let now = Instant::now();
        Self {
            link: Link::new(config, now),
            model: Model::with_tabs(tabs),
            now,
            dialing: Dialing::Open,
            info: DialInfo {
                endpoint_identity: Some("uuid-1".to_owned()),
                transport: Transport::WebSocket,
                inheritance: Inheritance::default(),
            },
            silent_keeper: false,
            stalled: false,
            deaf: false,
            cut_after: None,
            settled: BTreeMap::new(),
            events: Vec::new(),
            states: Vec::new(),
            lines: Vec::new(),
            gaps: Vec::new(),
            changes: Vec::new(),
            dials: Vec::new(),
            pings: 0,
            submitted: 0,
            keeps: 0,
            connected: false,
            dial_open: false,
            closed: false,
            inbox: VecDeque::new(),
        }
    }

    /// A connected world.
    pub(crate) fn open(tabs: &[&str]) -> Self {
        let mut world = Self::new(tabs);
        world.start();
        world
    }

    pub(crate) fn start(&mut self) {
        self.link.open(self.now);
        self.run();
        assert!(
            matches!(self.link.state(), State::Connected { .. }),
            "{:?}",
            self.link.state()
        );
    }

    /// Submits without running.
    pub(crate) fn post(&mut self, tab: Option<&str>, method: &str, params: &str) -> u64 {
        self.submitted += 1;
        let token = self.submitted;
        let route = tab.map_or(Route::Browser, |tab| Route::Target(TargetId::from(tab)));
        let params = Raw::from(params.to_owned());
        self.link.submit(
            self.now,
            Submit::new(Token(token), route, Str::from(method), params),
        );
        token
    }

    /// Switches a domain on for somebody who needs it all the time.
    pub(crate) fn stand(&mut self, tab: &str, method: &str) {
        self.stand_with(tab, method, "{}");
    }

    pub(crate) fn stand_with(&mut self, tab: &str, method: &str, params: &str) {
        self.submitted += 1;
        let token = self.submitted;
        let route = Route::Target(TargetId::from(tab));
        let params = Raw::from(params.to_owned());
        let command = Submit {
            standing: true,
            ..Submit::new(Token(token), route, Str::from(method), params)
        };
        self.link.submit(self.now, command);
        self.run();
        self.reply(token);
    }

    /// Submits and runs until nothing moves.
    pub(crate) fn call(&mut self, tab: Option<&str>, method: &str, params: &str) -> u64 {
        let token = self.post(tab, method, params);
        self.run();
        token
    }

    pub(crate) fn evaluate(&mut self, tab: &str, expression: &str) -> u64 {
        self.call(
            Some(tab),
            "Runtime.evaluate",
            &serde_json::json!({ "expression": expression }).to_string(),
        )
    }

    pub(crate) fn end(&self, token: u64) -> Option<&Settlement> {
        self.settled.get(&token)
    }

    #[track_caller]
    pub(crate) fn reply(&self, token: u64) -> &str {
        match self.end(token) {
            Some(Settlement::Reply(raw)) => raw.as_str(),
            other => panic!("command {token} ended as {other:?}"),
        }
    }

    /// How often the page ran this expression.
    pub(crate) fn runs(&self, expression: &str) -> usize {
        self.model
            .done
            .iter()
            .filter(|done| done.params["expression"] == expression)
            .count()
    }

    /// Lets everything happen that takes no time.
    pub(crate) fn run(&mut self) {
        loop {
            while let Some(output) = self.link.poll() {
                self.handle(output);
            }
            if self.stalled || !self.connected {
                return;
            }
            self.inbox.extend(self.model.take());
            let Some(message) = self.inbox.pop_front() else {
                return;
            };
            self.link.received(self.now, Bytes::from(message));
        }
    }

    fn handle(&mut self, output: Output) {
        if self.closed {
            let late = matches!(
                output,
                Output::Settle {
                    settlement: Settlement::NotSent(NotSent::Closed),
                    ..
                }
            );
            assert!(late, "after Closed: {output:?}");
        }
        match output {
            Output::Dial { .. } => {
                assert!(!self.connected && !self.dial_open, "two transports at once");
                self.dials.push(self.now);
                self.dial_open = true;
                match self.dialing.clone() {
                    Dialing::Open => self.accept(),
                    Dialing::Hang => {}
                    Dialing::Fail(error) => {
                        self.dial_open = false;
                        self.link.dial_failed(self.now, error);
                    }
                }
            }
            Output::Abort => {
                self.dial_open = false;
                self.hang_up();
            }
            Output::Send(frame) => {
                assert!(self.connected, "sent without a transport");
                if !self.deaf {
                    self.model.receive(&frame);
                }
                if let Some(left) = &mut self.cut_after {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        self.cut_after = None;
                        self.lose(Cause::Reset);
                    }
                }
            }
            Output::Ping => self.pings += 1,
            Output::Settle {
                token, settlement, ..
            } => {
                let twice = self.settled.insert(token.0, settlement);
                assert!(
                    twice.is_none(),
                    "{token:?} settled twice, first as {twice:?}"
                );
            }
            Output::Event(event) => self.events.push(event),
            Output::State(change) => {
                self.lines.push(change.to_string());
                self.closed = change.state == State::Closed;
                self.states.push(change.state);
            }
            Output::Gap(gap) => self.gaps.push(*gap),
            Output::Target(change) => self.changes.push(change),
            Output::Keep => {
                self.keeps += 1;
                let next = self.link.poll();
                assert!(matches!(next, Some(Output::Settle { .. })), "{next:?}");
                next.into_iter().for_each(|next| self.handle(next));
            }
        }
    }

    /// The dial that hangs, or was asked for, comes through.
    pub(crate) fn accept(&mut self) {
        if !std::mem::take(&mut self.dial_open) {
            return;
        }
        if self.info.transport == Transport::Keeper && self.model.connection > 0 {
            // The connection lives on; what came meanwhile is dropped, and what is open is named.
            self.model.take();
            let mut open = self.model.open_dialogs();
            if self.silent_keeper {
                open.clear();
            }
            self.info.inheritance.dialogs = open
                .into_iter()
                .map(|(session, opening)| StillOpen {
                    session: Str::from(session),
                    opening: Raw::from(opening),
                })
                .collect();
        } else {
            self.model.connect();
        }
        self.connected = true;
        self.inbox.clear();
        self.link.dialed(self.now, self.info.clone());
    }

    fn hang_up(&mut self) {
        if std::mem::take(&mut self.connected) && self.info.transport != Transport::Keeper {
            self.model.disconnect();
        }
        self.inbox.clear();
        // The next connection is a good one.
        self.stalled = false;
        self.deaf = false;
    }

    /// The process that drives the link ends without a word. Returns what it had written down.
    pub(crate) fn die(&mut self) -> Vec<u8> {
        let kept = self.link.snapshot().to_bytes();
        self.die_without_a_word();
        kept
    }

    /// The same, before anything could be written down.
    pub(crate) fn die_without_a_word(&mut self) {
        self.hang_up();
        self.link = Link::new(Config::default(), self.now);
        // Nobody is left to hear how these end.
        for token in 1..=self.submitted {
            let lost = Settlement::OutcomeUnknown {
                cause: Cause::OwnerEnded,
            };
            self.settled.entry(token).or_insert(lost);
        }
        self.states.clear();
        self.gaps.clear();
        self.events.clear();
    }

    /// The next process takes over.
    pub(crate) fn succeed(&mut self, kept: &[u8]) {
        let snapshot = Snapshot::from_bytes(kept).expect("a snapshot");
        self.link.resume(self.now, snapshot, Duration::from_secs(3));
        self.link.open(self.now);
        self.run();
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected
    }

    /// The transport ends.
    pub(crate) fn lose(&mut self, cause: Cause) {
        if self.connected {
            self.hang_up();
            self.link.lost(self.now, cause);
        }
    }

    /// The transport ends, and whatever takes no time happens.
    pub(crate) fn drop_socket(&mut self) {
        self.lose(Cause::Eof);
        self.run();
    }

    /// The browser process ends and leaves nothing behind.
    pub(crate) fn kill(&mut self) {
        self.link.process_exited(self.now, "signal 9");
        self.run();
    }

    /// A message from the wire, whatever it is.
    pub(crate) fn inject(&mut self, message: impl Into<Bytes>) {
        self.link.received(self.now, message.into());
        self.run();
    }

    /// Time passes; the link is woken whenever it asks for it.
    pub(crate) fn advance(&mut self, time: Duration) {
        let until = self.now + time;
        let mut wakes = 0;
        while let Some(at) = self.link.poll_timeout().filter(|at| *at <= until) {
            wakes += 1;
            assert!(wakes < 100_000, "the link asks to be woken again and again");
            self.now = self.now.max(at);
            self.link.timeout(self.now);
            self.run();
        }
        self.now = until;
        self.run();
    }

    pub(crate) fn advance_ms(&mut self, ms: u64) {
        self.advance(Duration::from_millis(ms));
    }

    /// Ends the link and checks what must hold then.
    pub(crate) fn finish(mut self) {
        self.link.close(self.now);
        self.run();
        let missing: Vec<u64> = (1..=self.submitted)
            .filter(|token| !self.settled.contains_key(token))
            .collect();
        assert!(missing.is_empty(), "never settled: {missing:?}");
        assert!(self.link.is_idle(), "commands are left in the table");
        assert_eq!(self.link.health(self.now).in_flight, 0);
        assert_eq!(self.link.poll_timeout(), None);
        self.post(None, "Browser.getVersion", "{}");
        self.link.reconnect(self.now);
        self.link.open(self.now);
        self.run();
        assert_eq!(
            self.end(self.submitted),
            Some(&Settlement::NotSent(NotSent::Closed))
        );
    }
}
