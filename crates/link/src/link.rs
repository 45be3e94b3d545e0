//! The inputs and outputs of the state machine.
use std::collections::VecDeque;
use std::time::{Instant, SystemTime};

use bytes::Bytes;

use crate::{
    Cause, Config, Counters, DialError, DialInfo, Epoch, Health, Output, State, Submit, TargetId,
    TargetInfo, Token,
};

/// One logical CDP connection. See the crate's documentation for how to drive it.
#[derive(Debug)]
pub struct Link {
    out: VecDeque<Output>,
    state: State,
    epoch: Epoch,
    targets: Vec<TargetInfo>,
}

impl Link {
    /// A link that does nothing before [`Link::open`].
    pub fn new(_config: Config, _now: Instant) -> Self {
        Self {
            out: VecDeque::new(),
            state: State::Idle,
            epoch: Epoch(0),
            targets: Vec::new(),
        }
    }

    /// Starts connecting: outputs [`Output::Dial`]. Does nothing unless the link is idle or has given up.
    pub fn open(&mut self, _now: Instant) {}

    /// The transport that was asked for is open.
    pub fn dialed(&mut self, _now: Instant, _info: DialInfo) {}

    /// The transport that was asked for cannot be opened.
    pub fn dial_failed(&mut self, _now: Instant, _error: DialError) {}

    /// The dial under way waits for a person to allow it.
    pub fn dial_waits_for_human(&mut self, _now: Instant) {}

    /// One whole message came.
    pub fn received(&mut self, _now: Instant, _message: Bytes) {}

    /// Something came that is not a whole message: part of a large one, or a pong.
    pub fn alive(&mut self, _now: Instant) {}

    /// The transport ended.
    pub fn lost(&mut self, _now: Instant, _cause: Cause) {}

    /// The browser process ended. To be called before [`Link::lost`] when both are known.
    pub fn process_exited(&mut self, _now: Instant, _status: impl Into<crate::Str>) {}

    /// Tells the time of day; to be called now and then, and after every wait. A jump against `now`
    /// means that the machine slept, and the connection is probed at once.
    pub fn wall_clock(&mut self, _now: Instant, _wall: SystemTime) {}

    /// Time has passed. Calling it too early does no harm.
    pub fn timeout(&mut self, _now: Instant) {}

    /// When [`Link::timeout`] wants to be called. Being late delays deadlines; a driver may leave an
    /// armed timer that is too early.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Takes a command. It settles exactly once, perhaps at once.
    pub fn submit(&mut self, _now: Instant, _command: Submit) {}

    /// The caller of a command went away. It will not be told; an unsent command is never sent.
    pub fn cancel(&mut self, _token: Token) {}

    /// Somebody asks for a new connection: at once, whatever the present one is like.
    pub fn reconnect(&mut self, _now: Instant) {}

    /// Ends the link for good. The browser stays as it is.
    pub fn close(&mut self, _now: Instant) {}

    /// The next thing to do or tell.
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

    /// Every target that is known.
    pub fn targets(&self) -> impl Iterator<Item = &TargetInfo> {
        self.targets.iter()
    }

    /// One target.
    pub fn target(&self, id: &TargetId) -> Option<&TargetInfo> {
        self.targets.iter().find(|target| target.id == *id)
    }

    /// How the link does.
    pub fn health(&self, _now: Instant) -> Health {
        Health {
            state: self.state.clone(),
            epoch: self.epoch,
            last_byte: None,
            rtt_p50: None,
            rtt_p99: None,
            attempts: 0,
            next_attempt: None,
            in_flight: 0,
            parked: 0,
            targets: self.targets.len(),
            counters: Counters::default(),
        }
    }
}
