//! One physical connection to a browser: messages in, messages out.
//!
//! | file | subject |
//! |---|---|
//! | `traits` | what the driver needs of a connection |
//! | `framed` | reading and writing over any byte stream, with one copy and without waiting |
//! | `outbox` | messages on their way out |
//! | `nul` | messages that end with a zero byte, as on the pipe |
//! | `keeper` | the same on the socket of a keeper |
//! | `websocket` | WebSocket frames |
//! | `handshake` | how a WebSocket begins |
//! | `net` | TCP and TLS |
//! | `pipe` | the two halves of a browser's pipe as one stream |
mod framed;
pub(crate) mod handshake;
#[cfg(unix)]
pub(crate) mod keeper;
pub(crate) mod net;
pub(crate) mod nul;
mod outbox;
#[cfg(unix)]
pub(crate) mod pipe;
#[cfg(test)]
mod tests;
mod traits;
pub(crate) mod websocket;

pub(crate) use framed::Framed;
pub(crate) use traits::{Incoming, Transport, exchange};

/// The largest message that is taken. Chromium sends at most 256 MiB over a WebSocket.
pub(crate) const MAX_MESSAGE: usize = 300 * 1024 * 1024;
/// The pipe passes messages that a WebSocket of Chromium would drop.
pub(crate) const MAX_PIPE_MESSAGE: usize = 1024 * 1024 * 1024;
