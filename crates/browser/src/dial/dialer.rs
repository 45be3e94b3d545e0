//! All attempts of one session.
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use keeptab_link::{DialError, DialInfo};
use tokio::time::Instant;

use super::attempt::{self, Human, Opened, Silence};
use super::resolve::{self, Resolved};
use crate::Endpoint;
use crate::find::{Places, RunningBrowser};
use crate::transport::Transport;

/// An open connection.
pub(crate) struct Dialed {
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) info: DialInfo,
}

/// Reaches one browser again and again. Cloning shares what was learned about it.
#[derive(Clone)]
pub(crate) struct Dialer(Arc<Inner>);

struct Inner {
    way: Way,
    places: Places,
    /// Our fencing number at a keeper.
    owner: u64,
    /// The profile that [`Endpoint::Auto`] found first; it never goes to another browser after that.
    chosen: OnceLock<PathBuf>,
    /// A connection was open before.
    reached: AtomicBool,
    /// A person had to allow it.
    asked: AtomicBool,
}

enum Way {
    Endpoint(Endpoint),
    #[cfg(unix)]
    Pipe(super::pipe::PipeDial),
}

impl Dialer {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self::owned(endpoint, None)
    }

    /// `owner` is the fencing number at a keeper; `None` for one by the clock.
    pub(crate) fn owned(endpoint: Endpoint, owner: Option<u64>) -> Self {
        Self::by(Way::Endpoint(endpoint), Places::current(), owner)
    }

    /// As [`Dialer::new`], and looks for running browsers in these places.
    #[cfg(test)]
    pub(super) fn in_places(endpoint: Endpoint, places: Places) -> Self {
        Self::by(Way::Endpoint(endpoint), places, None)
    }

    /// A browser that we started, by its pipe.
    #[cfg(unix)]
    pub(crate) fn pipe(pipe: super::pipe::PipeDial) -> Self {
        Self::by(Way::Pipe(pipe), Places::current(), None)
    }

    fn by(way: Way, places: Places, owner: Option<u64>) -> Self {
        Self(Arc::new(Inner {
            way,
            places,
            owner: owner.unwrap_or_else(super::keeper::new_epoch),
            chosen: OnceLock::new(),
            reached: AtomicBool::new(false),
            asked: AtomicBool::new(false),
        }))
    }

    /// One attempt: the address is looked up anew, and one connection is made.
    pub(crate) async fn dial(&self, patience: Duration, human: Human) -> Result<Dialed, DialError> {
        let deadline = Instant::now() + patience;
        match &self.0.way {
            Way::Endpoint(Endpoint::Auto) => self.dial_auto(deadline, &human).await,
            #[cfg(unix)]
            Way::Endpoint(Endpoint::Keeper(path)) => {
                super::keeper::keeper(path, self.0.owner, deadline).await
            }
            Way::Endpoint(endpoint) => self.dial_endpoint(endpoint, deadline, &human).await,
            #[cfg(unix)]
            Way::Pipe(pipe) => pipe.dial().await,
        }
    }

    async fn dial_endpoint(
        &self,
        endpoint: &Endpoint,
        deadline: Instant,
        human: &Human,
    ) -> Result<Dialed, DialError> {
        let resolved = resolve::resolve(endpoint, deadline).await?;
        let silence = self.silence(&resolved);
        let opened = attempt::websocket(&resolved.address, deadline, silence, human).await?;
        Ok(self.opened(opened))
    }

    /// What an unanswered handshake means. Before the first connection a browser on this machine may be
    /// asking; later only one that asked before, so that a dead connection is not mistaken for a question.
    fn silence(&self, resolved: &Resolved) -> Silence {
        let asked = self.0.asked.load(Ordering::Relaxed);
        let first = !self.0.reached.load(Ordering::Relaxed);
        let could = match resolved.asks {
            Some(asks) => asks,
            None => first && resolved.address.is_local(),
        };
        if asked || could {
            Silence::MayBeHuman
        } else {
            Silence::Failure
        }
    }

    fn opened(&self, opened: Opened) -> Dialed {
        self.0.reached.store(true, Ordering::Relaxed);
        if opened.asked {
            self.0.asked.store(true, Ordering::Relaxed);
        }
        opened.dialed
    }

    async fn dial_auto(&self, deadline: Instant, human: &Human) -> Result<Dialed, DialError> {
        if let Some(dir) = self.0.chosen.get() {
            return self
                .dial_endpoint(&Endpoint::Profile(dir.clone()), deadline, human)
                .await;
        }
        let mut failures = Vec::new();
        for browser in self.0.places.running_browsers().await {
            match self.dial_candidate(&browser, human).await {
                Ok(dialed) => {
                    // Only this dial fills it, and there is one dial at a time.
                    let _ = self.0.chosen.set(browser.profile_dir);
                    return Ok(dialed);
                }
                Err(error) => failures.push(format!("{}: {}", browser.name, said(&error))),
            }
        }
        let reason = if failures.is_empty() {
            "no running browser says that remote debugging is on".to_owned()
        } else {
            format!(
                "no running browser accepted a connection ({})",
                failures.join("; ")
            )
        };
        Err(DialError::Gone {
            reason: reason.into(),
        })
    }

    async fn dial_candidate(
        &self,
        browser: &RunningBrowser,
        human: &Human,
    ) -> Result<Dialed, DialError> {
        /// A browser that asks nobody answers long before.
        const EACH: Duration = Duration::from_secs(5);
        let endpoint = Endpoint::Profile(browser.profile_dir.clone());
        self.dial_endpoint(&endpoint, Instant::now() + EACH, human)
            .await
    }
}

fn said(error: &DialError) -> String {
    match error {
        DialError::Refused { reason, .. }
        | DialError::Unreachable { reason }
        | DialError::Gone { reason } => reason.to_string(),
        _ => "busy".to_owned(),
    }
}
