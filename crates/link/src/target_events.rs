//! Events that change what is known of targets.
use std::time::{Duration, Instant};

use keeptab_protocol::Raw;
use serde::Deserialize;
use serde_json::Value;

use crate::link::Link;
use crate::pending::Own;
use crate::refusals;
use crate::targets::{Phase, WireInfo};
use crate::timers::Timer;
use crate::{Condition, Dialog, Output, Settlement, Str, TargetChange, TargetEnd, TargetId};

/// How long the end of a session may stay unexplained before it is taken for itself: the browser
/// tells of a closed tab right after it.
const EXPLAIN: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WithInfo {
    target_info: WireInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attached {
    session_id: String,
    target_info: WireInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfTarget {
    #[serde(default)]
    target_id: String,
    #[serde(default)]
    session_id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    error_code: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Opening {
    #[serde(default)]
    url: String,
    #[serde(default)]
    message: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    default_prompt: String,
}

impl Opening {
    pub(crate) fn into_dialog(self) -> Dialog {
        Dialog {
            kind: self.kind.into(),
            message: self.message.into(),
            default_prompt: self.default_prompt.into(),
            url: self.url.into(),
            answerable: true,
        }
    }
}

#[derive(Deserialize)]
struct WithFrame {
    frame: Frame,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Frame {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) loader_id: String,
    #[serde(default)]
    pub(crate) url: String,
}

impl Link {
    /// Learns from an event. Returns the parameters to hand on, `None` to keep it to the link.
    pub(crate) fn understand(
        &mut self,
        now: Instant,
        method: &str,
        params: Raw,
        target: Option<&TargetId>,
    ) -> Option<Raw> {
        match (method, target) {
            ("Target.targetCreated", _) => self.target_created(now, params),
            ("Target.targetInfoChanged", _) => {
                if let Ok(WithInfo { target_info }) = params.parse() {
                    self.target_info(target_info);
                }
                Some(params)
            }
            ("Target.targetDestroyed", _) => {
                if let Ok(OfTarget { target_id, .. }) = params.parse() {
                    self.target_gone(&TargetId::from(target_id), &TargetEnd::Closed);
                }
                Some(params)
            }
            ("Target.targetCrashed", _) => {
                if let Ok(OfTarget {
                    target_id,
                    status,
                    error_code,
                    ..
                }) = params.parse()
                {
                    let end = TargetEnd::Crashed {
                        status: status.into(),
                        code: error_code,
                    };
                    self.crashed(&TargetId::from(target_id), end);
                }
                Some(params)
            }
            ("Target.attachedToTarget", _) => self.attached(now, &params, target),
            ("Target.detachedFromTarget", _) => self.detached(now, &params),
            ("Inspector.targetCrashed", Some(id)) => {
                self.timers.clear(&Timer::Setup(id.clone()));
                let known = self
                    .targets
                    .get(id)
                    .is_some_and(|t| matches!(t.info.condition, Condition::Crashed(_)));
                if known {
                    self.no_longer_waited_for(id);
                } else {
                    // How it crashed follows, unless that was before our time.
                    self.timers
                        .set(now + EXPLAIN / 5, Timer::Crashed(id.clone()));
                }
                Some(params)
            }
            ("Inspector.targetReloadedAfterCrash", Some(id)) => {
                self.timers.clear(&Timer::Crashed(id.clone()));
                self.set_condition(id, Condition::Fine);
                self.revived(now, id);
                Some(params)
            }
            ("Page.javascriptDialogOpening", Some(id)) => {
                if let Ok(opening) = params.parse() {
                    self.dialog_opened(now, id, opening);
                }
                Some(params)
            }
            ("Page.javascriptDialogClosed", Some(id)) => {
                self.timers.clear(&Timer::Dialog(id.clone()));
                self.set_condition(id, Condition::Fine);
                Some(params)
            }
            ("Page.frameNavigated", Some(id)) => {
                if let (Ok(WithFrame { frame }), Some(target)) =
                    (params.parse(), self.targets.get_mut(id))
                {
                    target
                        .documents
                        .insert(frame.id.into(), frame.loader_id.into());
                }
                Some(params)
            }
            ("Page.frameDetached", Some(id)) => {
                let frame = params.parse::<Value>().ok();
                let frame = frame
                    .as_ref()
                    .and_then(|value| value.get("frameId")?.as_str());
                if let (Some(frame), Some(target)) = (frame, self.targets.get_mut(id)) {
                    target.documents.remove(frame);
                }
                Some(params)
            }
            (_, Some(id)) if method.starts_with("Runtime.executionContext") => {
                if let Some(target) = self.targets.get_mut(id) {
                    target.contexts.learn(method, &params);
                }
                Some(params)
            }
            (_, Some(id)) if method.starts_with("WebAuthn.") => {
                self.revision += 1;
                let shown = self
                    .targets
                    .get_mut(id)
                    .and_then(|target| target.ledger.event(method, &params));
                Some(shown.unwrap_or(params))
            }
            _ => Some(params),
        }
    }

    fn target_created(&mut self, now: Instant, params: Raw) -> Option<Raw> {
        let Ok(WithInfo { target_info }) = params.parse() else {
            return Some(params);
        };
        let id = target_info.id();
        let known = self.targets.get(&id).is_some();
        self.target_info(target_info);
        self.attach_by_policy(now, &id);
        // Callers know it from before the loss.
        (!known || self.recovery.is_none()).then_some(params)
    }

    /// Takes over what the browser says of a target, known or not.
    pub(crate) fn target_info(&mut self, wire: WireInfo) {
        let id = wire.id();
        if let Some(target) = self.targets.get_mut(&id) {
            let first = target.info.kind.is_empty();
            target.present = true;
            let before = target.info.clone();
            wire.update(&mut target.info);
            if first {
                let info = target.info.clone();
                self.out
                    .push_back(Output::Target(TargetChange::Created(Box::new(info))));
            } else if before != target.info {
                let info = target.info.clone();
                self.out
                    .push_back(Output::Target(TargetChange::Info(Box::new(info))));
            }
        } else if self.targets.len() < self.config.limits.targets {
            let info = wire.into_info();
            if let Some(recovery) = &mut self.recovery {
                recovery.gap.new.push(info.clone());
            }
            self.out
                .push_back(Output::Target(TargetChange::Created(Box::new(
                    info.clone(),
                ))));
            self.targets.insert(info);
        }
    }

    fn attached(&mut self, now: Instant, params: &Raw, parent: Option<&TargetId>) -> Option<Raw> {
        let Ok(Attached {
            session_id,
            target_info,
        }) = params.parse()
        else {
            self.counters.stray += 1;
            return None;
        };
        let session = Str::from(session_id);
        let id = target_info.id();
        self.target_info(target_info);
        let bound = self.targets.get(&id).map(|target| target.session.is_some());
        match bound {
            Some(false) => {
                if let Some(target) = self.targets.get_mut(&id) {
                    target.info.parent = parent.cloned().or(target.info.parent.take());
                }
                self.bind(now, session, &id);
            }
            // One session per target; and none where there is no room for the target.
            Some(true) if self.targets.of_session(&session) == Some(&id) => {}
            Some(true) if self.targets.expects_replay(&id) => {
                self.targets.add_replay(session, id);
                return None;
            }
            _ => {
                self.targets.add_extra(session.clone());
                let over = parent.and_then(|parent| self.targets.get(parent)?.session.clone());
                let detach = Raw::from(serde_json::json!({ "sessionId": &*session }));
                self.send_own(now, over, "Target.detachFromTarget", &detach, Own::Nothing);
            }
        }
        let target = self.targets.get_mut(&id)?;
        let announced = std::mem::replace(&mut target.announced, true);
        (!announced || self.recovery.is_none()).then(|| with_handle(params, &id))
    }

    fn detached(&mut self, now: Instant, params: &Raw) -> Option<Raw> {
        let Ok(OfTarget { session_id, .. }) = params.parse() else {
            return None;
        };
        if self.targets.drop_extra(&session_id) {
            return None;
        }
        let Some(id) = self.targets.unbind(&session_id) else {
            self.counters.stray += 1;
            return None;
        };
        let wanted = self.targets.get_mut(&id).is_some_and(|target| {
            target.announced = false;
            target.wanted
        });
        if wanted {
            self.timers.set(now + EXPLAIN, Timer::Detached(id.clone()));
        } else {
            self.settle_in_flight(&id, None, |_| {
                Some(Settlement::TargetGone(TargetEnd::Detached))
            });
        }
        Some(with_handle(params, &id))
    }

    /// The session of a target ended and nothing explained it.
    pub(crate) fn detached_for_good(&mut self, now: Instant, id: &TargetId) {
        let Some(target) = self.targets.get(id) else {
            return;
        };
        if target.session.is_some() {
            return;
        }
        // Frames and workers come back only by themselves.
        if target.info.parent.is_some() || !target.has_pages() {
            return self.target_gone(id, &TargetEnd::Closed);
        }
        self.settle_in_flight(id, None, |_| {
            Some(Settlement::TargetGone(TargetEnd::Detached))
        });
        self.attach_if_possible(now, id);
    }

    /// A target is gone for good.
    pub(crate) fn target_gone(&mut self, id: &TargetId, end: &TargetEnd) {
        if self.targets.get(id).is_none() {
            return;
        }
        self.settle_in_flight(id, None, |cmd| {
            // Closing it is what was wanted.
            let wanted = &*cmd.method == "Page.close" && *end == TargetEnd::Closed;
            Some(if wanted {
                Settlement::Reply(Raw::object_empty())
            } else {
                Settlement::TargetGone(end.clone())
            })
        });
        self.settle_queue(id, |_| Some(Settlement::TargetGone(end.clone())));
        for child in self.targets.children(id) {
            self.target_gone(&child, end);
        }
        if let Some(target) = self.targets.remove(id) {
            for timer in [
                Timer::Dialog,
                Timer::Crashed,
                Timer::Detached,
                Timer::Setup,
                Timer::Retry,
            ] {
                self.timers.clear(&timer(id.clone()));
            }
            if let Some(recovery) = &mut self.recovery {
                recovery.gap.gone.push(target.info.clone());
            }
            // One that only a caller had named was never there for anybody else.
            if !target.info.kind.is_empty() {
                self.out.push_back(Output::Target(TargetChange::Gone(
                    Box::new(target.info),
                    end.clone(),
                )));
            }
        }
        self.no_longer_waited_for(id);
    }

    pub(crate) fn set_condition(&mut self, id: &TargetId, condition: Condition) {
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        if target.info.condition != condition {
            self.revision += 1;
            target.info.condition = condition.clone();
            self.out.push_back(Output::Target(TargetChange::Condition(
                id.clone(),
                condition,
            )));
        }
    }

    fn crashed(&mut self, id: &TargetId, end: TargetEnd) {
        self.timers.clear(&Timer::Crashed(id.clone()));
        self.timers.clear(&Timer::Dialog(id.clone()));
        self.timers.clear(&Timer::Setup(id.clone()));
        self.set_condition(id, Condition::Crashed(end.clone()));
        if let Some(target) = self.targets.get_mut(id) {
            target.contexts.clear();
        }
        self.settle_in_flight(id, None, |_| Some(Settlement::TargetGone(end.clone())));
        self.settle_queue(id, |cmd| {
            (!refusals::revives(&cmd.method)).then(|| Settlement::TargetGone(end.clone()))
        });
        self.no_longer_waited_for(id);
    }

    pub(crate) fn crash_without_details(&mut self, id: &TargetId) {
        self.crashed(
            id,
            TargetEnd::Crashed {
                status: Str::from_static("crashed"),
                code: 0,
            },
        );
    }

    fn dialog_opened(&mut self, now: Instant, id: &TargetId, opening: Opening) {
        if let Some(target) = self.targets.get_mut(id) {
            target.dialog_since = Some(now);
            target.unverified = false;
        }
        self.set_condition(id, Condition::Dialog(opening.into_dialog()));
        self.timers
            .set(now + self.config.dialog_grace, Timer::Dialog(id.clone()));
    }

    /// Commands that were in flight when the dialog opened have had their chance.
    pub(crate) fn dialog_grace_over(&mut self, id: &TargetId) {
        let Some(target) = self.targets.get(id) else {
            return;
        };
        let Condition::Dialog(dialog) = target.info.condition.clone() else {
            return;
        };
        let since = target.dialog_since;
        self.settle_in_flight(id, since, |cmd| {
            (&*cmd.method != "Page.handleJavaScriptDialog")
                .then(|| refusals::dialog_open(&dialog, true))
        });
        if target_waits(self.targets.get(id).map(|target| target.phase)) {
            self.settle_queue(id, |cmd| {
                (!refusals::answered_despite_dialog(&cmd.method))
                    .then(|| refusals::dialog_open(&dialog, cmd.was_sent()))
            });
        }
    }
}

fn target_waits(phase: Option<Phase>) -> bool {
    phase.is_some_and(|phase| phase != Phase::Ready)
}

/// The parameters with the handle in the place of the session id.
fn with_handle(params: &Raw, id: &TargetId) -> Raw {
    match params.parse::<Value>() {
        Ok(mut value) => {
            value["sessionId"] = Value::from(id.handle());
            Raw::from(value)
        }
        Err(_) => Raw::object_empty(),
    }
}
