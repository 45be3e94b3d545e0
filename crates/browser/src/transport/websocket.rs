//! WebSocket frames as a client sends and receives them (RFC 6455, without extensions).
//!
//! Written here and not taken from a library, because each of these costs more in the ones we tried:
//! no buffer is cleared before a read, a payload is not checked for UTF-8 here and again later, a large
//! message goes out in pieces without moving its rest to the front after each write, and every byte that
//! arrives is seen by the caller as a sign of life.
use std::hash::{BuildHasher, RandomState};

use bytes::{Buf, Bytes, BytesMut};
use keeptab_link::Cause;

use super::framed::{Decoded, Framing};
use super::outbox::Encode;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;
/// Control frames are never longer (RFC 6455, 5.5).
const MAX_CONTROL: u64 = 125;

/// The framing of a WebSocket after its handshake.
#[derive(Debug)]
pub(crate) struct WebSocket {
    limit: usize,
    /// The beginning of a message that comes in several frames.
    parts: Option<BytesMut>,
    keys: Keys,
}

impl WebSocket {
    /// A framing that refuses messages of more than `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            parts: None,
            keys: Keys::new(),
        }
    }

    fn data(&mut self, opcode: u8, last: bool, payload: Bytes) -> Result<Decoded, Cause> {
        match (&mut self.parts, opcode) {
            (None, CONTINUATION) => Err(violation("a continuation of nothing")),
            (None, _) if last => Ok(Decoded::Message(payload)),
            (None, _) => {
                self.parts = Some(BytesMut::from(payload));
                Ok(Decoded::Part)
            }
            (Some(parts), CONTINUATION) => {
                if parts.len() + payload.len() > self.limit {
                    return Err(Cause::TooLarge);
                }
                parts.extend_from_slice(&payload);
                if last {
                    let whole = self.parts.take().unwrap_or_default();
                    return Ok(Decoded::Message(whole.freeze()));
                }
                Ok(Decoded::Part)
            }
            (Some(_), _) => Err(violation("a new message inside of another")),
        }
    }

    fn control(&mut self, opcode: u8, payload: Bytes, out: &mut Vec<u8>) {
        self.frame(FIN | opcode, &payload, out);
    }

    fn frame(&mut self, first: u8, payload: &[u8], out: &mut Vec<u8>) {
        let key = self.keys.next();
        out.push(first);
        match payload.len() {
            // Each arm keeps the length within its type, so nothing is cut.
            len @ 0..=125 => out.push(MASKED | len as u8),
            len @ 126..=0xffff => {
                out.push(MASKED | 126);
                out.extend_from_slice(&(len as u16).to_be_bytes());
            }
            len => {
                out.push(MASKED | 127);
                out.extend_from_slice(&(len as u64).to_be_bytes());
            }
        }
        out.extend_from_slice(&key);
        let start = out.len();
        out.extend_from_slice(payload);
        mask(&mut out[start..], key);
    }
}

impl Encode for WebSocket {
    fn encode(&mut self, piece: &[u8], first: bool, last: bool, out: &mut Vec<u8>) {
        let opcode = if first { TEXT } else { CONTINUATION };
        self.frame(opcode | if last { FIN } else { 0 }, piece, out);
    }
}

impl Framing for WebSocket {
    fn decode(&mut self, inbox: &mut BytesMut) -> Result<Decoded, Cause> {
        let Some(head) = Head::read(inbox)? else {
            return Ok(Decoded::More(1));
        };
        if head.opcode < CLOSE && head.len > self.limit as u64 {
            return Err(Cause::TooLarge);
        }
        // Not cut: it is at most the limit, or 125 in a control frame.
        let len = head.len as usize;
        let have = inbox.len() - head.size;
        if have < len {
            return Ok(Decoded::More(len - have));
        }
        inbox.advance(head.size);
        let payload = inbox.split_to(len).freeze();
        match head.opcode {
            CONTINUATION | TEXT | BINARY => self.data(head.opcode, head.last, payload),
            PING => Ok(Decoded::Ping(payload)),
            PONG => Ok(Decoded::Pong),
            CLOSE => Err(close(&payload)),
            _ => Err(violation("an unknown kind of frame")),
        }
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        self.control(PING, Bytes::new(), out);
    }

