//! The policies of a session at work: what it does by itself when a page crashes or its browser dies.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use keeptab_browser::{
    EventFilter, Notice, Session as Browser, State, TargetChange, TargetId, TargetInfo,
};
use keeptab_link::Condition;
use serde_json::json;
use tokio::time::Instant;

use super::entry::{Done, Session};
use super::reload::reload;
use super::tabs::short;
use crate::api::{OnBrowserDeath, OnCrash, Policies, PolicyChoice};
use crate::error::{ApiError, Code};

/// Notices that may wait for this task; only changes of targets and of the link come.
const QUEUE: usize = 1024;

/// A page that crashes more often than this within [`WHILE`] is left alone: it would go on for ever.
const RELOADS: usize = 3;
/// A browser that dies more often than this within [`WHILE`] is left alone.
const RELAUNCHES: usize = 3;
/// See there.
const WHILE: Duration = Duration::from_secs(300);

/// How long loading a crashed page again may take to begin.
const RELOAD_PATIENCE: Duration = Duration::from_secs(10);

/// A tab that goes so shortly before its browser went with it.
const WITH_THE_BROWSER: Duration = Duration::from_secs(3);

/// What status remembers.
const REMEMBERED: usize = 8;

/// Watches over a browser of a session until its link is closed.
pub(super) fn watch(session: Weak<Session>, browser: &Browser) {
    let mut events = browser.events(EventFilter::methods([] as [&str; 0]), QUEUE);
    let mut guard = Guard {
        browser: browser.clone(),
        reloads: HashMap::new(),
        gone: VecDeque::new(),
    };
    tokio::spawn(async move {
        while let Some(notice) = events.next().await {
            let Some(session) = session.upgrade() else {
                return;
            };
            guard.take(&session, notice).await;
        }
    });
}

struct Guard {
    browser: Browser,
    /// When pages of these tabs were loaded again.
    reloads: HashMap<TargetId, VecDeque<Instant>>,
    /// Tabs that went a moment ago.
    gone: VecDeque<(Instant, TargetInfo)>,
}

impl Guard {
    async fn take(&mut self, session: &Arc<Session>, notice: Notice) {
        match notice {
            Notice::Target(change) => match &*change {
                TargetChange::Condition(id, Condition::Crashed(_)) => {
                    self.crashed(session, id).await;
                }
                TargetChange::Gone(info, _) => {
                    self.reloads.remove(&info.id);
                    self.forget_old();
                    self.gone.push_back((Instant::now(), (**info).clone()));
                }
                _ => {}
            },
            Notice::State(change) if change.state.is_final() => {
                self.forget_old();
                let gone = self.gone.drain(..).map(|(_, info)| info).collect();
                session.say_loss(&change.state);
                session.browser_died(&self.browser, gone).await;
            }
            _ => {}
        }
    }

    fn forget_old(&mut self) {
        self.gone
            .retain(|(when, _)| when.elapsed() < WITH_THE_BROWSER);
    }

    async fn crashed(&mut self, session: &Arc<Session>, id: &TargetId) {
        let tab = self.browser.tab(id.clone());
        let ours = tab
            .info()
            .is_some_and(|info| session.records(&info.kind, info.id.as_str(), &info.url));
        if !ours || session.policies().on_crash != OnCrash::Reload {
            return;
        }
        let when = self.reloads.entry(id.clone()).or_default();
        when.retain(|when| when.elapsed() < WHILE);
        let url = tab.info().map(|info| info.url.to_string());
        let name = format!("{} [{}]", url.unwrap_or_default(), short(id.as_str()));
        if when.len() >= RELOADS {
            let text =
                format!("{name} crashed again, and is left as it is after {RELOADS} reloads");
            session.did("crash_loop", text, || json!({"target": id.as_str()}));
            return;
        }
        when.push_back(Instant::now());
        let outcome = reload(&tab, Instant::now() + RELOAD_PATIENCE).await;
        let (what, text) = match outcome {
            Ok(()) => ("reloaded", format!("{name} crashed and was loaded again")),
            Err(error) => (
                "reload_failed",
                format!("{name} crashed and could not be loaded again: {error}"),
            ),
        };
        session.did(what, text, || json!({"target": id.as_str()}));
    }
}

