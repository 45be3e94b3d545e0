//! Loading a tab's page again: the way out of a crash, of an endless loop, and of a dialog that nobody can answer.

use std::time::Duration;

use keeptab_browser::{CallOptions, EventFilter, Events, Notice, Tab};
use keeptab_link::Condition;
use keeptab_protocol::network::{LoadingFailed, ResourceType};
use keeptab_protocol::page::{Frame, FrameNavigated, GetFrameTree};
use keeptab_protocol::runtime::TerminateExecution;
use keeptab_protocol::{Event, page};
use serde_json::json;
use tokio::time::{Instant, timeout, timeout_at};

use super::connect::{deadline, remaining};
use super::entry::Session;
use super::errors::from_call;
use super::losses::{of_tab, place};
use super::tabs::short;
use crate::api::{TabLine, TabRequest};
use crate::error::{ApiError, Code};

/// How long a page may take to say which document it shows, and how often it is asked.
const SILENCE: Duration = Duration::from_secs(1);
/// How long ending a loop may take.
const INTERRUPTION: Duration = Duration::from_secs(2);

/// Documents that may come, of frames as well, while nobody looks.
const QUEUE: usize = 256;

impl Session {
    /// `tab reload`.
    ///
    /// # Errors
    /// No tab fits, it does not answer, or its new document does not come in time.
    pub(crate) async fn reload_tab(&self, request: &TabRequest) -> Result<TabLine, ApiError> {
        let until = deadline(request.timeout_ms);
        drop(self.my_turn(until).await?);
        let held = self.live()?;
        self.wait_until_usable(&held, until).await?;
        let (tab, info) = match &request.query {
            None => self.active_target(&held)?,
            Some(query) => {
                let id = self.find_tab(&held, query).await?.id;
                let tab = held.browser.tab(id.as_str());
                let info = tab.info().ok_or_else(|| closed(&tab))?;
                (tab, info)
            }
        };
        reload(&tab, until).await?;
        let active = self.active_id();
        Ok(TabLine {
            id: info.id.as_str().to_owned(),
            url: info.url.to_string(),
            title: info.title.to_string(),
            active: active.as_deref() == Some(info.id.as_str()),
            state: "ok".to_owned(),
        })
    }
}

/// Returns when the page shows its new document. That the browser takes the command means nothing: a page
/// that loops for ever never does it, and one that is not reached ends as a page of Chromium's own.
///
/// # Errors
/// The tab is gone, the browser says no, a dialog asks first, the page is not reached, or no new document
/// comes in time.
pub(super) async fn reload(tab: &Tab, until: Instant) -> Result<(), ApiError> {
    let asked = match tab.info().map(|info| info.condition) {
        Some(Condition::Fine | Condition::Hung { .. }) => true,
        // It cannot answer, and loading it again is what ends that.
        _ => false,
    };
    let before = if asked {
        document(tab, until).await
    } else {
        None
    };
    if asked && before.is_none() {
        interrupt(tab, until).await;
    }
    // That a load failed is heard where the network is recorded.
    let wanted = EventFilter::of::<FrameNavigated>().and_method(LoadingFailed::METHOD);
    let mut documents = tab.events(wanted, QUEUE);
    let mut failed = None;
    let began = Instant::now();
    let options = CallOptions::new().timeout(remaining(until));
    tab.call_with(&page::Reload::default(), options)
        .await
        .map_err(|error| from_call(&error))?;
    let mut answers = false;
    loop {
        let pause = until.min(Instant::now() + SILENCE);
        if let Ok(outcome) = timeout_at(pause, shown(&mut documents, tab, &mut failed)).await {
            return outcome;
        }
        if Instant::now() >= until {
            return Err(not_loaded(tab, answers));
        }
        let now = document(tab, until).await;
        answers = now.is_some();
        let Some(now) = now else { continue };
        let is_new = match &before {
            // Its event may have been lost with a connection.
            Some(before) => now.loader_id != before.loader_id,
            // One that could say nothing before, a dialog kept it, is known by its age.
            None => is_younger(tab, began).await,
        };
        if is_new {
            return reached(&now, failed.as_deref());
        }
    }
}

