//! Closing one tab, to the end: the browser says yes before the page has been asked.

use std::time::Duration;

use keeptab_browser::{EventFilter, Tab};
use keeptab_link::Condition;
use tokio::time::{Instant, timeout_at};

use super::entry::{Held, Session};
use super::errors::from_call;
use super::tabs::short;
use crate::api::TabLine;
use crate::error::{ApiError, Code};

/// Notices that may wait; what matters is looked up at each of them.
const QUEUE: usize = 64;

/// A dialog that was open before goes with its tab, unless it is the very one that asks whether to leave.
const GOES_WITH_IT: Duration = Duration::from_secs(2);

impl Session {
    /// Returns when the tab is gone.
    ///
    /// # Errors
    /// The page asks whether it may be left, the browser says no, or time runs out.
    pub(super) async fn end_tab(
        &self,
        held: &Held,
        line: &TabLine,
        until: Instant,
    ) -> Result<(), ApiError> {
        let tab = held.browser.tab(line.id.as_str());
        let mut notices = held
            .browser
            .events(EventFilter::methods([] as [&str; 0]), QUEUE);
        let too_late = || {
            ApiError::new(
                Code::Deadline,
                format!(
                    "tab {} was told to close, and is still there",
                    short(&line.id)
                ),
            )
            .hint("keeptab tab")
        };
        let mut patience = Instant::now();
        if dialog(&tab).is_some() {
            patience += GOES_WITH_IT;
        }
        timeout_at(until, tab.close())
            .await
            .map_err(|_| too_late())?
            .map_err(|error| from_call(&error))?;
        loop {
            if tab.info().is_none() {
                return Ok(());
            }
            self.live()?;
            let patient = Instant::now() < patience;
            if let Some(kind) = dialog(&tab).filter(|_| !patient) {
                return Err(self.objects(line, &kind));
            }
            let waited = if patient { patience.min(until) } else { until };
            match timeout_at(waited, notices.next()).await {
                Ok(Some(_)) => {}
                Ok(None) => return self.live().map(drop),
                Err(_) if Instant::now() >= until => return Err(too_late()),
                // The old dialog has had its time.
                Err(_) => {}
            }
        }
    }

    fn objects(&self, line: &TabLine, kind: &str) -> ApiError {
        let active = self.active_id();
        let first = if active.as_deref() == Some(line.id.as_str()) {
            String::new()
        } else {
            format!("keeptab tab switch {}, then: ", short(&line.id))
        };
        ApiError::new(
            Code::DialogOpen,
            format!(
                "the tab is still open: its page asks before it is left ({kind} dialog): {} [{}]",
                line.url,
                short(&line.id)
            ),
        )
        .hint(format!(
            "{first}keeptab dialog accept (closes it), or: keeptab dialog dismiss (keeps it)"
        ))
    }
}

/// The kind of dialog that is open in a tab.
fn dialog(tab: &Tab) -> Option<String> {
    match tab.info()?.condition {
        Condition::Dialog(dialog) => Some(dialog.kind.to_string()),
        _ => None,
    }
}
