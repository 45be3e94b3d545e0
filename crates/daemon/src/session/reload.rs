//! Loading a tab's page again: the way out of a crash, and of a dialog that nobody can answer.

use keeptab_browser::{CallOptions, Tab};
use keeptab_link::Condition;
use keeptab_protocol::page;
use tokio::time::Instant;

use super::connect::{deadline, remaining};
use super::entry::Session;
use super::errors::from_call;
use super::tabs::short;
use crate::api::{TabLine, TabRequest};
use crate::error::{ApiError, Code};

impl Session {
    /// `tab reload`.
    ///
    /// # Errors
    /// No tab fits, it does not answer, or it does not begin to load in time.
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
                let info = tab.info().ok_or_else(|| {
                    ApiError::new(Code::TabGone, format!("tab {} was closed", short(&id)))
                })?;
                (tab, info)
            }
        };
        if matches!(info.condition, Condition::Hung { .. }) {
            // A page that loops for ever takes a reload and never does it.
            return Err(ApiError::new(
                Code::TabHung,
                format!(
                    "the page does not answer, and so cannot be loaded again: {}",
                    info.url
                ),
            ));
        }
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

/// Returns when the browser has begun to load it.
///
/// # Errors
/// The tab is gone or the browser says no.
pub(super) async fn reload(tab: &Tab, until: Instant) -> Result<(), ApiError> {
    let options = CallOptions::new().timeout(remaining(until));
    tab.call_with(&page::Reload::default(), options)
        .await
        .map_err(|error| from_call(&error))?;
    Ok(())
}
