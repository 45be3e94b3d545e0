//! What the driver needs of a connection.
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

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

    /// Whether the other side has taken something since this was last asked. Bytes that the system takes for
    /// itself do not count: only those that had to wait.
    fn took(&mut self) -> bool;

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

/// Sends a first message and waits for the first answer, before a connection is anybody's.
///
/// Cancel safe as far as the connection is dropped with it.
pub(crate) async fn exchange(
    transport: &mut dyn Transport,
    message: Bytes,
) -> Result<Bytes, Cause> {
    transport.send(message);
    poll_fn(|cx| {
        if let Poll::Ready(Err(cause)) = transport.poll_flush(cx) {
            return Poll::Ready(Err(cause));
        }
        loop {
            match ready!(transport.poll_receive(cx)) {
                Incoming::Message(answer) => return Poll::Ready(Ok(answer)),
                Incoming::Lost(cause) => return Poll::Ready(Err(cause)),
                Incoming::Alive | Incoming::Pong => {}
            }
        }
    })
    .await
}
