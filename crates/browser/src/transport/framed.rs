//! Reading and writing messages over any byte stream.
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{BufMut, Bytes, BytesMut};
use keeptab_link::Cause;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use super::outbox::{Encode, Outbox};
use super::{Incoming, Transport};

/// How messages are told apart in a stream of bytes.
pub(crate) trait Framing: Encode + Send {
    /// Takes the next message or frame out of the buffer.
    fn decode(&mut self, inbox: &mut BytesMut) -> Result<Decoded, Cause>;
    /// Appends a ping.
    fn ping(&mut self, out: &mut Vec<u8>);
    /// Appends the answer to a ping.
    fn pong(&mut self, payload: &[u8], out: &mut Vec<u8>);
}

/// What was in the buffer.
#[derive(Debug)]
pub(crate) enum Decoded {
    Message(Bytes),
    Ping(Bytes),
    Pong,
    /// A part of a message was taken; there may be more in the buffer.
    Part,
    /// At least so many more bytes are needed.
    More(usize),
}

/// Size of the read buffer, and the most that is read at once beyond what a message is known to need.
const READ: usize = 128 * 1024;
/// A new read is given at least this much room.
const ROOM: usize = 16 * 1024;
/// A message of this size takes its buffer with it, so that the memory is free once it is dropped.
const LARGE: usize = 512 * 1024;
/// A buffer from this size on is asked for at least as large as [`MAPPED`].
const HUGE: usize = 4 * 1024 * 1024;
/// What glibc's allocator always maps for itself and gives back when it is dropped (its `DEFAULT_MMAP_THRESHOLD_MAX`).
/// Smaller ones it begins to keep after the first, and then a process holds the last message beside the next. Only
/// what is written to takes memory.
const MAPPED: usize = 33 * 1024 * 1024;

/// A [`Transport`] over a byte stream.
///
/// Bytes are copied once: out of the kernel into the buffer that the message then is a part of.
/// The buffer is not cleared before a read and is used again as soon as nobody holds a part of it.
pub(crate) struct Framed<S, F> {
    stream: S,
    framing: F,
    inbox: BytesMut,
    outbox: Outbox,
    flushed: bool,
    /// The last write had to wait.
    blocked: bool,
    /// One that had to wait went on.
    took: bool,
}

impl<S, F> Framed<S, F>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    F: Framing,
{
    /// A connection on which `early` has been read already.
    pub(crate) fn new(stream: S, framing: F, early: BytesMut) -> Self {
        Self {
            stream,
            framing,
            inbox: early,
            outbox: Outbox::default(),
            flushed: true,
            blocked: false,
            took: false,
        }
    }

    /// The same connection with another framing, from what was not read yet.
    #[cfg(unix)]
    pub(crate) fn reframed<G: Framing>(self, framing: G) -> Framed<S, G> {
        Framed::new(self.stream, framing, self.inbox)
    }

    fn give(&mut self, message: Bytes) -> Incoming {
        if message.len() >= LARGE {
            let rest = std::mem::take(&mut self.inbox);
            self.inbox.reserve(READ.max(rest.len()));
            self.inbox.extend_from_slice(&rest);
        }
        Incoming::Message(message)
    }
}

impl<S, F> Transport for Framed<S, F>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    F: Framing,
{
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        let mut heard = false;
        loop {
            let wanted = match self.framing.decode(&mut self.inbox) {
                Ok(Decoded::Message(message)) => return Poll::Ready(self.give(message)),
                Ok(Decoded::Pong) => return Poll::Ready(Incoming::Pong),
                Ok(Decoded::Ping(payload)) => {
                    self.framing.pong(&payload, self.outbox.encoded());
                    self.flushed = false;
                    continue;
                }
                Ok(Decoded::Part) => continue,
                Ok(Decoded::More(wanted)) => wanted,
                Err(cause) => return Poll::Ready(Incoming::Lost(cause)),
            };
            if self.inbox.capacity() - self.inbox.len() < wanted.max(ROOM) {
                // Doubling keeps a message of unknown length linear.
                let size = self.inbox.len() + wanted.max(READ).max(self.inbox.len());
                self.inbox.reserve(buffer_of(size) - self.inbox.len());
            }
            let mut room = (&mut self.inbox).limit(wanted.max(READ));
            // The future holds no state of its own, so polling it once and dropping it is safe.
            let read = pin!(self.stream.read_buf(&mut room)).poll(cx);
            match read {
                Poll::Ready(Ok(0)) => return Poll::Ready(Incoming::Lost(Cause::Eof)),
                Poll::Ready(Ok(_)) => heard = true,
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Incoming::Lost(cause_of(&error))),
                Poll::Pending if heard => return Poll::Ready(Incoming::Alive),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn send(&mut self, message: Bytes) {
        self.outbox.push(message);
        self.flushed = false;
    }

    fn ping(&mut self) {
        self.framing.ping(self.outbox.encoded());
        self.flushed = false;
    }

    fn took(&mut self) -> bool {
        std::mem::take(&mut self.took)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        if self.flushed {
            return Poll::Ready(Ok(()));
        }
        loop {
            let bytes = self.outbox.fill(&mut self.framing);
            if bytes.is_empty() {
                break;
            }
            let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(cx, bytes) else {
                self.blocked = true;
                return Poll::Pending;
            };
            match written {
                Ok(0) => return Poll::Ready(Err(Cause::Eof)),
                Ok(count) => {
                    self.outbox.wrote(count);
                    self.took |= std::mem::take(&mut self.blocked);
                }
                Err(error) => return Poll::Ready(Err(cause_of(&error))),
            }
        }
        match ready!(Pin::new(&mut self.stream).poll_flush(cx)) {
            Ok(()) => {
                self.flushed = true;
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(cause_of(&error))),
        }
    }
}

/// How large a buffer for so many bytes is best asked for.
fn buffer_of(size: usize) -> usize {
    let kept = cfg!(all(target_env = "gnu", target_pointer_width = "64"));
    if kept && size >= HUGE {
        size.max(MAPPED)
    } else {
        size
    }
}

/// What an error of the operating system says about a connection.
fn cause_of(error: &io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::TimedOut => Cause::Reset,
        io::ErrorKind::UnexpectedEof => Cause::Eof,
        _ => Cause::Io(error.to_string().into()),
    }
}
