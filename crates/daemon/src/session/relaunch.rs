//! The browser again: with the same profile, the tabs' addresses, and what was set on both.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use keeptab_browser::{
    CallOptions, Config, End, LaunchOptions, Options, Session as Browser, TargetId, TargetInfo,
};
use keeptab_link::AttachPolicy;
use keeptab_protocol::page;
use keeptab_protocol::target::GetTargets;
use serde::Serialize;
use tokio::time::Instant;

use super::connect::{connect, remaining};
use super::entry::{Held, Hold, Session};
use super::errors::{from_call, from_connect};
use super::tabs::short;
use crate::error::{ApiError, Code};
use crate::handover::{ActiveTab, Place};

const BLANK: &str = "about:blank";

/// How long it may take altogether.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the answer to one navigation may take; loading goes on after that.
const GO_PATIENCE: Duration = Duration::from_secs(10);

/// How long the list of tabs may lag behind a navigation.
const LISTED_PATIENCE: Duration = Duration::from_secs(2);

/// How long the remains of a dead browser may keep its profile.
const LET_GO_PATIENCE: Duration = Duration::from_secs(15);

/// More tabs than this are not opened again.
const MAX_TABS: usize = 50;

/// A browser that was launched in the place of a dead one.
#[derive(Debug)]
pub(super) struct Relaunched {
    pub(super) tabs: Vec<Reopened>,
    pub(super) lost: Vec<String>,
}

/// A tab that is open again.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Reopened {
    old: String,
    new: String,
    url: String,
}

impl Session {
    /// The error for a tab that ended with a browser and was opened again, if it is one.
    pub(super) fn gone_with_its_browser(&self, target: &str) -> Option<ApiError> {
        let new = &self.with(|inner| inner.replaced.get(target).cloned())?;
        Some(
            ApiError::new(
                Code::TabGone,
                format!(
                    "tab {} ended with its browser; it was opened again as {}, where what was typed and \
                     what scripts held is lost",
                    short(target),
                    short(new)
                ),
            )
            .hint(format!("keeptab tab switch {}", short(new)))
            .details(serde_json::json!({"replaced_by": new})),
        )
    }

    /// Under which name the keeper of its browser was started.
    pub(super) fn keeper_name(&self) -> String {
        let keeper = self.with(|inner| inner.keeper.clone());
        keeper.unwrap_or_else(|| self.name().to_owned())
    }

