//! A browser session as a REPL's connection, and its failures in the words of a snippet.

use keeptab_browser::{
    CallError, CallOptions, EventFilter, Events, Kind, Notice as LinkNotice, Route, Session, State,
    TargetId,
};
use keeptab_protocol::Raw;
use serde_json::json;

use crate::host::{BoxFuture, Command, Connection, Feed, Notice, Wanted};
use crate::outcome::{ErrorKind, ScriptError};

impl Connection for Session {
    fn call(&self, command: Command) -> BoxFuture<'static, Result<Raw, ScriptError>> {
        let session = self.clone();
        Box::pin(async move {
            let Command {
                method,
                params,
                target,
                timeout,
            } = command;
            let route = match target {
                None => Route::Browser,
                Some(handle) => match TargetId::from_handle(&handle) {
                    Some(target) => Route::Target(target),
                    None => {
                        let message = format!("{handle} is not a session handle");
                        let hint = "a handle is \"target:<targetId>\", as session.use(targetId) returns it";
                        return Err(ScriptError::new(ErrorKind::Invalid, message).with_hint(hint));
                    }
                },
            };
            let mut options = CallOptions::new();
            options.timeout = timeout;
            match session.call_raw(route, &method, params, options).await {
                Ok(reply) => Ok(reply.raw),
                Err(error) => Err(call_failed(&error)),
            }
        })
    }

    fn subscribe(&self, wanted: Wanted, capacity: usize) -> Box<dyn Feed> {
        let filter = match wanted {
            Wanted::Nothing => EventFilter::methods::<String>([]),
            Wanted::Methods(methods) => EventFilter::methods(methods),
            Wanted::Everything => EventFilter::all(),
        };
        Box::new(self.events(filter, capacity))
    }

    fn is_connected(&self) -> bool {
        // A lost connection that is being restored counts: commands wait for it.
        let state = self.state();
        let state = state.borrow();
        !state.is_final() && !matches!(*state, State::Idle)
    }
}

impl Feed for Events {
    fn next(&mut self) -> BoxFuture<'_, Option<Notice>> {
        Box::pin(async move {
            loop {
                let notice = match Events::next(self).await? {
                    LinkNotice::Event(event) => Notice::Event {
                        method: event.method.to_string(),
                        target: event.target.map(|target| target.handle()),
                        params: event.params,
                    },
                    LinkNotice::Dropped(count) => Notice::Dropped(count),
                    LinkNotice::Gap(gap) => {
                        let known = json!({
                            "from": gap.from.0,
                            "to": gap.to.map(|epoch| epoch.0),
                            "cause": gap.cause.to_string(),
                            "ms": u64::try_from(gap.ended.saturating_duration_since(gap.lost_earliest).as_millis()).unwrap_or(u64::MAX),
                        });
                        match Raw::of(&known) {
                            Ok(raw) => Notice::Gap(raw),
                            Err(_) => continue,
                        }
                    }
                    LinkNotice::State(change) if change.state.is_final() => {
                        Notice::Over(change.to_string())
                    }
                    LinkNotice::State(change) => match change.state {
                        State::Connected { .. } => Notice::Connected,
                        _ => Notice::Reconnecting,
                    },
                    _ => continue,
                };
                return Some(notice);
            }
        })
    }
}

/// The failure of a call as snippets know it.
fn call_failed(error: &CallError) -> ScriptError {
    let kind = match error.kind() {
        Kind::Protocol => ErrorKind::Protocol,
        Kind::NotSent => ErrorKind::NotSent,
        Kind::OutcomeUnknown => ErrorKind::OutcomeUnknown,
        Kind::Deadline => ErrorKind::Deadline,
        Kind::TargetGone => ErrorKind::TargetGone,
        Kind::DialogOpen => ErrorKind::DialogOpen,
        Kind::Disconnected => ErrorKind::NotConnected,
        Kind::TooLarge => ErrorKind::TooLarge,
        Kind::StaleHandle => ErrorKind::StaleHandle,
        Kind::InvalidParams => ErrorKind::Invalid,
        // The browser did it, and answered something else than the protocol says.
        _ => ErrorKind::OutcomeUnknown,
    };
    let mut failed = match error.cdp() {
        Some(cdp) => {
            let mut message = format!("CDP {}: {}", cdp.code, cdp.message);
            if let Some(data) = &cdp.data {
                let text = serde_json::from_str::<String>(data.as_str())
                    .unwrap_or_else(|_| data.as_str().to_owned());
                message.push_str(&format!(" ({text})"));
            }
            ScriptError::new(kind, message).with_code(cdp.code)
        }
        None => ScriptError::new(kind, error.to_string()),
    };
    failed.hint = error
        .hint()
        .map(str::to_owned)
        .or_else(|| default_hint(kind, error.method()));
    failed
}

fn default_hint(kind: ErrorKind, method: &str) -> Option<String> {
    let hint = match kind {
        ErrorKind::Protocol => return Some(format!("keeptab spec {method}")),
        ErrorKind::OutcomeUnknown => "it may have happened: look at the page before you repeat it",
        ErrorKind::NotSent => "nothing happened: it is safe to repeat",
        ErrorKind::Deadline => "give it longer: session.Domain.method(params, {timeoutMs})",
        ErrorKind::TargetGone => {
            "choose another tab: await session.use((await listPageTargets())[0].targetId)"
        }
        ErrorKind::DialogOpen => "await session.Page.handleJavaScriptDialog({accept: true})",
        ErrorKind::NotConnected => "await session.connect()",
        ErrorKind::StaleHandle => "ask for the object again: its id was of an earlier connection",
        _ => return None,
    };
    Some(hint.to_owned())
}
