//! A session over a browser that was left behind: its keeper runs, and no session has it.

use std::sync::Arc;

use keeptab_keeper::Found;

use super::connect::deadline;
use super::entry::{Held, Hold, Session};
use crate::api::{AdoptRequest, Adopted};
use crate::error::{ApiError, Code};
use crate::handover::{LaunchedAs, Place};
use crate::leftovers;
use crate::registry::Daemon;

impl Session {
    /// `adopt`: takes over a browser that was left behind, with its tabs as they are.
    ///
    /// # Errors
    /// The session has a browser, none was left behind or it is not clear which, or its keeper does not
    /// let us.
    pub(crate) async fn adopt(
        self: &Arc<Self>,
        request: &AdoptRequest,
    ) -> Result<Adopted, ApiError> {
        let until = deadline(request.timeout_ms);
        let turn = self.my_turn(until).await?;
        if !self.with(|inner| matches!(inner.hold, Hold::Nothing)) {
            return Err(ApiError::new(
                Code::Failed,
                format!("session \"{}\" has a browser already", self.name()),
            )
            .hint("keeptab close, or take another name: keeptab --session NAME adopt"));
        }
        let daemon = self.registered()?;
        let left_by = self.choose(&daemon, request.left_by.as_deref()).await?;
        // Nobody else may open, adopt or end it meanwhile.
        let namesake = match left_by == self.name() {
            true => None,
            false => Some(daemon.session_or_new(&left_by)?),
        };
        let other_turn = match &namesake {
            Some(other) => Some(other.try_turn().ok_or_else(|| being_changed(&left_by))?),
            None => None,
        };
        let outcome = self.take_in(&daemon, &left_by, until).await;
        drop(other_turn);
        if let Some(other) = namesake {
            daemon.forget_if_unused(&other);
        }
        outcome?;
        drop(turn);
        Ok(Adopted {
            left_by,
            status: self.status().await,
        })
    }

    /// Which browser is meant.
    async fn choose(&self, daemon: &Arc<Daemon>, wanted: Option<&str>) -> Result<String, ApiError> {
        let left = leftovers::browsers(daemon, Some(self.name())).await;
        if let Some(wanted) = wanted {
            if left.iter().any(|name| name == wanted) {
                return Ok(wanted.to_owned());
            }
            let socket = daemon.paths().keeper_socket(wanted);
            if let Some(other) = daemon.holder_of_keeper(&socket) {
                return Err(taken(wanted, &other));
            }
        } else if left.iter().any(|name| name == self.name()) {
            return Ok(self.name().to_owned());
        }
        match (wanted, left.as_slice()) {
            (None, [only]) => Ok(only.clone()),
            (_, []) => Err(ApiError::new(Code::NotFound, "no browser was left behind")
                .hint("keeptab sessions")),
            (None, [first, ..]) => Err(ApiError::new(
                Code::Ambiguous,
                format!("several browsers were left behind, by: {}", left.join(", ")),
            )
            .hint(format!("keeptab --session {first} adopt"))),
            (Some(wanted), [first, ..]) => Err(ApiError::new(
                Code::NotFound,
                format!(
                    "session \"{wanted}\" left no browser behind; these did: {}",
                    left.join(", ")
                ),
            )
            .hint(format!("keeptab adopt {first}"))),
        }
    }

    async fn take_in(
        &self,
        daemon: &Arc<Daemon>,
        left_by: &str,
        until: tokio::time::Instant,
    ) -> Result<(), ApiError> {
        let path = daemon.paths().keepers().join(format!("{left_by}.keeper"));
        let found = tokio::task::spawn_blocking(move || Found::read(&path))
            .await
            .map_err(|error| ApiError::new(Code::Internal, error.to_string()))?
            .map_err(|error| {
                ApiError::new(
                    Code::BrowserGone,
                    format!("the browser of \"{left_by}\" has just ended: {error}"),
                )
                .hint("keeptab sweep --dry-run")
            })?;
        if let Some(other) = daemon.holder_of_keeper(&found.state.socket) {
            return Err(taken(left_by, &other));
        }
        let socket = found.state.socket.clone();
        let browser = super::launch::connect(socket.clone(), self.options(), until).await?;
        tracing::info!(
            "session \"{}\": adopted the browser that session \"{left_by}\" left behind, process {}",
            self.name(),
            found.state.browser_pid
        );
        self.with(|inner| {
            inner.keeper = (left_by != self.name()).then(|| left_by.to_owned());
            inner.launched_as = LaunchedAs {
                headful: leftovers::has_window(found.state.browser_pid),
                program: None,
            };
        });
        let held = Held::new(browser, Place::Keeper(socket), Some(found.state.profile));
        self.hold(held.clone()).await;
        held.learn_product().await;
        let tabs = self.own_tabs(&held).await.0;
        for tab in &tabs {
            self.claim(&tab.id)?;
        }
        // With one tab only, there is no doubt which is meant.
        match tabs.as_slice() {
            [only] => self.activate(only.as_active())?,
            _ => self.save(),
        }
        Ok(())
    }
}

/// The browser of one session is in the hands of another.
pub(super) fn taken(left_by: &str, holder: &str) -> ApiError {
    let message = match left_by == holder {
        true => {
            format!("the browser of session \"{left_by}\" was not left behind: the session has it")
        }
        false => format!(
            "the browser of session \"{left_by}\" is with session \"{holder}\", which adopted it"
        ),
    };
    ApiError::new(Code::Failed, message).hint(format!("keeptab --session {holder} status"))
}

fn being_changed(name: &str) -> ApiError {
    ApiError::new(
        Code::Busy,
        format!("session \"{name}\" is being opened or closed"),
    )
}
