//! The frames between a worker and its owner.
//!
//! `u32` length of what follows · `u8` kind · `u32` id · payload, all little-endian. The payload is
//! UTF-8, mostly JSON; results of the browser and output of the snippet travel as they are, so that a
//! large one is neither escaped nor parsed on the way.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes before the payload: length, kind, id.
pub(crate) const HEADER: usize = 9;

/// What a frame means. `id` is an eval's or a call's, whichever the kind is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// To the worker, first: the limits.
    Init = 1,
    /// To the worker: run code. Payload: [`crate::wire::EvalStart`].
    Eval = 2,
    /// To the worker: a call succeeded. Payload: the result, raw JSON.
    Reply = 3,
    /// To the worker: a call failed. Payload: [`crate::wire::Failure`].
    Failed = 4,
    /// To the worker: an event somebody listens for. Payload: `{method, params, sessionId}`.
    Event = 5,
    /// To the worker: the connection's state changed. Payload: [`crate::wire::Link`].
    Link = 6,
    /// To the worker: nobody waits for this eval any more.
    Abandon = 7,

    /// From the worker: ready for code.
    Ready = 65,
    /// From the worker: result text of an eval.
    Output = 66,
    /// From the worker: console text of an eval (id 0: of none).
    Console = 67,
    /// From the worker: an eval ended. Payload: [`crate::wire::EvalEnd`].
    Done = 68,
    /// From the worker: a call. Payload: [`crate::wire::Call`].
    Call = 69,
    /// From the worker: which events it wants. Payload: [`crate::wire::Listen`].
    Listen = 70,
    /// From the worker: code runs although no eval does.
    Busy = 71,
    /// From the worker: that code ended.
    Idle = 72,
    /// From the worker: the snippet chose another active target. Payload: a JSON string or null.
    Active = 73,
    /// From the worker: it cannot go on. Payload: why.
    Fatal = 74,
    /// From the worker: a CDP command. Payload: `u32` length of the head, [`crate::wire::CommandHead`],
    /// the parameters as they are.
    Command = 75,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Init,
            2 => Self::Eval,
            3 => Self::Reply,
            4 => Self::Failed,
            5 => Self::Event,
            6 => Self::Link,
            7 => Self::Abandon,
            65 => Self::Ready,
            66 => Self::Output,
            67 => Self::Console,
            68 => Self::Done,
            69 => Self::Call,
            70 => Self::Listen,
            71 => Self::Busy,
            72 => Self::Idle,
            73 => Self::Active,
            74 => Self::Fatal,
            75 => Self::Command,
            _ => return None,
        })
    }
}

/// One frame.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) id: u32,
    pub(crate) payload: Bytes,
}

/// Why bytes are not a frame.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum FrameError {
    #[error("a frame of {0} bytes is over the limit")]
    TooLarge(usize),
    #[error("frame kind {0} is unknown")]
    UnknownKind(u8),
    #[error("a frame of {0} bytes is shorter than its header")]
    TooShort(usize),
}

/// The header for a payload of `len` bytes.
pub(crate) fn header(kind: Kind, id: u32, len: usize) -> [u8; HEADER] {
    let mut out = [0; HEADER];
    // Payloads are bounded by `Limits::frame`, far below 4 GiB.
    let total = u32::try_from(len + HEADER - 4).unwrap_or(u32::MAX);
    out[..4].copy_from_slice(&total.to_le_bytes());
    out[4] = kind as u8;
    out[5..].copy_from_slice(&id.to_le_bytes());
    out
}

/// Takes one whole frame off the front of `buffer`, or `None` when more bytes are needed.
///
/// Reserves room for the rest of a large frame, so that it is read in place and not grown into.
pub(crate) fn take(buffer: &mut BytesMut, max: usize) -> Result<Option<Frame>, FrameError> {
    let Some(prefix) = buffer.first_chunk::<4>() else {
        return Ok(None);
    };
    let len = u32::from_le_bytes(*prefix) as usize;
    if len < HEADER - 4 {
        return Err(FrameError::TooShort(len));
    }
    if len > max.saturating_add(HEADER) {
        return Err(FrameError::TooLarge(len));
    }
    if buffer.len() < 4 + len {
        buffer.reserve(4 + len - buffer.len());
        return Ok(None);
    }
    buffer.advance(4);
    let mut frame = buffer.split_to(len).freeze();
    let kind = frame.get_u8();
    let kind = Kind::from_byte(kind).ok_or(FrameError::UnknownKind(kind))?;
    let id = frame.get_u32_le();
    Ok(Some(Frame {
        kind,
        id,
        payload: frame,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(kind: Kind, id: u32, payload: &[u8]) -> BytesMut {
        let mut bytes = BytesMut::from(&header(kind, id, payload.len())[..]);
        bytes.extend_from_slice(payload);
        bytes
    }

    #[test]
    fn a_frame_comes_out_as_it_went_in_however_it_is_cut() {
        let whole = encoded(Kind::Call, 77, b"{\"a\":1}");
        for cut in 0..whole.len() {
            let mut buffer = BytesMut::from(&whole[..cut]);
            assert!(
                take(&mut buffer, 1024).expect("valid so far").is_none(),
                "cut at {cut}"
            );
            buffer.extend_from_slice(&whole[cut..]);
            let frame = take(&mut buffer, 1024).expect("valid").expect("whole");
            assert_eq!(
                (frame.kind, frame.id, &frame.payload[..]),
                (Kind::Call, 77, &b"{\"a\":1}"[..])
            );
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn two_frames_in_one_read_are_two() {
        let mut buffer = encoded(Kind::Busy, 0, b"");
        buffer.extend_from_slice(&encoded(Kind::Idle, 0, b""));
        assert_eq!(
            take(&mut buffer, 16).expect("ok").expect("first").kind,
            Kind::Busy
        );
        assert_eq!(
            take(&mut buffer, 16).expect("ok").expect("second").kind,
            Kind::Idle
        );
        assert!(take(&mut buffer, 16).expect("ok").is_none());
    }

    #[test]
    fn hostile_lengths_are_refused_before_anything_is_allocated() {
        let mut huge = BytesMut::from(&u32::MAX.to_le_bytes()[..]);
        assert_eq!(
            take(&mut huge, 1024).unwrap_err(),
            FrameError::TooLarge(u32::MAX as usize)
        );
        let mut short = BytesMut::from(&2u32.to_le_bytes()[..]);
        assert_eq!(take(&mut short, 1024).unwrap_err(), FrameError::TooShort(2));
        let mut unknown = encoded(Kind::Busy, 0, b"");
        unknown[4] = 200;
        assert_eq!(
            take(&mut unknown, 1024).unwrap_err(),
            FrameError::UnknownKind(200)
        );
    }
}
