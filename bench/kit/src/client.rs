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
#[allow(
    async_fn_in_trait,
    reason = "each client runs in a process and a thread of its own"
)]
pub trait Client {
    /// Opens a tab at this address and attaches to it.
    async fn open(&mut self, url: &str) -> Result<Tab, Failure>;

    /// Sends one command and waits for its result. Returns the result's size in bytes where the client knows it, else 0.
    async fn call(
        &mut self,
        tab: Option<Tab>,
        method: &str,
        params: &str,
    ) -> Result<usize, Failure>;

    /// Sends the same command `n` times, `in_flight` at a time, and waits for all results.
    async fn pipeline(
        &mut self,
        tab: Tab,
        command: Trigger<'_>,
        n: usize,
        in_flight: usize,
    ) -> Result<(), Failure>;

    /// Sends a command and waits for its result and for `n` events of this method. Returns how many came.
    async fn events(
        &mut self,
        tab: Tab,
        event: &str,
        n: usize,
        trigger: Trigger<'_>,
    ) -> Result<usize, Failure>;

    /// Sends a command and returns the text of the parameters of the first event of this method, as JSON.
    async fn event(
        &mut self,
        tab: Tab,
        event: &str,
        trigger: Trigger<'_>,
    ) -> Result<String, Failure>;
}
