//! Bytes on their way to a descriptor that may not want them yet.

use std::os::fd::AsFd;

use rustix::io::Errno;

/// An empty buffer gives memory above this back, in bytes.
const KEEP: usize = 64 * 1024;

/// The other side of a descriptor is gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// A queue of bytes. It has no limit of its own: whoever fills it asks
/// [`Buf::len`] first and leaves the source alone when that is too much.
#[derive(Debug, Default)]
pub(crate) struct Buf {
    bytes: Vec<u8>,
    start: usize,
}

impl Buf {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(crate) fn push(&mut self, more: &[u8]) {
        self.bytes.extend_from_slice(more);
    }

    /// Drops the first `count` bytes, all of them if there are fewer. Moves the
    /// rest only when at least as much was dropped, so its cost stays linear.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.bytes.len().min(self.start + count);
        if self.start == self.bytes.len() {
            self.start = 0;
            self.bytes.clear();
            if self.bytes.capacity() > KEEP {
                self.bytes = Vec::new();
            }
        } else if self.start > KEEP && self.start * 2 > self.bytes.len() {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.consume(usize::MAX >> 1);
    }

    /// Writes as much as `to` takes now. Tells whether it took anything.
    pub(crate) fn flush(&mut self, to: impl AsFd) -> Result<bool, Gone> {
        let taken = write_some(&to, self.as_slice())?;
        self.consume(taken);
        Ok(taken > 0)
    }

    /// Sends `more` after what is queued: directly when nothing is.
    pub(crate) fn send(&mut self, to: impl AsFd, more: &[u8]) -> Result<(), Gone> {
        let taken = if self.is_empty() {
            write_some(&to, more)?
        } else {
            0
        };
        if taken < more.len() {
            self.push(&more[taken..]);
        }
        Ok(())
    }
}

/// Writes until everything is taken or `to` would block; returns what was taken.
fn write_some(to: &impl AsFd, bytes: &[u8]) -> Result<usize, Gone> {
    let mut taken = 0;
    while taken < bytes.len() {
        match rustix::io::write(to, &bytes[taken..]) {
            Ok(0) | Err(Errno::AGAIN) => break,
            Ok(count) => taken += count,
            Err(Errno::INTR) => {}
            Err(_) => return Err(Gone),
        }
    }
    Ok(taken)
}

/// What one attempt to read brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Bytes(usize),
    Nothing,
    End,
}

/// Reads once into `into`, without waiting. Errors count as the end.
pub(crate) fn read(from: impl AsFd, into: &mut [u8]) -> Read {
    loop {
        return match rustix::io::read(&from, &mut *into) {
            Ok(0) => Read::End,
            Ok(count) => Read::Bytes(count),
            Err(Errno::INTR) => continue,
            Err(Errno::AGAIN) => Read::Nothing,
            Err(_) => Read::End,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn bytes_arrive_once_and_in_order() {
        let (a, mut b) = UnixStream::pair().expect("socketpair");
        a.set_nonblocking(true).expect("nonblocking");
        let all: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
        let mut buf = Buf::default();
        for part in all.chunks(70_000) {
            buf.send(&a, part).expect("open");
        }
        assert!(!buf.is_empty(), "a socket does not take 3 MB unread");
        let mut got = Vec::new();
        let mut chunk = vec![0; 100_000];
        while got.len() < all.len() {
            let count = b.read(&mut chunk).expect("read");
            got.extend_from_slice(&chunk[..count]);
            buf.flush(&a).expect("open");
        }
        assert!(got == all && buf.is_empty());
        assert_eq!(buf.bytes.capacity(), 0, "memory is given back");
        drop(b);
        assert_eq!(buf.send(&a, b"x"), Err(Gone));
    }
}
