//! The life of a caller's command: admitted, parked, sent, settled.
use std::time::Instant;

use keeptab_protocol::{Class, Raw, handles};
use serde_json::Value;

use crate::frame;
use crate::ledger::is_sticky;
use crate::link::{Link, Wire};
use crate::pending::{Own, Wait, Who};
use crate::refusals;
use crate::replay;
use crate::table::{Cmd, Key, Sent};
use crate::targets::{self, Phase, Replay};
use crate::{
    AttachPolicy, Condition, NotSent, Output, Route, Settlement, State, Str, Submit, TargetEnd,
    TargetId,
};

/// Answered by the link itself.
const ATTACH: &str = "Target.attachToTarget";
const DETACH: &str = "Target.detachFromTarget";

/// What to do with a command for a target.
enum Way {
    Send(Option<Str>),
    Answer(Settlement),
    Wait,
}

impl Link {
    /// Takes a command. It settles exactly once, perhaps at once.
    pub fn submit(&mut self, now: Instant, command: Submit) {
        let token = command.token;
        let epoch = self.epoch;
        match self.admit(now, command) {
            Ok(key) => self.dispatch(now, key),
            Err(settlement) => self.out.push_back(Output::Settle {
                token,
                settlement,
                epoch,
            }),
        }
    }

    /// Everything that can be said about a command before it is anywhere.
    fn admit(&mut self, now: Instant, command: Submit) -> Result<Key, Settlement> {
        let Submit {
            token,
            route,
            method,
            mut params,
            timeout,
            class,
            standing,
        } = command;
        let refuse = |why: NotSent| Err(Settlement::NotSent(why));
        match &self.state {
            State::Closed => return refuse(NotSent::Closed),
            State::Disconnected { cause } => return refuse(NotSent::Disconnected(cause.clone())),
            _ => {}
        }
        let limits = self.config.limits;
        let size = method.len() + params.len();
        if size > limits.max_command {
            return refuse(NotSent::TooLarge {
                size,
                limit: limits.max_command,
            });
        }
        if !frame::is_object(&params) {
            return refuse(NotSent::InvalidParams);
        }
        if self.pending.len() >= limits.in_flight {
            return refuse(NotSent::Overloaded {
                what: "commands in flight",
                limit: limits.in_flight,
            });
        }
        let mut target = match route {
            Route::Browser => None,
            Route::Target(id) => Some(id),
        };
        if method.starts_with("Target.") {
            if let Some(why) = refusals::raw_sessions(&method) {
                return refuse(why);
            }
            self.adapt(&method, &mut params, &mut target)?;
        }
        if let Some(id) = &target {
            self.known_or_asked_for(id)?;
        }
        let class = class.unwrap_or_else(|| Class::of(&method));
        let sticky = is_sticky(&method, class);
        if sticky && self.ledger(target.as_ref()).len() >= limits.ledger {
            return refuse(NotSent::Overloaded {
                what: "settings",
                limit: limits.ledger,
            });
        }
        let deadline = now + timeout.unwrap_or(self.config.default_timeout);
        let mut cmd = Cmd::new(token, target, method, params, class, deadline);
        cmd.sticky = sticky;
        cmd.standing = standing;
        Ok(self.table.insert(cmd))
    }

    /// The few methods of the Target domain that mean something else through a link.
    fn adapt(
        &mut self,
        method: &str,
        params: &mut Raw,
        target: &mut Option<TargetId>,
    ) -> Result<(), Settlement> {
        let mut value: Value = params
            .parse()
            .map_err(|_| Settlement::NotSent(NotSent::InvalidParams))?;
        match method {
            ATTACH => match value.get("targetId").and_then(Value::as_str) {
                Some(id) => *target = Some(TargetId::from(id)),
                None => return Err(Settlement::NotSent(NotSent::InvalidParams)),
            },
            "Target.setAutoAttach" => {
                // The other way of nesting sessions is not spoken here.
                value["flatten"] = Value::Bool(true);
                *params = Raw::from(value);
            }
            "Target.setDiscoverTargets" if value.get("discover") == Some(&Value::Bool(false)) => {
                // The link itself goes on needing it.
                self.ledger_mut(target.as_ref()).forget(method);
                self.revision += 1;
                return Err(Settlement::Reply(Raw::object_empty()));
            }
            _ => {}
        }
        Ok(())
    }

