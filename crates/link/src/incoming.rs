//! What the browser says: answers and events.
use std::time::Instant;

use bytes::Bytes;
use keeptab_protocol::{Raw, handles};
use serde::Deserialize;

use crate::envelope::{self, Kind};
use crate::link::{Link, Wire};
use crate::pending::{Own, Wait, Who};
use crate::table::Key;
use crate::{Cause, CdpError, EventMsg, Output, Settlement, Str, TargetEnd, TargetId};

/// Messages that are not CDP, after which the connection is not worth keeping.
const MALFORMED: u32 = 16;

/// The browser does not know this session.
const NO_SESSION: i64 = -32001;

#[derive(Deserialize)]
struct WireError {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    data: Option<Raw>,
}

impl Link {
    pub(crate) fn message(&mut self, now: Instant, message: Bytes) {
        let read = envelope::read(&message, &mut self.quick).ok();
        // One check for the whole message; its parts share the memory.
        let text = Raw::from_utf8(message).ok();
        let (Some(envelope), Some(text)) = (read, text) else {
            return self.malformed(now);
        };
        let part = |range: std::ops::Range<usize>| text.slice(range).unwrap_or_default();
        let session = envelope.session.map(|range| &text.as_str()[range]);
        match envelope.kind {
            Kind::Reply { id, ok, body } => self.answer(now, id, ok, part(body), session),
            Kind::Event { method, params } => {
                let method = part(method);
                let method = Str::try_from(method.into_bytes()).unwrap_or_default();
                self.event(
                    now,
                    method,
                    params.map_or_else(Raw::object_empty, part),
                    session,
                );
            }
        }
    }

    fn malformed(&mut self, now: Instant) {
        self.counters.malformed += 1;
        if let Wire::Open { malformed, .. } = &mut self.wire {
            *malformed += 1;
            if *malformed > MALFORMED {
                self.out.push_back(Output::Abort);
                self.fail(
                    now,
                    Cause::Protocol(Str::from_static("too many messages that are not CDP")),
                );
            }
        }
    }

    fn answer(&mut self, now: Instant, id: u32, ok: bool, body: Raw, session: Option<&str>) {
        // An answer comes over the session of its command, except that the browser's own "no such
        // session" comes without one.
        let belongs = |wait: &Wait| match session {
            Some(session) => wait.session.as_deref() == Some(session),
            None => wait.session.is_none() || !ok,
        };
        if !self.pending.peek(id).is_some_and(belongs) {
            self.counters.stray += 1;
            return;
        }
        let Some(wait) = self.pending.take(id) else {
            return;
        };
        match wait.who {
            Who::Cmd(key) => self.answered(now, key, ok, body, wait.session.as_deref()),
            Who::Own(own, sent) => self.own_answered(now, own, sent, ok, &body),
        }
    }

    fn answered(&mut self, now: Instant, key: Key, ok: bool, body: Raw, session: Option<&str>) {
        let Some(cmd) = self.table.take(key) else {
            return;
        };
        if cmd.owner.is_none() {
            self.counters.late += 1;
        }
        if !ok {
            let error = read_error(&body);
            if cmd.standing {
                self.ledger_mut(cmd.target.as_ref()).stands_not(&cmd.method);
            }
            if &*cmd.method == "Browser.close" {
                self.browser.closing = false;
            }
            if error.code == NO_SESSION && session.is_some() {
                return self.tell(&cmd, Settlement::TargetGone(TargetEnd::Detached));
            }
            return self.tell(&cmd, Settlement::Error(error));
        }
        if let (None, Some(sent)) = (&cmd.target, cmd.sent) {
            self.round_trips
                .record(now.saturating_duration_since(sent.at));
        }
        let mut result = body;
        if cmd.sticky {
            if let Some(id) = &cmd.target {
                self.about_contexts(&cmd, id);
            }
            let ledger = self.ledger_mut(cmd.target.as_ref());
            if let Some(shown) =
                ledger.done(&cmd.method, &cmd.params, cmd.class, key.seq, Some(&result))
            {
                result = shown;
            }
            if let Some(id) = &cmd.target {
                self.keep_own_domains(now, id, &cmd.method);
            }
            self.revision += 1;
            if cmd.owner.is_some() {
                self.out.push_back(Output::Keep);
            }
        }
        let result = handles::tag_result(&cmd.method, result, self.epoch.0);
        self.tell(&cmd, Settlement::Reply(result));
    }

    fn own_answered(&mut self, now: Instant, own: Own, sent: Instant, ok: bool, body: &Raw) {
        match own {
            Own::Probe => self.round_trips.record(now.saturating_duration_since(sent)),
            Own::Ask(id) => self.sign_of_life(&id),
            Own::Identity => self.identified(now, ok, body),
            Own::Discover => self.browser_step(now, None, ok, body),
            Own::Restore(key) => self.browser_step(now, Some(&key), ok, body),
            Own::Attach(id) => self.attach_answered(now, &id, ok, body),
            Own::Setup(id, step) => self.setup_answered(now, &id, step, ok, body),
            Own::Replay(id) => self.replay_attached(now, id, ok, body),
            Own::Replayed(id, session) => self.replayed(now, &id, &session),
            Own::Standing(id, method) => self.stands_again(&id, &method, sent, ok, body),
            Own::Nothing => {}
        }
    }

    fn event(&mut self, now: Instant, method: Str, params: Raw, session: Option<&str>) {
        let target = match session {
            None => None,
            Some(session) => match self.targets.of_session(session) {
                Some(id) => Some(id.clone()),
                None => {
                    if !self.replayed_event(session, &method, &params)
                        && !self.targets.is_extra(session)
                    {
                        self.counters.stray += 1;
                    }
                    return;
                }
            },
        };
        let Some(params) = self.understand(now, &method, params, target.as_ref()) else {
            return;
        };
        if let Some(id) = &target
            && self.is_told_otherwise(id, &method, &params)
        {
            return;
        }
        self.tell_event(method, params, target);
    }

    /// Hands an event on, or keeps it until the gap record stands before it.
    pub(crate) fn tell_event(&mut self, method: Str, params: Raw, target: Option<TargetId>) {
        let params = handles::tag_event(&method, params, self.epoch.0);
        let event = EventMsg {
            epoch: self.epoch,
            target,
            method,
            params,
        };
        match &mut self.recovery {
            Some(recovery) => recovery.hold(event, self.config.limits.held_events),
            None => self.out.push_back(Output::Event(event)),
        }
    }
}

pub(crate) fn read_error(body: &Raw) -> CdpError {
    match body.parse::<WireError>() {
        Ok(WireError {
            code,
            message,
            data,
        }) => CdpError {
            code,
            message,
            data,
        },
        Err(_) => CdpError {
            code: 0,
            message: body.as_str().to_owned(),
            data: None,
        },
    }
}
