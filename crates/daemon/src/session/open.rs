//! New tabs, and everything a session does with its browser as a whole.

use std::sync::Arc;

use keeptab_browser::{CallOptions, End, Kind, Tab};
use keeptab_protocol::{page, runtime, target};
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, timeout_at};

use super::connect::{deadline, remaining};
use super::entry::{Held, Hold, Inner, Session};
use super::errors::from_call;
use super::guard::not_ours_to_relaunch;
use crate::api::{
    AttachRequest, CloseRequest, Closed, OnBrowserDeath, OpenRequest, Opened, SessionStatus,
    TabLine, TabRequest,
};
use crate::error::{ApiError, Code};
use crate::handover::{ActiveTab, Place};
use crate::observe::session_closed;
use crate::policy;

const BLANK: &str = "about:blank";

impl Session {
    /// `open`: a browser if there is none yet, and a tab in it.
    ///
    /// # Errors
    /// No browser starts, the one there was has ended, or the page cannot be reached.
    pub(crate) async fn open(self: &Arc<Self>, request: OpenRequest) -> Result<Opened, ApiError> {
        let url = request
            .url
            .as_deref()
            .map_or(Ok(BLANK.to_owned()), policy::address)?;
        let until = deadline(request.timeout_ms);
        let mut turn = self.my_turn(until).await?;
        let created = self.with(|inner| matches!(inner.hold, Hold::Nothing));
        let mut found = false;
        if created {
            self.observer
                .set_recording(request.record.unwrap_or_default());
            (found, turn) = self.launch_to_the_end(turn, &request, until).await?;
        }
        self.choose_policies(request.policies)?;
        let held = self.live()?;
        held.learn_product().await;
        drop(turn);
        // A new browser comes with a blank tab; a second one would only be in the way. What the tabs of one
        // that was there already show is not ours to replace.
        let first = if created && !found {
            self.own_tabs(&held).await.0.into_iter().next()
        } else {
            None
        };
        let first = first.map(|tab| held.browser.tab(tab.id.as_str()));
        let mut opened = self.open_tab(&held, first, &url, created, until).await?;
        if found {
            opened.notes.push(
                "its browser was still running, without a session; its tabs are there: keeptab tab"
                    .to_owned(),
            );
        }
        Ok(opened)
    }

    /// Launches the browser also when the caller goes away meanwhile: one that has been started must be somebody's.
    async fn launch_to_the_end(
        self: &Arc<Self>,
        turn: OwnedMutexGuard<()>,
        request: &OpenRequest,
        until: Instant,
    ) -> Result<(bool, OwnedMutexGuard<()>), ApiError> {
        let session = Arc::clone(self);
        let (headful, program) = (request.headful, request.program.clone());
        let launching = tokio::spawn(async move {
            match session.launch(headful, program.as_deref(), until).await {
                Ok(found) => Ok((found, turn)),
                Err(error) => {
                    drop(turn);
                    // Where the caller waits no more, nobody else does it.
                    if let Ok(daemon) = session.daemon() {
                        daemon.forget_if_unused(&session);
                    }
                    Err(error)
                }
            }
        });
        launching.await.map_err(|error| {
            let what = format!("starting the browser was given up: {error}");
            ApiError::new(Code::Internal, what)
        })?
    }

    /// `tab new`: a tab in the browser that is there.
    ///
    /// # Errors
    /// There is none, or the page cannot be reached.
    pub(crate) async fn new_tab(self: &Arc<Self>, request: TabRequest) -> Result<Opened, ApiError> {
        let url = request
            .query
            .as_deref()
            .map_or(Ok(BLANK.to_owned()), policy::address)?;
        let until = deadline(request.timeout_ms);
        drop(self.my_turn(until).await?);
        let held = self.live()?;
        self.open_tab(&held, None, &url, false, until).await
    }