    /// Makes room for a target that only its caller has named so far: the browser will say whether
    /// it exists.
    fn known_or_asked_for(&mut self, id: &TargetId) -> Result<(), Settlement> {
        if self.targets.get(id).is_none() {
            let limit = self.config.limits.targets;
            if self.targets.len() >= limit {
                return Err(Settlement::NotSent(NotSent::Overloaded {
                    what: "targets",
                    limit,
                }));
            }
            let target = self.targets.insert(targets::unknown(id));
            target.present = false;
        }
        Ok(())
    }

    pub(crate) fn ledger(&self, target: Option<&TargetId>) -> &crate::ledger::Ledger {
        match target.and_then(|id| self.targets.get(id)) {
            Some(target) => &target.ledger,
            None => &self.browser.ledger,
        }
    }

    pub(crate) fn ledger_mut(&mut self, target: Option<&TargetId>) -> &mut crate::ledger::Ledger {
        match target.and_then(|id| self.targets.get_mut(id)) {
            Some(target) => &mut target.ledger,
            None => &mut self.browser.ledger,
        }
    }

    /// Sends a command, parks it, or settles it.
    pub(crate) fn dispatch(&mut self, now: Instant, key: Key) {
        let Some(cmd) = self.table.get(key) else {
            return;
        };
        let Some(id) = cmd.target.clone() else {
            if self.browser.open {
                self.send(now, key, None);
            } else {
                self.park(key, None);
            }
            return;
        };
        match self.way(key, &id) {
            Way::Send(session) => self.send(now, key, session),
            Way::Answer(settlement) => self.settle(key, settlement),
            Way::Wait => {
                self.park(key, Some(&id));
                self.attach_if_possible(now, &id);
                self.replay_if_due(now, &id);
            }
        }
    }

    fn way(&self, key: Key, id: &TargetId) -> Way {
        let (Some(cmd), Some(target)) = (self.table.get(key), self.targets.get(id)) else {
            return Way::Answer(Settlement::TargetGone(TargetEnd::Unknown));
        };
        let attach = &*cmd.method == ATTACH;
        let session = target.session.clone();
        let impaired = match &target.info.condition {
            Condition::Crashed(end) if !attach && !refusals::revives(&cmd.method) => {
                return Way::Answer(Settlement::TargetGone(end.clone()));
            }
            Condition::Dialog(dialog) if dialog.answerable => {
                if !attach && !refusals::answered_despite_dialog(&cmd.method) {
                    return Way::Answer(refusals::dialog_open(dialog, cmd.was_sent()));
                }
                true
            }
            Condition::Dialog(dialog) if target.blocked => {
                if !attach && !refusals::revives(&cmd.method) {
                    return Way::Answer(refusals::dialog_open(dialog, cmd.was_sent()));
                }
                true
            }
            Condition::Crashed(_) => true,
            // It may be a dialog that opened while the connection was lost: these are the ways out.
            // It may be one that an adopted connection can answer.
            Condition::Hung { .. } => {
                refusals::revives(&cmd.method) || &*cmd.method == "Page.handleJavaScriptDialog"
            }
            _ => false,
        };
        if session.is_none() || !(impaired || target.phase == Phase::Ready) {
            return Way::Wait;
        }
        if target.replay != Replay::Done && replay::listens(&cmd.method) {
            return Way::Wait;
        }
        if attach {
            let handle = Value::from(id.handle());
            return Way::Answer(Settlement::Reply(Raw::from(
                serde_json::json!({ "sessionId": handle }),
            )));
        }
        Way::Send(session)
    }

    fn park(&mut self, key: Key, target: Option<&TargetId>) {
        let limits = self.config.limits;
        let Some(cmd) = self.table.get(key) else {
            return;
        };
        let waiting = match target.and_then(|id| self.targets.get(id)) {
            Some(target) => target.queue.len(),
            None => self.browser.queue.len(),
        };
        let full = if self.table.parked() >= limits.parked {
            Some(("waiting commands", limits.parked))
        } else if self.table.parked_bytes() + cmd.size() > limits.parked_bytes {
            Some(("bytes of waiting commands", limits.parked_bytes))
        } else if target.is_some() && waiting >= limits.per_target {
            Some(("commands waiting for one target", limits.per_target))
        } else {
            None
        };
        // What was sent once and waits to be repeated has its place already.
        if let (Some((what, limit)), false) = (full, cmd.was_sent()) {
            return self.settle(
                key,
                Settlement::NotSent(NotSent::Overloaded { what, limit }),
            );
        }
        self.table.set_parked(key, true);
        match target.and_then(|id| self.targets.get_mut(id)) {
            Some(target) => target.queue.push_back(key),
            None => self.browser.queue.push_back(key),
        }
    }

