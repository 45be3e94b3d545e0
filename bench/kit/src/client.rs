//! What a client must be able to do to be measured.

use std::fmt::Display;

/// Why a workload failed.
#[derive(Debug)]
pub struct Failure(pub String);

impl<E: Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// The number of a tab, in the order in which they were opened.
pub type Tab = usize;

/// A command that sets something going: its method and its parameters as JSON.
pub type Trigger<'a> = (&'a str, &'a str);

/// One connection to a browser, driven by one task.
pub trait Client: Send {
    /// Opens a tab at this address and attaches to it.
    fn open(&mut self, url: &str) -> impl Future<Output = Result<Tab, Failure>> + Send;

    /// Attaches to a tab that is open already.
    fn attach(&mut self, target: &str) -> impl Future<Output = Result<Tab, Failure>> + Send;

    /// Sends one command and waits for its result. Returns the result's size in bytes where the client knows it, else 0.
    fn call(
        &mut self,
        tab: Option<Tab>,
        method: &str,
        params: &str,
    ) -> impl Future<Output = Result<usize, Failure>> + Send;

    /// Sends the same command `n` times, `in_flight` at a time, and waits for all results.
    fn pipeline(
        &mut self,
        tab: Tab,
        command: Trigger<'_>,
        n: usize,
        in_flight: usize,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Sends a command and waits for its result and for `n` events of this method. Returns how many came.
    fn events(
        &mut self,
        tab: Tab,
        event: &str,
        n: usize,
        trigger: Trigger<'_>,
    ) -> impl Future<Output = Result<usize, Failure>> + Send;

    /// Sends a command and returns the text of the parameters of the first event of this method, as JSON.
    fn event(
        &mut self,
        tab: Tab,
        event: &str,
        trigger: Trigger<'_>,
    ) -> impl Future<Output = Result<String, Failure>> + Send;
}