    async fn open_tab(
        &self,
        held: &Held,
        blank: Option<Tab>,
        url: &str,
        created: bool,
        until: Instant,
    ) -> Result<Opened, ApiError> {
        let reused = blank.is_some();
        let tab = match blank {
            Some(tab) => tab,
            None => {
                let made = timeout_at(until, held.browser.new_tab(BLANK)).await;
                made.map_err(|_| too_late("the tab"))?
                    .map_err(|error| from_call(&error))?
            }
        };
        self.claim(tab.target_id().as_str())?;
        // Before it goes anywhere, so that nothing of the page is missed.
        // A tab that hangs is recorded as soon as it answers.
        drop(self.observer.watch_soon(&tab).await);
        let mut notes = Vec::new();
        if url != BLANK
            && let Err(error) = go(&tab, url, until, &mut notes).await
        {
            // Nobody asked for a tab with an error page. The reason is worth more than a failure to
            // close it.
            if !reused {
                drop(tab.close().await);
                self.with(|inner| inner.claimed.remove(tab.target_id().as_str()));
            }
            return Err(error);
        }
        let tab = self.look_at(&tab, url).await;
        self.activate(ActiveTab {
            id: tab.id.clone(),
            url: tab.url.clone(),
            title: tab.title.clone(),
        })?;
        Ok(Opened {
            session: self.name().to_owned(),
            created,
            tab,
            notes,
        })
    }

    /// The tab as the browser describes it at this moment.
    async fn look_at(&self, tab: &Tab, url: &str) -> TabLine {
        let id = tab.target_id().as_str();
        let query = target::GetTargetInfo {
            target_id: Some(id.to_owned().into()),
        };
        match tab.session().call(&query).await {
            Ok(found) => TabLine {
                id: id.to_owned(),
                url: found.target_info.url.to_string(),
                title: found.target_info.title.to_string(),
                active: true,
                state: "ok".to_owned(),
            },
            Err(_) => TabLine {
                id: id.to_owned(),
                url: url.to_owned(),
                title: String::new(),
                active: true,
                state: "ok".to_owned(),
            },
        }
    }

