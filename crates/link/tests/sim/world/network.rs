//! The network between link and browser: dials, messages on their way, and every way to lose them.

use std::time::Duration;

use bytes::Bytes;
use keeptab_link::{Cause, DialError, DialInfo, Transport};
use keeptab_testkit::ConnectionId;
use serde_json::Value;

use super::SECOND;
use super::World;
use super::happenings::Happening;
use crate::wire::Wire;

/// Chromium reaps a client that vanished after this long.
const ZOMBIE: Duration = Duration::from_secs(45);

impl World {
    pub(super) fn reach_browser(&mut self, connection: ConnectionId, message: &Bytes) {
        self.browser
            .receive(connection, std::str::from_utf8(message).unwrap());
        self.carry_to_link();
    }

    pub(super) fn carry_to_link(&mut self) {
        while let Some((to, message)) = self.browser.poll() {
            if let Some(wire) = self.wire.as_mut().filter(|wire| wire.connection == to) {
                wire.send_to_link(self.now, &mut self.chance, Bytes::from(message));
            }
        }
    }

    pub(super) fn send(&mut self, message: Bytes) {
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

    pub(super) fn abort(&mut self) {
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

    pub(super) fn dialed(&mut self) {
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

    pub(super) fn lose(&mut self) {
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
}
