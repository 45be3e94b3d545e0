//! The tabs of a session: listing, picking, closing, and whose they are.

use std::collections::HashMap;
use std::time::Duration;

use keeptab_browser::{State, TargetInfo};
use keeptab_protocol::target::GetTargets;
use tokio::time::timeout;

use super::connect::deadline;
use super::entry::{Held, Session};
use crate::api::{TabLine, TabRequest, Tabs};
use crate::error::{ApiError, Code};
use crate::handover::ActiveTab;

/// What several fitting tabs are shown with, at most so many.
const SHOWN: usize = 5;

/// How long the browser may take to describe its tabs before what is known has to do.
const DESCRIBE_PATIENCE: Duration = Duration::from_secs(2);

/// A tab as the browser describes it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) title: String,
    opener: Option<String>,
    /// `ok`, or what is wrong with it.
    state: String,
}

impl Seen {
    fn of(info: &TargetInfo) -> Self {
        Seen {
            id: info.id.as_str().to_owned(),
            url: info.url.to_string(),
            title: info.title.to_string(),
            opener: info
                .opener
                .as_ref()
                .map(|opener| opener.as_str().to_owned()),
            state: match info.condition.name() {
                "fine" => "ok".to_owned(),
                other => other.to_owned(),
            },
        }
    }

    pub(super) fn as_active(&self) -> ActiveTab {
        ActiveTab {
            id: self.id.clone(),
            url: self.url.clone(),
            title: self.title.clone(),
        }
    }

    fn line(&self, active: bool) -> TabLine {
        TabLine {
            id: self.id.clone(),
            url: self.url.clone(),
            title: self.title.clone(),
            active,
            state: self.state.clone(),
        }
    }
}

/// All tabs of a browser. Asked anew, because titles change without an event.
async fn look(held: &Held) -> Vec<Seen> {
    let known: Vec<Seen> = held.browser.tabs().iter().map(Seen::of).collect();
    if !matches!(*held.browser.state().borrow(), State::Connected { .. }) {
        return known;
    }
    let asked = GetTargets::default();
    let Ok(Ok(found)) = timeout(DESCRIBE_PATIENCE, held.browser.call(&asked)).await else {
        return known;
    };
    let mut states: HashMap<String, String> =
        known.into_iter().map(|tab| (tab.id, tab.state)).collect();
    found
        .target_infos
        .into_iter()
        .filter(|info| info.type_ == "page")
        .map(|info| Seen {
            state: states
                .remove(&info.target_id.to_string())
                .unwrap_or_else(|| "ok".to_owned()),
            id: info.target_id.to_string(),
            url: info.url.to_string(),
            title: info.title.to_string(),
            opener: info.opener_id.map(|opener| opener.to_string()),
        })
        .collect()
}

impl Session {
    /// The session's tabs, and how many of the same browser belong to other sessions.
    pub(super) async fn own_tabs(&self, held: &Held) -> (Vec<Seen>, usize) {
        let all = look(held).await;
        self.adopt_popups(&all);
        let Ok(daemon) = self.daemon() else {
            return (Vec::new(), 0);
        };
        let known = all.len();
        let own: Vec<Seen> = all
            .into_iter()
            .filter(|tab| daemon.owner_of(&tab.id, self.name()).is_none())
            .collect();
        let elsewhere = known - own.len();
        let own = own
            .into_iter()
            .filter(|tab| !tab.url.starts_with("devtools://"))
            .collect();
        (own, elsewhere)
    }

    /// A tab that was opened by a tab of ours is ours.
    fn adopt_popups(&self, all: &[Seen]) {
        self.with(|inner| {
            // A popup may have opened one itself; the list is in no order that would help.
            loop {
                let found = all.iter().find(|tab| {
                    let opened_by_us = tab
                        .opener
                        .as_ref()
                        .is_some_and(|opener| inner.claimed.contains(opener));
                    opened_by_us && !inner.claimed.contains(&tab.id)
                });
                match found {
                    Some(popup) => inner.claimed.insert(popup.id.clone()),
                    None => return,
                };
            }
        });
    }

    /// After a snippet: popups that it opened are ours from now on, whatever becomes of their opener.
    pub(super) fn adopt_known_popups(&self) {
        if let Some(all) = self.known_tabs() {
            self.adopt_popups(&all);
        }
    }

    /// Makes a tab belong to this session.
    ///
    /// # Errors
    /// It belongs to another one.
    pub(super) fn claim(&self, target: &str) -> Result<(), ApiError> {
        if let Some(owner) = self.daemon()?.owner_of(target, self.name()) {
            return Err(ApiError::new(
                Code::NoSuchTab,
                format!("tab {} belongs to session \"{owner}\"", short(target)),
            )
            .hint(format!("keeptab --session {owner} tab")));
        }
        if self.with(|inner| inner.claimed.insert(target.to_owned())) {
            self.observer.tab_claimed();
        }
        Ok(())
    }

    /// Makes a tab the one that commands go to.
    ///
    /// # Errors
    /// It belongs to another session.
    pub(super) fn activate(&self, tab: ActiveTab) -> Result<(), ApiError> {
        self.claim(&tab.id)?;
        self.with(|inner| inner.active = Some(tab));
        self.save();
        Ok(())
    }