    /// Sends everything that waits for the browser or for one target, in order.
    pub(crate) fn flush(&mut self, now: Instant, id: Option<&TargetId>) {
        let queue = match id {
            None => &mut self.browser.queue,
            Some(id) => match self.targets.get_mut(id) {
                Some(target) => &mut target.queue,
                None => return,
            },
        };
        for key in std::mem::take(queue) {
            self.dispatch(now, key);
        }
    }

    fn send(&mut self, now: Instant, key: Key, session: Option<Str>) {
        let Some(cmd) = self.table.get(key) else {
            return;
        };
        let (method, given, target) = (cmd.method.clone(), cmd.params.clone(), cmd.target.clone());
        let mut params = match handles::check_params(&method, given, self.epoch.0) {
            Ok(params) => params,
            Err(stale) => {
                let settlement = match (cmd.was_sent(), &self.last_loss) {
                    (true, Some(cause)) => Settlement::OutcomeUnknown {
                        cause: cause.clone(),
                    },
                    _ => Settlement::NotSent(NotSent::StaleHandle(stale)),
                };
                return self.settle(key, settlement);
            }
        };
        let mut session = session;
        if &*method == DETACH {
            let Some((real, over)) = self.give_up_session(now, &params) else {
                return self.settle(key, Settlement::Reply(Raw::object_empty()));
            };
            params = real;
            session = over;
        } else if let Some(target) = target.as_ref().and_then(|id| self.targets.get_mut(id)) {
            if let Some(real) = target.ledger.translate(&method, &params) {
                params = real;
            }
            if target.held.sent(&method, &params) {
                self.revision += 1;
            }
        } else if &*method == "Target.setDiscoverTargets" {
            // The browser lists its targets only when this is switched on, and it is on.
            let off = Raw::from_static(r#"{"discover":false}"#);
            self.send_own(now, None, &method, &off, Own::Nothing);
        } else if &*method == "Browser.close" {
            self.browser.closing = true;
        }
        let id = self.pending.add(Wait {
            session: session.clone(),
            who: Who::Cmd(key),
        });
        self.out.push_back(Output::Send(frame::write(
            id,
            &method,
            &params,
            session.as_deref(),
        )));
        self.table.set_parked(key, false);
        let epoch = self.epoch;
        let mut standing = false;
        if let Some(cmd) = self.table.get_mut(key) {
            cmd.sent = Some(Sent { id, epoch, at: now });
            standing = cmd.standing;
        }
        let Some(id) = target else { return };
        self.watch_for_hung(now);
        if standing {
            self.ledger_mut(Some(&id)).stand(&method, &params);
        } else {
            self.keep_standing(now, &id, &method, &params);
        }
    }

    /// A caller detaches from a target: the parameters for the browser, and the session to send them
    /// over. `None` when there is nothing to detach from.
    fn give_up_session(&mut self, now: Instant, params: &Raw) -> Option<(Raw, Option<Str>)> {
        let value: Value = params.parse().ok()?;
        let named = value
            .get("sessionId")
            .or_else(|| value.get("targetId"))?
            .as_str()?;
        let id = TargetId::from_handle(named).unwrap_or_else(|| TargetId::from(named));
        let needed = self.targets.get(&id)?.ledger.has_standing();
        if needed {
            let why = "a caller detached from it".to_owned();
            self.lapsed(&id, &Str::from_static(DETACH), now, Some(why));
        }
        let target = self.targets.get_mut(&id)?;
        target.wanted = false;
        target.ledger.clear();
        self.revision += 1;
        let real = target.session.clone()?;
        let parent = target.info.parent.clone();
        let over = parent.and_then(|parent| self.targets.get(&parent)?.session.clone());
        Some((Raw::from(serde_json::json!({ "sessionId": &*real })), over))
    }

    /// Sends something of the link's own. `false` when there is no transport.
    pub(crate) fn send_own(
        &mut self,
        now: Instant,
        session: Option<Str>,
        method: &str,
        params: &Raw,
        own: Own,
    ) -> bool {
        if !matches!(self.wire, Wire::Open { .. }) {
            return false;
        }
        let id = self.pending.add(Wait {
            session: session.clone(),
            who: Who::Own(own, now),
        });
        self.out.push_back(Output::Send(frame::write(
            id,
            method,
            params,
            session.as_deref(),
        )));
        true
    }

    /// Whether a target is attached to without a command for it.
    pub(crate) fn attaches_by_itself(&self, kind: &str) -> bool {
        kind == "page"
            && self.config.attach == AttachPolicy::Pages
            && self.browser.ledger.get("Target.setAutoAttach").is_none()
    }
}
