//! Messages that end with a zero byte.
use bytes::{Buf, BytesMut};
use keeptab_link::Cause;

use super::framed::{Decoded, Framing};
use super::outbox::Encode;

/// The framing of `--remote-debugging-pipe` and of the keeper's socket.
#[derive(Debug, Default)]
pub(crate) struct Nul {
    /// How much of the buffer holds no zero byte, so that a large message is searched once.
    searched: usize,
    limit: usize,
}

impl Nul {
    /// A framing that refuses messages of more than `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { searched: 0, limit }
    }
}

impl Encode for Nul {
    fn encode(&mut self, piece: &[u8], _first: bool, last: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(piece);
        if last {
            out.push(0);
        }
    }
}

impl Nul {
    /// Takes the next message out of the buffer, if all of it is there.
    pub(super) fn take(&mut self, inbox: &mut BytesMut) -> Result<Option<BytesMut>, Cause> {
        match memchr::memchr(0, &inbox[self.searched..]) {
            Some(at) => {
                let message = inbox.split_to(self.searched + at);
                inbox.advance(1);
                self.searched = 0;
                Ok(Some(message))
            }
            None if inbox.len() > self.limit => Err(Cause::TooLarge),
            None => {
                self.searched = inbox.len();
                Ok(None)
            }
        }
    }
}

impl Framing for Nul {
    fn decode(&mut self, inbox: &mut BytesMut) -> Result<Decoded, Cause> {
        Ok(match self.take(inbox)? {
            Some(message) => Decoded::Message(message.freeze()),
            None => Decoded::More(1),
        })
    }

    fn ping(&mut self, _out: &mut Vec<u8>) {
        // A pipe has no ping of its own; the link also asks the browser for its version.
    }

    fn pong(&mut self, _payload: &[u8], _out: &mut Vec<u8>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(decoded: Result<Decoded, Cause>) -> Option<Vec<u8>> {
        match decoded.expect("no error") {
            Decoded::Message(message) => Some(message.to_vec()),
            _ => None,
        }
    }

    #[test]
    fn messages_are_cut_at_zero_bytes_wherever_the_reads_end() {
        let mut nul = Nul::new(1000);
        let mut inbox = BytesMut::new();
        let mut seen = Vec::new();
        for byte in b"{\"id\":1}\0{\"id\":2}\0{}\0{\"id\"" {
            inbox.extend_from_slice(&[*byte]);
            while let Some(found) = message(nul.decode(&mut inbox)) {
                seen.push(String::from_utf8(found).expect("text"));
            }
        }
        assert_eq!(seen, ["{\"id\":1}", "{\"id\":2}", "{}"]);
        assert_eq!(&inbox[..], b"{\"id\"");
    }

    #[test]
    fn an_endless_message_is_refused() {
        let mut nul = Nul::new(10);
        let mut inbox = BytesMut::from(&b"01234567890"[..]);
        assert!(matches!(nul.decode(&mut inbox), Err(Cause::TooLarge)));
    }
}