    /// `attach`: a session on a browser that runs already.
    ///
    /// # Errors
    /// The session has a browser, or none is found, or it refuses.
    pub(crate) async fn attach(&self, request: AttachRequest) -> Result<SessionStatus, ApiError> {
        let until = deadline(request.timeout_ms);
        let _turn = self.my_turn(until).await?;
        if self.with(|inner| !matches!(inner.hold, Hold::Nothing)) {
            return Err(ApiError::new(
                Code::Failed,
                format!("session \"{}\" has a browser already", self.name()),
            )
            .hint("keeptab close, or take another name: keeptab --session NAME attach"));
        }
        self.observer
            .set_recording(request.record.unwrap_or_default());
        if request.policies.on_browser_death == Some(OnBrowserDeath::Relaunch) {
            return Err(not_ours_to_relaunch());
        }
        self.attach_to(&request, until).await?;
        self.choose_policies(request.policies)?;
        let held = self.live()?;
        held.learn_product().await;
        let picked = match &request.target {
            Some(wanted) => self.find_tab(&held, wanted).await.map(Some),
            // With one tab only, there is no doubt which is meant.
            None => Ok(match self.own_tabs(&held).await.0.as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            }),
        };
        match picked {
            Ok(Some(tab)) => self.activate(tab.as_active())?,
            Ok(None) => {}
            Err(error) => {
                // Attached to the wrong thing is not attached.
                self.detach().await;
                return Err(error);
            }
        }
        Ok(self.status().await)
    }

    /// Lets go of an attached browser, which goes on. The caller has the turn.
    pub(super) async fn detach(&self) {
        let old = self.take_hold();
        if let Hold::Held(held) = old {
            held.browser.close(End::Detach).await;
        }
        self.with(Inner::forget_tabs);
        self.save();
    }

    /// `close`: the end of the session, and of its browser if that is ours.
    ///
    /// # Errors
    /// The daemon is ending, or the profile could not be thrown away.
    pub(crate) async fn close(
        self: &Arc<Self>,
        request: &CloseRequest,
    ) -> Result<Closed, ApiError> {
        let _turn = self.my_turn(deadline(None)).await?;
        let daemon = self.daemon()?;
        let hold = self.take_hold();
        let (place, profile, mut said) = match hold {
            Hold::Nothing => (None, None, "it had no browser".to_owned()),
            Hold::Held(held) => {
                let said = if held.profile.is_some() {
                    "its browser has ended"
                } else {
                    self.how_it_goes_on(&held).await
                };
                // A keeper ends its browser itself, when it is told to end.
                let by_pipe = held.place == Place::Pipe;
                held.browser
                    .close(if by_pipe { End::Browser } else { End::Detach })
                    .await;
                (Some(held.place), held.profile, said.to_owned())
            }
            Hold::Missing(missing) => {
                let said = "its browser was not there any more".to_owned();
                (Some(missing.place), missing.profile, said)
            }
        };
        if let (Some(Place::Keeper(_)), Some(_)) = (&place, &profile) {
            super::ending::end_keeper(&daemon, &self.keeper_name()).await?;
        }
        self.observer.forget().await;
        daemon.forget(self);
        session_closed(&self.observer);
        match profile {
            Some(dir) if request.discard => {
                let removed = tokio::fs::remove_dir_all(&dir).await;
                removed.or_else(ignore_missing).map_err(|error| {
                    ApiError::new(
                        Code::Machine,
                        format!(
                            "the session is closed, but {} is still there: {error}",
                            dir.display()
                        ),
                    )
                })?;
                said.push_str(", its profile is thrown away");
            }
            Some(_) if self.keeper_name() != self.name() => {
                said.push_str(&format!(
                    ", its profile is kept for the next session \"{}\"",
                    self.keeper_name()
                ));
            }
            Some(_) => said.push_str(", its profile is kept for the next session of this name"),
            None => {}
        }
        tracing::info!("session \"{}\": closed; {said}", self.name());
        Ok(Closed {
            session: self.name().to_owned(),
            browser: said,
        })
    }
}

fn ignore_missing(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}

fn too_late(what: &str) -> ApiError {
    ApiError::new(Code::Deadline, format!("{what} was not there in time"))
}

/// Goes there and waits until the page can be read. A page that goes on loading is a note only: it
/// was reached.
async fn go(tab: &Tab, url: &str, until: Instant, notes: &mut Vec<String>) -> Result<(), ApiError> {
    let options = CallOptions::new().timeout(remaining(until));
    let done = tab.call_with(&page::Navigate::new(url), options).await;
    let done = done.map_err(|error| from_call(&error))?;
    if let Some(reason) = done.error_text.filter(|reason| !reason.is_empty()) {
        return Err(
            ApiError::new(Code::Failed, format!("{url} was not reached: {reason}"))
                .hint("check the address, then: keeptab open URL"),
        );
    }
    // Without a loader the document stayed: a jump inside the page.
    if done.loader_id.is_none() {
        return Ok(());
    }
    if !can_be_read(tab, until).await {
        notes.push("the page is still loading".to_owned());
    }
    Ok(())
}

/// Waits until the document has been parsed. Asked of the document itself: the event for it may have
/// come before the tab's events were switched on.
async fn can_be_read(tab: &Tab, until: Instant) -> bool {
    let mut question = runtime::Evaluate::new(PARSED);
    question.await_promise = Some(true);
    let options = CallOptions::new().timeout(remaining(until));
    match tab.call_with(&question, options).await {
        Ok(_) => true,
        // The page moved on by itself, which it can only do once it runs.
        Err(error) => error.kind() == Kind::Protocol,
    }
}

/// Resolves when the document has been parsed.
const PARSED: &str = "new Promise(done => document.readyState === 'loading' \
    ? document.addEventListener('DOMContentLoaded', () => done(true), {once: true}) : done(true))";
