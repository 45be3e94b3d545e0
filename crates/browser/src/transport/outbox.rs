//! Messages on their way out.
use std::collections::VecDeque;

use bytes::{Buf, Bytes};

/// Encodes one part of a message, a framing's job.
pub(crate) trait Encode {
    /// Appends `piece` of a message to `out`. `first` and `last` say where in the message it is.
    fn encode(&mut self, piece: &[u8], first: bool, last: bool, out: &mut Vec<u8>);
}

/// Whole messages wait as they are, and are encoded piece by piece just before they are written, so a
/// large command needs one buffer of bounded size and not a second copy of itself.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Bytes>,
    /// The front message has been encoded in part.
    begun: bool,
    encoded: Vec<u8>,
    written: usize,
}

/// Largest piece of a message that is encoded at once; also the largest WebSocket frame sent.
const PIECE: usize = 1024 * 1024;
/// No more pieces are encoded while this much is unwritten.
const ENOUGH: usize = 256 * 1024;
/// A buffer that grew beyond this is given back once it is empty.
const KEEP: usize = 512 * 1024;

impl Outbox {
    pub(super) fn push(&mut self, message: Bytes) {
        self.waiting.push_back(message);
    }

    /// Appends bytes that are already encoded, such as a pong, after what is encoded so far.
    pub(super) fn encoded(&mut self) -> &mut Vec<u8> {
        &mut self.encoded
    }

    /// What to write next; empty when nothing is left.
    pub(super) fn fill(&mut self, framing: &mut impl Encode) -> &[u8] {
        while self.encoded.len() - self.written < ENOUGH {
            let Some(message) = self.waiting.front_mut() else {
                break;
            };
            let size = message.len().min(PIECE);
            let last = size == message.len();
            framing.encode(&message[..size], !self.begun, last, &mut self.encoded);
            if last {
                self.waiting.pop_front();
            } else {
                message.advance(size);
            }
            self.begun = !last;
        }
        &self.encoded[self.written..]
    }

    /// Notes that the first `count` bytes of [`Outbox::fill`] are written.
    pub(super) fn wrote(&mut self, count: usize) {
        self.written += count;
        if self.written == self.encoded.len() {
            self.written = 0;
            self.encoded.clear();
            if self.encoded.capacity() > KEEP {
                self.encoded = Vec::new();
            }
        } else if self.written > PIECE {
            self.encoded.drain(..self.written);
            self.written = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Marks;

    impl Encode for Marks {
        fn encode(&mut self, piece: &[u8], first: bool, last: bool, out: &mut Vec<u8>) {
            out.push(if first { b'<' } else { b'(' });
            out.extend_from_slice(piece);
            out.push(if last { b'>' } else { b')' });
        }
    }

    #[test]
    fn partial_writes_lose_nothing() {
        let mut outbox = Outbox::default();
        let big = Bytes::from(vec![b'x'; 3 * PIECE + 5]);
        outbox.push(Bytes::from_static(b"a"));
        outbox.push(big.clone());
        outbox.push(Bytes::from_static(b"b"));
        let mut seen = Vec::new();
        let mut step = 1;
        loop {
            let ready = outbox.fill(&mut Marks);
            if ready.is_empty() {
                break;
            }
            let count = ready.len().min(step);
            seen.extend_from_slice(&ready[..count]);
            outbox.wrote(count);
            step = step * 3 % 700_001;
        }
        let mut wanted = b"<a>".to_vec();
        for (at, piece) in big.chunks(PIECE).enumerate() {
            wanted.push(if at == 0 { b'<' } else { b'(' });
            wanted.extend_from_slice(piece);
            wanted.push(if at == 3 { b'>' } else { b')' });
        }
        wanted.extend_from_slice(b"<b>");
        assert!(
            seen == wanted,
            "{} bytes, wanted {}",
            seen.len(),
            wanted.len()
        );
        assert_eq!(outbox.encoded.capacity(), 0, "a large buffer is given back");
    }

    #[test]
    fn a_large_message_is_not_encoded_all_at_once() {
        let mut outbox = Outbox::default();
        outbox.push(Bytes::from(vec![b'x'; 16 * PIECE]));
        assert!(outbox.fill(&mut Marks).len() <= PIECE + 2);
    }
}
