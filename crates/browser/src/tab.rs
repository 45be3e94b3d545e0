//! A tab, or any other target.
use std::time::Duration;

use keeptab_link::{Route, TargetId, TargetInfo};
use keeptab_protocol::{Command, Event, Raw, page, runtime, target};
use serde::de::DeserializeOwned;

use crate::call::{self, Reply};
use crate::events::{EventFilter, Events};
use crate::session::{WAIT_CAPACITY, wait_in};
use crate::{CallError, CallOptions, Kind, Session};

/// One tab of a session, by its target id, which outlives connections. Frames and workers that have a
/// target of their own are addressed in the same way.
///
/// A command for a tab that is gone fails with [`Kind::TargetGone`]; it never goes to another tab.
#[derive(Clone)]
pub struct Tab {
    session: Session,
    target: TargetId,
}

impl Tab {
    pub(crate) fn new(session: Session, target: TargetId) -> Self {
        Self { session, target }
    }

    /// Its target id.
    pub fn target_id(&self) -> &TargetId {
        &self.target
    }

    /// The session it belongs to.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What is known about it; `None` when it is gone.
    pub fn info(&self) -> Option<TargetInfo> {
        self.session
            .shared()
            .lock()
            .link
            .target(&self.target)
            .cloned()
    }

    fn route(&self) -> Route {
        Route::Target(self.target.clone())
    }

    /// Calls a method of this tab.
    ///
    /// # Errors
    /// See [`Kind`].
    pub async fn call<C: Command>(&self, command: &C) -> Result<C::Returns, CallError> {
        self.call_with(command, CallOptions::new()).await
    }

    /// [`Tab::call`] with a deadline or class of its own.
    ///
    /// # Errors
    /// See [`Kind`].
    pub async fn call_with<C: Command>(
        &self,
        command: &C,
        options: CallOptions,
    ) -> Result<C::Returns, CallError> {
        call::typed(self.session.shared(), self.route(), command, options).await
    }

    /// Calls a method by name, with parameters and result as JSON text that is not looked into.
    ///
    /// # Errors
    /// See [`Kind`].
    pub async fn call_raw(
        &self,
        method: &str,
        params: Raw,
        options: CallOptions,
    ) -> Result<Reply, CallError> {
        call::raw(self.session.shared(), self.route(), method, params, options).await
    }

    /// Subscribes to events of this tab; see [`Session::events`].
    pub fn events(&self, filter: EventFilter, capacity: usize) -> Events {
        self.session
            .events(filter.on(self.target.clone()), capacity)
    }

    /// Waits for one typed event of this tab; see [`Session::wait_for`].
    ///
    /// # Errors
    /// As [`Session::wait_for`].
    pub async fn wait_for<E: Event>(
        &self,
        wanted: impl FnMut(&E) -> bool,
        patience: Duration,
    ) -> Result<E, CallError> {
        let events = self.events(EventFilter::of::<E>(), WAIT_CAPACITY);
        wait_in(events, wanted, patience).await
    }

    /// Navigates, and returns when the browser has begun to show the new document (or has found that
    /// there is none). Loading goes on after that.
    ///
    /// # Errors
    /// [`Kind::Protocol`] also when the address cannot be loaded.
    pub async fn navigate(&self, url: &str) -> Result<page::NavigateReturns, CallError> {
        let done = self.call(&page::Navigate::new(url)).await?;
        match &done.error_text {
            Some(error) if !error.is_empty() => {
                let message = format!("{url}: {error}");
                Err(CallError::new(Kind::Protocol, "Page.navigate", message))
            }
            _ => Ok(done),
        }
    }

    /// Evaluates JavaScript in the page, waits for a promise, and returns the value as a Rust type.
    ///
    /// # Errors
    /// [`Kind::Protocol`] also when the code throws, with what it threw; [`Kind::InvalidReply`] when the
    /// value does not fit `T`.
    pub async fn evaluate<T: DeserializeOwned>(&self, expression: &str) -> Result<T, CallError> {
        const METHOD: &str = "Runtime.evaluate";
        let mut command = runtime::Evaluate::new(expression);
        command.return_by_value = Some(true);
        command.await_promise = Some(true);
        let done = self.call(&command).await?;
        if let Some(thrown) = done.exception_details {
            let description = thrown.exception.and_then(|thrown| thrown.description);
            return Err(CallError::new(
                Kind::Protocol,
                METHOD,
                description.unwrap_or(thrown.text),
            ));
        }
        // `undefined` has no value; as JSON it is nothing.
        let value = done.result.value.unwrap_or_default();
        value
            .parse()
            .map_err(|error| CallError::decode(METHOD, error))
    }

    /// Closes the tab.
    ///
    /// # Errors
    /// See [`Kind`].
    pub async fn close(&self) -> Result<(), CallError> {
        let id = self.target.to_string();
        self.session.call(&target::CloseTarget::new(id)).await?;
        Ok(())
    }
}