    fn pong(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        self.control(PONG, Bytes::copy_from_slice(payload), out);
    }
}

/// The head of a frame.
struct Head {
    opcode: u8,
    last: bool,
    len: u64,
    /// Bytes of the head itself.
    size: usize,
}

impl Head {
    fn read(inbox: &[u8]) -> Result<Option<Self>, Cause> {
        let &[first, second, ref rest @ ..] = inbox else {
            return Ok(None);
        };
        if first & RESERVED != 0 {
            return Err(violation("a reserved bit is set"));
        }
        if second & MASKED != 0 {
            return Err(violation("a masked frame from a server"));
        }
        let (len, size) = match (second, rest) {
            (126, &[a, b, ..]) => (u64::from(u16::from_be_bytes([a, b])), 4),
            (127, &[a, b, c, d, e, f, g, h, ..]) => {
                (u64::from_be_bytes([a, b, c, d, e, f, g, h]), 10)
            }
            (126 | 127, _) => return Ok(None),
            (len, _) => (u64::from(len), 2),
        };
        let opcode = first & 0x0f;
        let last = first & FIN != 0;
        if opcode >= CLOSE && (len > MAX_CONTROL || !last) {
            return Err(violation("a control frame in parts or too long"));
        }
        Ok(Some(Self {
            opcode,
            last,
            len,
            size,
        }))
    }
}

fn close(payload: &[u8]) -> Cause {
    match payload {
        [a, b, reason @ ..] => Cause::CloseFrame {
            code: u16::from_be_bytes([*a, *b]),
            reason: String::from_utf8_lossy(reason).into_owned().into(),
        },
        // 1005 stands for a close frame without a code (RFC 6455, 7.4.1).
        _ => Cause::CloseFrame {
            code: 1005,
            reason: Default::default(),
        },
    }
}

fn violation(what: &str) -> Cause {
    Cause::Protocol(format!("WebSocket: {what}").into())
}

/// Masks in place, eight bytes at a time.
fn mask(bytes: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = bytes.chunks_exact_mut(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        chunk.copy_from_slice(&(u64::from_ne_bytes(word) ^ wide).to_ne_bytes());
    }
    for (at, byte) in chunks.into_remainder().iter_mut().enumerate() {
        *byte ^= key[at % 4];
    }
}

/// Masking keys that a peer cannot guess: a keyed hash (seeded by the system) of a counter.
#[derive(Debug)]
struct Keys {
    hash: RandomState,
    count: u64,
    spare: Option<[u8; 4]>,
}

impl Keys {
    fn new() -> Self {
        Self {
            hash: RandomState::new(),
            count: 0,
            spare: None,
        }
    }