    /// Launches the browser again. `None` when somebody else has changed the session meanwhile.
    ///
    /// # Errors
    /// It does not start, or its tabs cannot be opened.
    pub(super) async fn relaunch(
        self: &Arc<Self>,
        dead: &Browser,
        gone: Vec<TargetInfo>,
    ) -> Result<Option<Relaunched>, ApiError> {
        let until = Instant::now() + PATIENCE;
        let _turn = self.my_turn(until).await?;
        let daemon = self.daemon()?;
        let old = self.with(|inner| match &inner.hold {
            Hold::Held(held) if held.browser.state().borrow().is_final() => Some(held.clone()),
            _ => None,
        });
        let Some(old) = old else {
            return Ok(None);
        };
        let Some(profile) = old.profile.clone() else {
            return Ok(None);
        };
        if !matches!(old.place, Place::Keeper(_)) {
            return Err(ApiError::new(
                Code::LaunchFailed,
                "it had no keeper, without which nothing can be carried over",
            ));
        }
        let (tabs, more) = self.tabs_to_open(dead, gone);
        let snapshot = dead.snapshot();
        super::ending::end_keeper(&daemon, &self.keeper_name()).await?;
        let launched_as = self.with(|inner| inner.launched_as.clone());
        let mut launch = LaunchOptions::new()
            .profile_dir(&profile)
            .headless(!launched_as.headful)
            .start_timeout(remaining(until));
        launch.executable = launched_as.program.map(Into::into);
        // This connection only opens tabs; it attaches to none, so that it leaves nothing behind.
        let config = Config {
            attach: AttachPolicy::OnDemand,
            ..Config::default()
        };
        let owner = self.succession.owner() + 1;
        let options = Options::new().with_link(config).with_owner_epoch(owner);
        let name = self.keeper_name();
        let patience = until.min(Instant::now() + LET_GO_PATIENCE);
        let super::launch::Started { browser, place, .. } = loop {
            let started =
                super::launch::start(&daemon, &name, launch.clone(), options.clone(), until).await;
            match started {
                // What is left of the old browser holds the profile until its last process has ended.
                Err(error) if error.code == Code::LaunchFailed && Instant::now() < patience => {
                    tracing::debug!("session \"{}\": not launched yet: {error}", self.name());
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
                outcome => break outcome?,
            }
        };
        let opened = open_blank(&browser, &tabs).await;
        browser.close(End::Detach).await;
        let pairs = opened?;

        let options = self
            .options()
            .with_resume(snapshot.moved(&pairs), dead_for(dead));
        let browser = connect(&place, options, until)
            .await
            .map_err(|error| from_connect(&error))?;
        self.replace_ids(&pairs);
        dead.close(End::Detach).await;
        let held = Held::new(browser.clone(), place, Some(profile));
        self.hold(held.clone()).await;
        held.learn_product().await;
        let mut lost = vec![
            "what scripts held (the JavaScript heap)".to_owned(),
            "sessionStorage".to_owned(),
            "what was typed into forms".to_owned(),
            "the outcome of commands in flight".to_owned(),
        ];
        lost.extend(more);
        let mut reopened = Vec::new();
        for ((old, new), tab) in pairs.into_iter().zip(&tabs) {
            let url = tab.url.to_string();
            if let Err(error) = go(&browser, &new, &url).await {
                lost.push(format!("{url} (not loaded: {error})"));
            }
            reopened.push(Reopened { old, new, url });
        }
        Ok(Some(Relaunched {
            tabs: reopened,
            lost,
        }))
    }

    /// The session's tabs at the end of their browser, and those of them that cannot be opened again.
    fn tabs_to_open(
        &self,
        dead: &Browser,
        gone: Vec<TargetInfo>,
    ) -> (Vec<TargetInfo>, Vec<String>) {
        let mut lost = Vec::new();
        let mut tabs = dead.tabs();
        tabs.extend(gone);
        tabs.retain(|tab| {
            &*tab.kind == "page"
                && !tab.url.starts_with("devtools://")
                && !self.is_elsewhere(tab.id.as_str())
        });
        let contexts: HashSet<_> = tabs.iter().map(|tab| &tab.browser_context).collect();
        if contexts.len() > 1 {
            lost.push(
                "browser contexts with their cookies (their tabs are in the default one)"
                    .to_owned(),
            );
        }
        if tabs.len() > MAX_TABS {
            lost.push(format!(
                "{} tabs beyond the first {MAX_TABS}",
                tabs.len() - MAX_TABS
            ));
            tabs.truncate(MAX_TABS);
        }
        (tabs, lost)
    }

    fn replace_ids(&self, pairs: &[(String, String)]) {
        let new_of = |old: &str| pairs.iter().find(|(id, _)| id == old).map(|(_, new)| new);
        self.with(|inner| {
            // An id of two browsers ago leads to the newest one.
            for new in inner.replaced.values_mut() {
                if let Some(newer) = new_of(new) {
                    new.clone_from(newer);
                }
            }
            inner.replaced.extend(pairs.iter().cloned());
            inner.claimed = pairs.iter().map(|(_, new)| new.clone()).collect();
            inner.active = inner.active.take().and_then(|active| {
                let id = new_of(&active.id)?.clone();
                Some(ActiveTab { id, ..active })
            });
        });
    }
}

/// One blank tab for each, the one that a new browser has among them. Settings come before addresses.
async fn open_blank(
    browser: &Browser,
    tabs: &[TargetInfo],
) -> Result<Vec<(String, String)>, ApiError> {
    let there = browser.call(&GetTargets::default()).await;
    let there = there.map_err(|error| from_call(&error))?.target_infos;
    let mut blank: Vec<TargetId> = there
        .into_iter()
        .filter(|target| target.type_ == "page")
        .map(|target| TargetId::from(target.target_id.to_string()))
        .collect();
    let mut pairs = Vec::new();
    for tab in tabs {
        let new = match blank.pop() {
            Some(id) => id,
            None => {
                let made = browser.new_tab(BLANK).await;
                made.map_err(|error| from_call(&error))?.target_id().clone()
            }
        };
        pairs.push((tab.id.as_str().to_owned(), new.as_str().to_owned()));
    }
    Ok(pairs)
}

async fn go(browser: &Browser, target: &str, url: &str) -> Result<(), ApiError> {
    if url == BLANK || url.is_empty() {
        return Ok(());
    }
    let options = CallOptions::new().timeout(GO_PATIENCE);
    let done = browser
        .tab(target)
        .call_with(&page::Navigate::new(url), options)
        .await
        .map_err(|error| from_call(&error))?;
    match done.error_text.filter(|text| !text.is_empty()) {
        Some(text) => Err(ApiError::new(Code::Failed, text.to_string())),
        None => {
            listed(browser, target).await;
            Ok(())
        }
    }
}

/// Waits until the list of tabs shows an address for this one: the event that tells it may come after the
/// answer to the navigation, and whoever hears of the new browser asks for its tabs at once.
async fn listed(browser: &Browser, target: &str) {
    let until = Instant::now() + LISTED_PATIENCE;
    let blank = |tab: &TargetInfo| tab.id.as_str() == target && &*tab.url == BLANK;
    while browser.tabs().iter().any(blank) && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// How long nothing has been heard of a browser, at most.
fn dead_for(dead: &Browser) -> Duration {
    dead.status().health.last_byte.unwrap_or(PATIENCE)
}
