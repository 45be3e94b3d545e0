//! Reaching a browser: from what the caller knows to an open connection.
//!
//! | file | subject |
//! |---|---|
//! | `address` | URLs |
//! | `http` | one request, one answer |
//! | `resolve` | from an endpoint to the address of its WebSocket |
//! | `refusal` | what an answer that is not a WebSocket means |
//! | `attempt` | one attempt, with patience for a browser that asks its person |
//! | `pipe` | a browser that we started, by its pipe |
//! | `keeper` | a browser behind a keeper |
//! | `dialer` | all attempts of one session |
mod address;
mod attempt;
mod dialer;
mod http;
#[cfg(unix)]
mod keeper;
#[cfg(unix)]
pub(crate) mod pipe;
mod refusal;
mod resolve;
#[cfg(test)]
mod tests;

pub(crate) use address::{Address, redacted};
pub(crate) use attempt::Human;
pub(crate) use dialer::{Dialed, Dialer};
pub(crate) use http::Answer;
pub use resolve::{ResolveOptions, resolve_ws_url};
