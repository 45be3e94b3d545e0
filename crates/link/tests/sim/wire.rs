//! The network: two directions with latency, in order, that can swallow everything without saying so.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use keeptab_testkit::ConnectionId;

use crate::chance::Chance;

/// One connection between the link and the browser.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) connection: ConnectionId,
    to_browser: VecDeque<(Instant, Bytes)>,
    to_link: VecDeque<(Instant, Bytes)>,
    latency: Duration,
    /// Nothing passes, in either direction, and nobody is told.
    pub(crate) hole: bool,
}

/// What comes out of the wire.
#[derive(Debug)]
pub(crate) enum Arrival {
    AtBrowser(ConnectionId, Bytes),
    AtLink(Bytes),
}

impl Wire {
    pub(crate) fn new(connection: ConnectionId, latency: Duration) -> Self {
        Self {
            connection,
            to_browser: VecDeque::new(),
            to_link: VecDeque::new(),
            latency,
            hole: false,
        }
    }

    pub(crate) fn send_to_browser(&mut self, now: Instant, chance: &mut Chance, message: Bytes) {
        let at = arrival(now, self.latency, chance, self.to_browser.back());
        self.to_browser.push_back((at, message));
    }

    pub(crate) fn send_to_link(&mut self, now: Instant, chance: &mut Chance, message: Bytes) {
        let at = arrival(now, self.latency, chance, self.to_link.back());
        self.to_link.push_back((at, message));
    }

    /// When the next message arrives.
    pub(crate) fn next(&self) -> Option<Instant> {
        if self.hole {
            return None;
        }
        let heads = [self.to_browser.front(), self.to_link.front()];
        heads.into_iter().flatten().map(|(at, _)| *at).min()
    }

    /// A message that has arrived by now.
    pub(crate) fn arrived(&mut self, now: Instant) -> Option<Arrival> {
        if self.hole {
            return None;
        }
        if self.to_browser.front().is_some_and(|(at, _)| *at <= now) {
            let (_, message) = self.to_browser.pop_front()?;
            return Some(Arrival::AtBrowser(self.connection, message));
        }
        if self.to_link.front().is_some_and(|(at, _)| *at <= now) {
            let (_, message) = self.to_link.pop_front()?;
            return Some(Arrival::AtLink(message));
        }
        None
    }

    /// What was on its way to the browser when the connection ended: some of it had already got there.
    pub(crate) fn in_flight_to_browser(&mut self, chance: &mut Chance) -> Vec<Bytes> {
        let reached = chance.below(self.to_browser.len() as u64 + 1) as usize;
        self.to_browser
            .drain(..reached)
            .map(|(_, message)| message)
            .collect()
    }
}

fn arrival(
    now: Instant,
    latency: Duration,
    chance: &mut Chance,
    last: Option<&(Instant, Bytes)>,
) -> Instant {
    let at = now + chance.between(latency / 2, latency);
    last.map_or(at, |(last, _)| at.max(*last))
}
