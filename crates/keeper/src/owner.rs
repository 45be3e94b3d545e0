//! The present owner: its connection, what it said, what it is yet to be told.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::buffer::{Buf, Gone, Read, read};
use crate::door::Hello;
use crate::wire::{HEAD, is_control, leading_id};

/// A command up to this length is passed on whole or not at all, in bytes. A
/// longer one is passed on as it comes.
pub(crate) const MAX_WHOLE: usize = 256 * 1024;
/// With more than this waiting for the owner, nothing more is read for it.
pub(crate) const MAX_WAITING: usize = 256 * 1024;
/// An owner that takes nothing for so long, while the browser waits, is let go.
const STALL: Duration = Duration::from_secs(30);

pub(crate) struct Owner {
    pub(crate) stream: UnixStream,
    pub(crate) epoch: u64,
    pub(crate) client: String,
    pub(crate) out: Buf,
    /// Our own words, for when the browser's present message is through.
    later: Vec<u8>,
    inbox: Buf,
    /// How much of `inbox` is known to hold no NUL.
    searched: usize,
    /// The command that is being passed on piece by piece.
    pub(crate) long: Option<i32>,
    stalled: Option<Instant>,
}

/// The next thing an owner said.
pub(crate) enum Said {
    /// A message without its NUL.
    Whole(Vec<u8>),
    /// The first piece of a command that is too long to wait for.
    Long(i32, Vec<u8>),
    /// Another piece of it; with `true`, the last one, NUL included.
    Piece(Vec<u8>, bool),
    /// A long message that no rule can pass on.
    Unfit,
    Nothing,
}

impl Owner {
    pub(crate) fn new(stream: UnixStream, hello: Hello) -> Self {
        let mut inbox = Buf::default();
        inbox.push(&hello.rest);
        Self {
            stream,
            epoch: hello.epoch,
            client: hello.client,
            out: Buf::default(),
            later: Vec::new(),
            inbox,
            searched: 0,
            long: None,
            stalled: None,
        }
    }

    /// Whether it has room for more from the browser.
    pub(crate) fn listens(&self) -> bool {
        self.out.len() <= MAX_WAITING
    }

    /// Whether it has room for answers of ours, so that it may say more.
    pub(crate) fn may_speak(&self) -> bool {
        self.out.len() + self.later.len() <= MAX_WAITING
    }

    pub(crate) fn tell(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        self.out.send(&self.stream, bytes)
    }

    /// Says something of ours once [`Owner::tell_rest`] is called.
    pub(crate) fn tell_later(&mut self, bytes: &[u8]) {
        self.later.extend_from_slice(bytes);
    }

    pub(crate) fn has_more(&self) -> bool {
        !self.later.is_empty()
    }

    pub(crate) fn tell_rest(&mut self) -> Result<(), Gone> {
        let later = std::mem::take(&mut self.later);
        self.tell(&later)
    }

    pub(crate) fn flush(&mut self) -> Result<(), Gone> {
        if self.out.flush(&self.stream)? {
            self.stalled = None;
        }
        Ok(())
    }

    /// When it will have been silent for too long. The clock runs only while
    /// it keeps the browser waiting.
    pub(crate) fn stall_ends(&mut self, now: Instant) -> Option<Instant> {
        if self.listens() {
            self.stalled = None;
            return None;
        }
        Some(*self.stalled.get_or_insert(now) + STALL)
    }

    pub(crate) fn read(&mut self, scratch: &mut [u8]) -> Read {
        let got = read(&self.stream, scratch);
        if let Read::Bytes(count) = got {
            self.inbox.push(&scratch[..count]);
        }
        got
    }

    /// Takes the next message, or piece of one, out of the inbox. The inbox never
    /// holds more than [`MAX_WHOLE`] and what was read at once.
    pub(crate) fn next(&mut self) -> Said {
        let bytes = self.inbox.as_slice();
        let end = memchr::memchr(0, &bytes[self.searched..]).map(|at| at + self.searched);
        let length = bytes.len();
        if self.long.is_some() {
            let take = end.map_or(length, |end| end + 1);
            if take == 0 {
                return Said::Nothing;
            }
            let piece = bytes[..take].to_vec();
            self.take(take);
            if end.is_some() {
                self.long = None;
            }
            return Said::Piece(piece, end.is_some());
        }
        if let Some(end) = end {
            let message = bytes[..end].to_vec();
            self.take(end + 1);
            return Said::Whole(message);
        }
        self.searched = length;
        if length <= MAX_WHOLE {
            return Said::Nothing;
        }
        match leading_id(&bytes[..HEAD]) {
            Some(id) if !is_control(bytes) => {
                let piece = bytes.to_vec();
                self.take(length);
                self.long = Some(id);
                Said::Long(id, piece)
            }
            _ => Said::Unfit,
        }
    }

    fn take(&mut self, count: usize) {
        self.inbox.consume(count);
        self.searched = 0;
    }
}
