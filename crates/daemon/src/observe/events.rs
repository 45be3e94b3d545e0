//! The events that programs can follow, one JSON object each.

use std::time::SystemTime;

use keeptab_browser::{Gap as LinkGap, StateChange, TargetChange, TargetInfo};
use keeptab_buffers::{Entry, Stream, Wall, json as as_json};
use serde_json::{Value, json};

use super::gaps::wall;
use super::hub::{CONSOLE, Channels, NETWORK, STATE, TABS};
use super::observer::Observer;
use crate::api::SessionStatus;
use crate::error::ApiError;

fn now() -> String {
    Wall::from(SystemTime::now()).rfc3339()
}

/// How a session is at the moment when somebody begins to follow.
pub(crate) fn snapshot(status: &SessionStatus) -> Value {
    json!({
        "event": "state",
        "time": now(),
        "session": status.session,
        "state": status.state,
        "epoch": status.epoch,
        "text": status.detail,
        "last_gap": status.last_gap,
        "snapshot": true,
    })
}

/// A session was closed.
pub(crate) fn session_closed(observer: &Observer) {
    observer.hub.tell(STATE, &observer.session, || {
        json!({"event": "session", "time": now(), "session": observer.session, "what": "closed"})
    });
}

impl Observer {
    fn tell(&self, channel: Channels, name: &str, fields: impl FnOnce() -> Value) {
        self.hub.tell(channel, &self.session, || {
            let mut event = json!({"event": name, "time": now(), "session": self.session});
            if let (Value::Object(event), Value::Object(fields)) = (&mut event, fields()) {
                event.extend(fields);
            }
            event
        });
    }

    pub(super) fn tell_state(&self, change: &StateChange, epoch: u32) {
        self.tell(STATE, "state", || {
            let outage = change.outage.map(|outage| outage.as_millis());
            json!({
                "state": change.state.name(),
                "epoch": epoch,
                "text": change.to_string(),
                "outage_ms": outage.and_then(|ms| u64::try_from(ms).ok()),
            })
        });
    }

    /// Something is lost for good: by its name, with the way on. Whoever asks from now on gets the same error.
    pub(crate) fn tell_loss(&self, error: &ApiError) {
        self.tell(STATE, "loss", || {
            json!({
                "what": error.code.name(),
                "text": error.message,
                "hint": error.hint,
                "exit_code": error.exit_code(),
            })
        });
    }

    pub(super) fn tell_gap(&self, gap: &LinkGap) {
        self.tell(STATE, "gap", || {
            json!({
                "cause": gap.cause.to_string(),
                "from": wall(gap.lost_earliest).rfc3339(),
                "noticed": wall(gap.lost_latest).rfc3339(),
                "to": gap.to.map(|_| wall(gap.ended).rfc3339()),
                "epoch_from": gap.from.0,
                "epoch_to": gap.to.map(|epoch| epoch.0),
                "same_browser": gap.same_browser(),
                "nothing_missed": gap.nothing_missed(),
                "unknown_outcomes": gap.unknown.iter().map(|unknown| json!({
                    "method": &*unknown.method,
                    "target": unknown.target.as_ref().map(|id| id.as_str()),
                })).collect::<Vec<_>>(),
                "repeated": gap.repeated,
                "tabs_gone": gap.gone.iter().map(tab).collect::<Vec<_>>(),
                "tabs_new": gap.new.iter().map(tab).collect::<Vec<_>>(),
                "not_restored": gap.not_restored.iter().map(|failed| json!({
                    "method": &*failed.method,
                    "target": failed.target.as_ref().map(|id| id.as_str()),
                    "reason": failed.reason,
                })).collect::<Vec<_>>(),
                "without_init_scripts": gap.without_init_scripts.iter().map(|document| json!({
                    "target": document.target.as_str(),
                    "url": &*document.url,
                })).collect::<Vec<_>>(),
            })
        });
    }

    pub(super) fn tell_tab(&self, change: &TargetChange) {
        let fields = match change {
            TargetChange::Created(info) if is_tab(info) => with("opened", tab(info)),
            TargetChange::Info(info) if is_tab(info) => with("changed", tab(info)),
            TargetChange::Gone(info, end) if is_tab(info) => {
                let mut fields = with("closed", tab(info));
                fields["why"] = end.to_string().into();
                fields
            }
            TargetChange::Condition(id, condition) => {
                let mut fields = json!({
                    "what": match condition.name() {
                        "fine" => "recovered",
                        "dialog-blocked" | "dialog-blocked (unreachable)" => "dialog",
                        other => other,
                    },
                    "target": id.as_str(),
                    "condition": condition.name(),
                });
                if let keeptab_link::Condition::Dialog(dialog) = condition {
                    fields["dialog"] = json!({
                        "kind": &*dialog.kind,
                        "message": &*dialog.message,
                        "answerable": dialog.answerable,
                    });
                }
                fields
            }
            _ => return,
        };
        self.tell(TABS, "tab", || fields);
    }

    /// An entry is new, or complete.
    pub(super) fn tell_entry(&self, stream: Stream, entry: &Entry, is_new: bool) {
        let channel = match stream {
            Stream::Console => CONSOLE,
            Stream::Network => NETWORK,
        };
        self.tell(
            channel,
            stream.name(),
            || json!({"new": is_new, "entry": as_json(entry)}),
        );
    }

    /// Events were lost before they got here.
    pub(super) fn tell_missed(&self, count: u64) {
        let both = Channels {
            console: true,
            ..NETWORK
        };
        self.tell(both, "missed", || json!({ "count": count }));
    }
}

fn is_tab(info: &TargetInfo) -> bool {
    &*info.kind == "page"
}

fn tab(info: &TargetInfo) -> Value {
    json!({
        "target": info.id.as_str(),
        "url": &*info.url,
        "title": &*info.title,
        "opener": info.opener.as_ref().map(|id| id.as_str()),
    })
}

fn with(what: &str, mut fields: Value) -> Value {
    fields["what"] = what.into();
    fields
}
