//! The JavaScript dialog that blocks the active tab, and answering it.

use keeptab_browser::{CallOptions, State, Tab, TargetInfo};
use keeptab_link::{Condition, Dialog};
use keeptab_protocol::page::HandleJavaScriptDialog;
use tokio::time::{Instant, timeout_at};

use super::connect::{deadline, remaining};
use super::entry::{Held, Session};
use super::errors::from_call;
use super::tabs::{no_active_tab, short};
use crate::api::{DialogAnswer, DialogAnswered, OpenDialog, TabLine};
use crate::error::{ApiError, Code};

impl Session {
    /// `dialog`: the one that is open in the active tab.
    ///
    /// # Errors
    /// There is none, or no active tab, or no connection.
    pub(crate) async fn dialog(&self) -> Result<OpenDialog, ApiError> {
        let (_, _, shown) = self.open_dialog(deadline(None)).await?;
        Ok(shown)
    }

    /// `dialog accept` and `dialog dismiss`.
    ///
    /// # Errors
    /// There is none, or it was left by a lost connection and no connection can answer it any more.
    pub(crate) async fn answer_dialog(
        &self,
        answer: DialogAnswer,
    ) -> Result<DialogAnswered, ApiError> {
        let until = deadline(answer.timeout_ms);
        let (tab, dialog, shown) = self.open_dialog(until).await?;
        let (tab, by) = if dialog.answerable {
            (tab, None)
        } else {
            let id = tab.target_id().as_str();
            let (tab, by) = self.who_can_answer(id).ok_or_else(|| lost(&shown))?;
            (tab, Some(by))
        };
        let mut command = HandleJavaScriptDialog::new(answer.accept);
        // Without a text Chromium answers with nothing, where a person's OK would take the proposal.
        let proposal =
            (answer.accept && &*dialog.kind == "prompt").then(|| shown.default_prompt.clone());
        command.prompt_text = answer.text.or(proposal);
        let options = CallOptions::new().timeout(remaining(until));
        tab.call_with(&command, options)
            .await
            .map_err(|error| from_call(&error))?;
        Ok(DialogAnswered {
            session: self.name().to_owned(),
            accepted: answer.accept,
            dialog: shown,
            by,
        })
    }

    async fn open_dialog(&self, until: Instant) -> Result<(Tab, Dialog, OpenDialog), ApiError> {
        drop(self.my_turn(until).await?);
        let held = self.live()?;
        self.wait_until_usable(&held, until).await?;
        let (tab, info) = self.active_target(&held)?;
        let Condition::Dialog(dialog) = &info.condition else {
            return Err(ApiError::new(
                Code::NotFound,
                format!(
                    "no dialog is open in {} [{}]",
                    info.url,
                    short(info.id.as_str())
                ),
            )
            .hint("keeptab tab (says which tab has one)"));
        };
        let shown = OpenDialog {
            session: self.name().to_owned(),
            tab: TabLine {
                id: info.id.as_str().to_owned(),
                url: info.url.to_string(),
                title: info.title.to_string(),
                active: true,
                state: info.condition.name().to_owned(),
            },
            kind: dialog.kind.to_string(),
            message: dialog.message.to_string(),
            default_prompt: dialog.default_prompt.to_string(),
            answerable: dialog.answerable || self.who_can_answer(info.id.as_str()).is_some(),
        };
        Ok((tab, dialog.clone(), shown))
    }

    /// The active tab as the link knows it, without asking the browser.
    ///
    /// # Errors
    /// There is no active tab, or it was closed.
    pub(super) fn active_target(&self, held: &Held) -> Result<(Tab, TargetInfo), ApiError> {
        let Some(line) = self.active_line(self.known_tabs().as_deref()) else {
            return Err(no_active_tab(self.name()));
        };
        let tab = held.browser.tab(line.id.as_str());
        match tab.info() {
            Some(info) => Ok((tab, info)),
            None => Err(self.tab_gone(&line)),
        }
    }

    /// Waits for a recovery that is under way.
    ///
    /// # Errors
    /// It takes longer, or gives up.
    pub(super) async fn wait_until_usable(
        &self,
        held: &Held,
        until: Instant,
    ) -> Result<(), ApiError> {
        let mut state = held.browser.state();
        let usable = state.wait_for(|state| {
            matches!(
                state,
                State::Connected { .. } | State::WaitingForHuman { .. }
            ) || state.is_final()
        });
        if timeout_at(until, usable).await.is_err() {
            return Err(ApiError::new(
                Code::Deadline,
                format!("session \"{}\" was not connected in time", self.name()),
            ));
        }
        self.live().map(drop)
    }

    /// Another session on the same browser whose connection saw the dialog open: Chromium lets that one
    /// answer.
    fn who_can_answer(&self, target: &str) -> Option<(Tab, String)> {
        let sessions = self.daemon().ok()?.sessions();
        sessions
            .iter()
            .filter(|other| other.name() != self.name())
            .find_map(|other| {
                let tab = other.held().ok()?.browser.tab(target);
                match tab.info()?.condition {
                    Condition::Dialog(dialog) if dialog.answerable => {
                        Some((tab, other.name().to_owned()))
                    }
                    _ => None,
                }
            })
    }
}

/// The dialog cannot be answered over any connection that we have.
fn lost(dialog: &OpenDialog) -> ApiError {
    ApiError::new(
        Code::DialogOpen,
        format!(
            "the {} in {} was left open by a lost connection, and Chromium lets no new connection answer it: {:?}",
            dialog.kind, dialog.tab.url, dialog.message
        ),
    )
    .hint("load the page again (what was typed into it is lost): keeptab tab reload")
}
