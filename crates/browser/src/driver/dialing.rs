//! A dial under way, in a task of its own.
use std::future::Future;
use std::pin::Pin;
use std::sync::Weak;
use std::task::{Context, Poll};
use std::time::Duration;

use keeptab_link::DialError;
use tokio::task::JoinHandle;

use super::Shared;
use crate::dial::{Dialed, Dialer, Human};

/// Dropping it stops the dial.
pub(super) struct Dialing(JoinHandle<Result<Dialed, DialError>>);

impl Dialing {
    pub(super) fn start(
        dialer: Dialer,
        shared: Weak<Shared>,
        patience: Duration,
        human_patience: Duration,
    ) -> Self {
        let human = Human::new(human_patience, move || {
            if let Some(shared) = shared.upgrade() {
                shared.input(|link, now| link.dial_waits_for_human(now));
            }
        });
        Self(tokio::spawn(
            async move { dialer.dial(patience, human).await },
        ))
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Dialed, DialError>> {
        Pin::new(&mut self.0).poll(cx).map(|ended| {
            ended.unwrap_or_else(|error| {
                Err(DialError::Unreachable {
                    reason: format!("dialing stopped: {error}").into(),
                })
            })
        })
    }
}

impl Drop for Dialing {
    fn drop(&mut self) {
        self.0.abort();
    }
}