    /// The active tab as it is among the session's tabs, or as it was last known with the state
    /// `closed` (`unknown` while nobody can be asked).
    pub(super) fn active_line(&self, tabs: Option<&[Seen]>) -> Option<TabLine> {
        self.with(|inner| {
            let active = inner.active.as_mut()?;
            if let Some(seen) = tabs.and_then(|tabs| tabs.iter().find(|tab| tab.id == active.id)) {
                *active = seen.as_active();
                return Some(seen.line(true));
            }
            Some(TabLine {
                id: active.id.clone(),
                url: active.url.clone(),
                title: active.title.clone(),
                active: true,
                state: if tabs.is_some() { "closed" } else { "unknown" }.to_owned(),
            })
        })
    }

    /// The tabs that are known without asking the browser.
    pub(super) fn known_tabs(&self) -> Option<Vec<Seen>> {
        let held = self.held().ok()?;
        Some(held.browser.tabs().iter().map(Seen::of).collect())
    }

    /// The error for a tab that is gone, by the name that people know it by.
    pub(super) fn tab_gone(&self, tab: &TabLine) -> ApiError {
        ApiError::new(
            Code::TabGone,
            format!(
                "the active tab was closed: {} ({}) [{}]",
                tab.url,
                tab.title,
                short(&tab.id)
            ),
        )
    }

    /// `GET …/tabs`
    ///
    /// # Errors
    /// The session has no browser.
    pub(crate) async fn list_tabs(&self) -> Result<Tabs, ApiError> {
        drop(self.my_turn(deadline(None)).await?);
        let held = self.live()?;
        let (own, elsewhere) = self.own_tabs(&held).await;
        let active = self.active_id();
        let tabs = own
            .iter()
            .map(|tab| tab.line(active.as_deref() == Some(tab.id.as_str())))
            .collect();
        Ok(Tabs {
            session: self.name().to_owned(),
            tabs,
            elsewhere,
        })
    }

    /// Makes another tab active.
    ///
    /// # Errors
    /// No tab fits, or several do.
    pub(crate) async fn switch_tab(&self, request: &TabRequest) -> Result<TabLine, ApiError> {
        drop(self.my_turn(deadline(request.timeout_ms)).await?);
        let held = self.live()?;
        let query = request.query.as_deref().unwrap_or_default();
        let found = self.find_tab(&held, query).await?;
        self.activate(found.as_active())?;
        Ok(found.line(true))
    }

    /// Closes a tab; the active one without a query. No other tab becomes active by that.
    ///
    /// # Errors
    /// No tab fits, several do, the browser says no, or the page objects.
    pub(crate) async fn close_tab(&self, request: &TabRequest) -> Result<TabLine, ApiError> {
        let until = deadline(request.timeout_ms);
        drop(self.my_turn(until).await?);
        let held = self.live()?;
        let tab = match &request.query {
            Some(query) => self.find_tab(&held, query).await?.line(false),
            None => match self.active_line(Some(&self.own_tabs(&held).await.0)) {
                None => return Err(no_active_tab(self.name())),
                Some(tab) if tab.state == "closed" => return Err(self.tab_gone(&tab)),
                Some(tab) => tab,
            },
        };
        self.end_tab(&held, &tab, until).await?;
        self.with(|inner| {
            inner.claimed.remove(&tab.id);
            inner.active.take_if(|active| active.id == tab.id);
        });
        self.save();
        Ok(tab)
    }

    /// The one tab of ours that fits: by its id, the beginning of its id, or a part of its address or
    /// title.
    ///
    /// # Errors
    /// None fits, or several do; they are named.
    pub(super) async fn find_tab(&self, held: &Held, query: &str) -> Result<Seen, ApiError> {
        let query = query.strip_prefix("target:").unwrap_or(query);
        let (own, _) = self.own_tabs(held).await;
        let lower = query.to_lowercase();
        let by_id = |tab: &&Seen| tab.id.to_lowercase().starts_with(&lower);
        let by_text = |tab: &&Seen| {
            tab.url.to_lowercase().contains(&lower) || tab.title.to_lowercase().contains(&lower)
        };
        let mut fitting: Vec<&Seen> = own.iter().filter(by_id).collect();
        if fitting.is_empty() {
            fitting = own.iter().filter(by_text).collect();
        }
        match fitting.as_slice() {
            [only] if !query.is_empty() => Ok((*only).clone()),
            [] => {
                if let Some(error) = self.gone_with_its_browser(query) {
                    return Err(error);
                }
                if let Some(owner) = self.daemon()?.owner_of(query, self.name()) {
                    return Err(ApiError::new(
                        Code::NoSuchTab,
                        format!("tab {} belongs to session \"{owner}\"", short(query)),
                    ));
                }
                Err(ApiError::new(
                    Code::NoSuchTab,
                    format!("no tab fits \"{query}\""),
                ))
            }
            several => {
                let shown: Vec<String> = several
                    .iter()
                    .take(SHOWN)
                    .map(|tab| format!("[{}] {}", short(&tab.id), tab.url))
                    .collect();
                let more = several.len().saturating_sub(SHOWN);
                let more = if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                };
                Err(ApiError::new(
                    Code::Ambiguous,
                    format!("\"{query}\" fits several tabs: {}{more}", shown.join(", ")),
                )
                .hint(format!("keeptab tab switch {}", short(&several[0].id))))
            }
        }
    }
}

pub(super) fn no_active_tab(session: &str) -> ApiError {
    ApiError::new(
        Code::NoSuchTab,
        format!("session \"{session}\" has no active tab"),
    )
}

/// The beginning of an id, long enough to tell it from others.
pub(super) fn short(target: &str) -> &str {
    target.get(..8).unwrap_or(target)
}