    fn next(&mut self) -> [u8; 4] {
        if let Some(key) = self.spare.take() {
            return key;
        }
        self.count += 1;
        let [a, b, c, d, e, f, g, h] = self.hash.hash_one(self.count).to_ne_bytes();
        self.spare = Some([e, f, g, h]);
        [a, b, c, d]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode_all(bytes: &[u8], limit: usize) -> (Vec<Vec<u8>>, Option<Cause>) {
        let mut ws = WebSocket::new(limit);
        let mut inbox = BytesMut::from(bytes);
        let mut messages = Vec::new();
        loop {
            match ws.decode(&mut inbox) {
                Ok(Decoded::Message(message)) => messages.push(message.to_vec()),
                Ok(Decoded::More(_)) => return (messages, None),
                Ok(_) => {}
                Err(cause) => return (messages, Some(cause)),
            }
        }
    }

    /// What a server would see.
    fn unmasked(frame: &[u8]) -> (u8, Vec<u8>) {
        let (len, at) = match frame[1] & 0x7f {
            126 => (usize::from(u16::from_be_bytes([frame[2], frame[3]])), 4),
            127 => (
                u64::from_be_bytes(frame[2..10].try_into().expect("eight bytes")) as usize,
                10,
            ),
            len => (usize::from(len), 2),
        };
        let key = &frame[at..at + 4];
        let payload = frame[at + 4..]
            .iter()
            .enumerate()
            .map(|(at, byte)| byte ^ key[at % 4])
            .collect::<Vec<_>>();
        assert_eq!(payload.len(), len);
        (frame[0], payload)
    }

    #[test]
    fn frames_of_all_length_forms_survive_masking() {
        let mut ws = WebSocket::new(1 << 20);
        for len in [0, 1, 7, 8, 9, 125, 126, 65_535, 65_536, 100_003] {
            let payload = (0..len).map(|at| (at % 251) as u8).collect::<Vec<_>>();
            let mut out = Vec::new();
            ws.encode(&payload, true, true, &mut out);
            let (first, seen) = unmasked(&out);
            assert_eq!(first, FIN | TEXT);
            assert!(seen == payload, "length {len}");
        }
    }

    #[test]
    fn keys_differ() {
        let mut keys = Keys::new();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1000 {
            seen.insert(keys.next());
        }
        assert!(seen.len() > 990, "{} of 1000", seen.len());
    }

    #[test]
    fn a_message_in_parts_with_a_ping_between_them() {
        let bytes = [
            &[TEXT, 2][..],
            b"ab",
            &[FIN | PING, 1],
            b"p",
            &[CONTINUATION, 1],
            b"c",
            &[FIN | CONTINUATION, 1],
            b"d",
            &[FIN | TEXT, 126, 0, 1],
            b"e",
        ]
        .concat();
        let (messages, cause) = decode_all(&bytes, 100);
        assert_eq!(messages, [b"abcd".to_vec(), b"e".to_vec()]);
        assert!(cause.is_none());
    }

    #[test]
    fn a_cut_head_waits_for_more() {
        for bytes in [
            &[FIN | TEXT][..],
            &[FIN | TEXT, 126, 0],
            &[FIN | TEXT, 127, 0, 0, 0],
        ] {
            let (messages, cause) = decode_all(bytes, 100);
            assert!(messages.is_empty() && cause.is_none());
        }
    }

    #[test]
    fn close_frames_keep_code_and_reason() {
        let (_, cause) = decode_all(&[&[FIN | CLOSE, 6, 0x03, 0xe9][..], b"away"].concat(), 100);
        match cause {
            Some(Cause::CloseFrame { code, reason }) => {
                assert_eq!((code, &*reason), (1001, "away"));
            }
            other => panic!("{other:?}"),
        }
        let (_, cause) = decode_all(&[FIN | CLOSE, 0], 100);
        assert!(matches!(cause, Some(Cause::CloseFrame { code: 1005, .. })));
    }

    #[test]
    fn what_breaks_the_rules_ends_the_connection() {
        for (name, bytes) in [
            ("reserved bit", &[FIN | 0x40 | TEXT, 0][..]),
            ("masked", &[FIN | TEXT, MASKED, 0, 0, 0, 0]),
            ("unknown", &[FIN | 3, 0]),
            ("ping in parts", &[PING, 0]),
            ("long ping", &[FIN | PING, 126, 0, 200]),
            ("continuation of nothing", &[FIN | CONTINUATION, 0]),
            ("message in a message", &[TEXT, 0, FIN | TEXT, 0]),
        ] {
            let (_, cause) = decode_all(bytes, 100);
            assert!(
                matches!(cause, Some(Cause::Protocol(_))),
                "{name}: {cause:?}"
            );
        }
    }

    #[test]
    fn too_much_is_refused_before_it_arrives() {
        let huge = [
            FIN | TEXT,
            127,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
        ];
        assert!(matches!(decode_all(&huge, 100).1, Some(Cause::TooLarge)));
        let mut parts = vec![TEXT, 60];
        parts.extend([b'x'; 60]);
        parts.extend([CONTINUATION, 60]);
        parts.extend([b'x'; 60]);
        assert!(matches!(decode_all(&parts, 100).1, Some(Cause::TooLarge)));
    }
}
