//! What the snippets of a session may see and do.

use std::sync::{Arc, Weak};

use keeptab_browser::{ResolveOptions, State, resolve_ws_url};
use keeptab_protocol::Raw;
use keeptab_script::{BoxFuture, ConnectOptions, Connection, ErrorKind, Host, ScriptError};
use tokio::time::{Instant, timeout_at};

use super::connect::{deadline, places};
use super::entry::Session;
use super::errors::to_script;
use super::fence::Fence;
use crate::api::AttachRequest;
use crate::error::ApiError;
use crate::handover::{ActiveTab, Place};
use crate::policy;

/// The prefix of a handle.
const HANDLE: &str = "target:";

/// A session as its REPL knows it. Weak, because the session owns the REPL.
pub(super) struct SessionHost {
    name: String,
    session: Weak<Session>,
}

impl SessionHost {
    pub(super) fn new(session: &Arc<Session>) -> Self {
        SessionHost {
            name: session.name().to_owned(),
            session: Arc::downgrade(session),
        }
    }

    fn entry(&self) -> Result<Arc<Session>, ScriptError> {
        self.session
            .upgrade()
            .ok_or_else(|| ScriptError::not_connected("the command"))
    }
}

impl Host for SessionHost {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn session(&self) -> Option<keeptab_browser::Session> {
        self.session.upgrade()?.held().ok().map(|held| held.browser)
    }

    fn connect(&self, options: ConnectOptions) -> BoxFuture<'_, Result<(), ScriptError>> {
        Box::pin(async move {
            let session = self.entry()?;
            session.connect_for_script(options).await.map_err(to_script)
        })
    }

    fn close(&self) -> BoxFuture<'_, Result<(), ScriptError>> {
        Box::pin(async move {
            let session = self.entry()?;
            let _turn = session.my_turn(deadline(None)).await.map_err(to_script)?;
            if session.is_launched() {
                return Err(ScriptError::new(
                    ErrorKind::Refused,
                    format!(
                        "the browser of session \"{}\" was launched for it",
                        self.name
                    ),
                )
                .with_hint("keeptab close"));
            }
            session.detach().await;
            Ok(())
        })
    }

    fn active_target(&self) -> Option<String> {
        let session = self.session.upgrade()?;
        session.active_id().map(|id| format!("{HANDLE}{id}"))
    }

    fn set_active_target(&self, handle: Option<String>) {
        let Some(session) = self.session.upgrade() else {
            return;
        };
        let Some(handle) = handle else {
            session.with(|inner| inner.active = None);
            session.save();
            return;
        };
        let id = handle.strip_prefix(HANDLE).unwrap_or(&handle);
        let known = session
            .held()
            .ok()
            .and_then(|held| held.browser.tab(id).info());
        let tab = match &known {
            Some(info) => ActiveTab {
                id: id.to_owned(),
                url: info.url.to_string(),
                title: info.title.to_string(),
            },
            None => ActiveTab {
                id: id.to_owned(),
                url: String::new(),
                title: String::new(),
            },
        };
        if let Err(error) = session.activate(tab) {
            tracing::info!("session \"{}\": {error}", self.name);
        }
    }

    fn permit(&self, method: &str, params: &Raw, granted: bool) -> Result<(), ScriptError> {
        policy::permit(method, params, granted).map_err(to_script)
    }

    fn connection(&self) -> Option<Arc<dyn Connection>> {
        let session = self.session.upgrade()?;
        let browser = session.held().ok()?.browser;
        Some(Arc::new(Fence::new(browser, Arc::downgrade(&session))))
    }
}

impl Session {
    /// `session.connect(…)` of a snippet.
    async fn connect_for_script(&self, options: ConnectOptions) -> Result<(), ApiError> {
        let until = deadline(options.timeout_ms);
        let _turn = self.my_turn(until).await?;
        let request = AttachRequest {
            ws: options.ws_url,
            port: options.port,
            host: options.host,
            profile: options.profile_dir,
            browser: options.browser,
            target: None,
            record: None,
            policies: Default::default(),
            timeout_ms: options.timeout_ms,
        };
        let anywhere = AttachRequest {
            timeout_ms: options.timeout_ms,
            ..AttachRequest::default()
        };
        let launched = self.is_launched();
        if self.live().is_ok() && (launched || request == anywhere) {
            // It has its browser; where another one is meant, that is a mistake and not a wish.
            if launched && request != anywhere {
                return Err(ApiError::new(
                    crate::error::Code::Refused,
                    format!("session \"{}\" has a browser of its own", self.name()),
                )
                .hint("take another session: keeptab --session NAME js …"));
            }
        } else if launched || self.is_missing() {
            // Its own browser has ended, or is missing: never a different one in its place.
            self.live()?;
        } else if !self.is_connected_to(&request, until).await {
            self.attach_to(&request, until).await?;
        }
        if let Some(target) = &options.target_id {
            let held = self.live()?;
            let tab = self.find_tab(&held, target).await?;
            self.activate(tab.as_active())?;
        }
        Ok(())
    }

    /// Whether the browser that is meant is the one that this session is connected to, whatever way it is
    /// named: then its tabs, settings and entries stay. Opens no WebSocket, which might ask a person.
    async fn is_connected_to(&self, request: &AttachRequest, until: Instant) -> bool {
        let Ok(held) = self.live() else { return false };
        if !matches!(*held.browser.state().borrow(), State::Connected { .. }) {
            return false;
        }
        let Ok(meant) = places(request).await else {
            return false;
        };
        let same = async {
            let ours = address_of(&held.place).await;
            for place in meant {
                if place == held.place {
                    return true;
                }
                if let (Some(ours), Some(theirs)) = (&ours, address_of(&place).await)
                    && is_same_browser(ours, &theirs)
                {
                    return true;
                }
            }
            false
        };
        timeout_at(until, same).await.unwrap_or(false)
    }
}

/// The WebSocket address of a browser, as it is at this moment.
async fn address_of(place: &Place) -> Option<String> {
    let mut from = ResolveOptions::default();
    match place {
        Place::Ws(url) => from.ws_url = Some(url.clone()),
        Place::Port { host, port } => {
            from.host = Some(host.clone());
            from.port = Some(*port);
        }
        Place::Profile(dir) => from.profile_dir = Some(dir.clone()),
        Place::Keeper(_) | Place::Pipe => return None,
    }
    resolve_ws_url(&from).await.ok()
}

/// Whether two WebSocket addresses lead to one browser. Chromium gives each run an id of its own, so with
/// one in the path the host may be written as one likes.
fn is_same_browser(one: &str, other: &str) -> bool {
    fn run(url: &str) -> Option<&str> {
        let (_, id) = url.split_once("/devtools/browser/")?;
        (id.len() >= 32).then_some(id)
    }
    one == other || run(one).is_some_and(|id| run(other) == Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_the_same_by_the_id_of_its_run() {
        let id = "0b1d2ca5-5c1e-4a33-8a6e-3f6f9b1f0a11";
        let at = |host: &str, path: &str| format!("ws://{host}/devtools/browser{path}");
        let run = format!("/{id}");
        assert!(is_same_browser(
            &at("127.0.0.1:1", &run),
            &at("localhost:1", &run)
        ));
        assert!(is_same_browser(&at("a:1", ""), &at("a:1", "")));
        // Without an id of the run, another port is another browser.
        assert!(!is_same_browser(&at("a:1", ""), &at("a:2", "")));
        assert!(!is_same_browser(&at("a:1", &run), &at("a:1", "/other")));
        assert!(!is_same_browser("ws://a/?token=1", "ws://a/?token=2"));
    }
}
