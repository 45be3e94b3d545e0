//! What the driver needs of a connection.
use std::task::{Context, Poll};

use bytes::Bytes;
use keeptab_link::Cause;

/// One open connection. It is polled by the one task that owns it; dropping it aborts it.
pub(crate) trait Transport: Send {
    /// The next thing that arrived.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Incoming>;

    /// Queues a message. Never blocks and writes nothing before [`Transport::poll_flush`].
    fn send(&mut self, message: Bytes);

    /// Queues a ping where the transport knows one.
    fn ping(&mut self);

    /// Writes what is queued; pending while the other side does not read.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cause>>;
}

/// What a connection brings.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// One whole CDP message.
    Message(Bytes),
    /// Bytes, but not a whole message yet.
    Alive,
    /// The answer to a ping.
    Pong,
    /// The end.
    Lost(Cause),
}