impl Session {
    /// Takes over what a request chose.
    ///
    /// # Errors
    /// A browser that is not ours cannot be launched again.
    pub(super) fn choose_policies(&self, choice: PolicyChoice) -> Result<(), ApiError> {
        if choice == PolicyChoice::default() {
            return Ok(());
        }
        if choice.on_browser_death == Some(OnBrowserDeath::Relaunch) && !self.is_launched() {
            return Err(not_ours_to_relaunch());
        }
        self.with(|inner| inner.policies = inner.policies.with(choice));
        self.save();
        Ok(())
    }

    /// What it does by itself.
    pub(super) fn policies(&self) -> Policies {
        self.with(|inner| inner.policies)
    }

    /// Names what is lost for good, for those who follow.
    fn say_loss(&self, state: &State) {
        // The end that somebody asked for is no loss.
        if matches!(state, State::Closed) {
            return;
        }
        if let Ok(held) = self.held()
            && let Some(error) = self.loss(&held, state)
        {
            tracing::warn!("{error}");
            self.observer.tell_loss(&error);
        }
    }

    async fn browser_died(self: &Arc<Self>, dead: &Browser, gone: Vec<TargetInfo>) {
        let policies = self.policies();
        if policies.on_browser_death != OnBrowserDeath::Relaunch || !self.is_launched() {
            return;
        }
        let Err(loss) = self.live() else { return };
        if !matches!(loss.code, Code::BrowserGone | Code::KeeperDied) {
            return;
        }
        let recent = self.with(|inner| {
            let relaunches = inner
                .done
                .iter()
                .filter(|done| done.text.starts_with(RELAUNCHED));
            relaunches
                .filter(|done| done.at.elapsed().is_ok_and(|ago| ago < WHILE))
                .count()
        });
        if recent >= RELAUNCHES {
            let text =
                format!("its browser died again, and is left so after {RELAUNCHES} relaunches");
            self.did("relaunch_loop", text, || json!({}));
            return;
        }
        match self.relaunch(dead, gone).await {
            Ok(None) => {}
            Ok(Some(relaunched)) => {
                let text = format!(
                    "{RELAUNCHED} after \"{}\"; {} tabs are open again; lost: {}",
                    loss.message,
                    relaunched.tabs.len(),
                    relaunched.lost.join(", ")
                );
                self.did(
                    "relaunched",
                    text,
                    || json!({"tabs": relaunched.tabs, "lost": relaunched.lost}),
                );
            }
            Err(error) => {
                let text = format!("its browser could not be launched again: {error}");
                self.did("relaunch_failed", text, || json!({"error": error}));
            }
        }
    }

    /// Says what was done by a policy, everywhere.
    fn did(&self, what: &str, text: String, fields: impl FnOnce() -> serde_json::Value) {
        tracing::info!("session \"{}\": {text}", self.name());
        self.observer.tell_policy(what, &text, fields);
        self.with(|inner| {
            if inner.done.len() >= REMEMBERED {
                inner.done.pop_front();
            }
            inner.done.push_back(Done {
                at: SystemTime::now(),
                text,
            });
        });
    }

    /// What was done by policies, for status.
    pub(super) fn what_was_done(&self) -> Vec<String> {
        let line = |done: &Done| {
            let ago = done.at.elapsed().unwrap_or_default().as_secs();
            format!("{ago} s ago: {}", done.text)
        };
        self.with(|inner| inner.done.iter().map(line).collect())
    }
}

const RELAUNCHED: &str = "its browser was launched again";

/// Only what we launched can be launched again.
pub(super) fn not_ours_to_relaunch() -> ApiError {
    ApiError::new(
        Code::Invalid,
        "only a browser that keeptab launched can be launched again",
    )
    .hint("keeptab open --on-browser-death relaunch URL")
}