/// Ends a loop, if this connection knew the page before it began. Once a navigation is under way, Chromium
/// lets nothing through to the page.
async fn interrupt(tab: &Tab, until: Instant) {
    let options = CallOptions::new().timeout(INTERRUPTION.min(remaining(until)));
    let end = TerminateExecution::default();
    if let Err(error) = tab.call_with(&end, options).await {
        tracing::debug!("a silent page was not interrupted: {error}");
    }
}

/// Waits for a new document of the tab itself, or for what stands in its way. Notes why a load failed.
async fn shown(
    documents: &mut Events,
    tab: &Tab,
    failed: &mut Option<String>,
) -> Result<(), ApiError> {
    loop {
        match tab.info() {
            None => return Err(closed(tab)),
            Some(info) if asks_first(&info.condition) => {
                return Err(of_tab(&info).unwrap_or_else(|| closed(tab)));
            }
            Some(_) => {}
        }
        match documents.next().await {
            Some(Notice::Event(event)) if &*event.method == FrameNavigated::METHOD => {
                if let Ok(new) = event.params.parse::<FrameNavigated>()
                    && new.frame.parent_id.is_none()
                {
                    return reached(&new.frame, failed.as_deref());
                }
            }
            Some(Notice::Event(event)) if &*event.method == LoadingFailed::METHOD => {
                if let Ok(load) = event.params.parse::<LoadingFailed>()
                    && load.type_ == ResourceType::DOCUMENT
                {
                    *failed = Some(load.error_text);
                }
            }
            Some(_) => {}
            None => {
                return Err(ApiError::new(
                    Code::Disconnected,
                    "the session was closed while the page was loaded again",
                ));
            }
        }
    }
}

/// A page that would like to be asked before it goes.
fn asks_first(condition: &Condition) -> bool {
    matches!(condition, Condition::Dialog(dialog) if dialog.answerable)
}

/// In the place of a page that it could not load, Chromium shows one of its own.
fn reached(document: &Frame, failed: Option<&str>) -> Result<(), ApiError> {
    let Some(url) = &document.unreachable_url else {
        return Ok(());
    };
    let why = failed.unwrap_or("the browser shows its error page");
    Err(
        ApiError::new(Code::Failed, format!("{url} was not reached: {why}"))
            .hint("see that its server is there, then again: keeptab tab reload")
            .details(json!({"kind": "navigation_failed", "net_error": failed})),
    )
}

/// Which document the page shows; nothing when it does not say.
async fn document(tab: &Tab, until: Instant) -> Option<Frame> {
    let options = CallOptions::new().timeout(SILENCE.min(remaining(until)));
    let tree = tab
        .call_with(&GetFrameTree::default(), options)
        .await
        .ok()?;
    Some(tree.frame_tree.frame)
}

/// Whether the document of the tab was begun after this moment. Asked for an age, because the clocks of two
/// machines may differ.
async fn is_younger(tab: &Tab, than: Instant) -> bool {
    match timeout(SILENCE, tab.evaluate::<f64>("performance.now()")).await {
        Ok(Ok(age)) => age < than.elapsed().as_secs_f64() * 1e3,
        _ => false,
    }
}

fn not_loaded(tab: &Tab, answers: bool) -> ApiError {
    let page = tab.info().map(|info| place(&info)).unwrap_or_default();
    if answers {
        let message = format!("the page was not loaded again in time, and goes on trying: {page}");
        return ApiError::new(Code::Deadline, message)
            .hint("look whether it came: keeptab tab; or give it longer: --timeout 120s");
    }
    let message = format!("the page does not answer, and was not loaded again: {page}");
    ApiError::new(Code::TabHung, message).hint("give the tab up: keeptab tab close")
}

fn closed(tab: &Tab) -> ApiError {
    let id = short(tab.target_id().as_str());
    ApiError::new(Code::TabGone, format!("tab {id} was closed"))
}
