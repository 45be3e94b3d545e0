//! WebSocket frames as they are on the wire: read whole, forwarded byte for byte.

use tokio::io::{AsyncRead, AsyncReadExt};

pub(super) const TEXT: u8 = 1;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// Larger than anything Chromium sends in one frame; a length beyond it means that the stream is out of step.
const LARGEST: u64 = 600 << 20;

/// One frame with its wire form.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) fin: bool,
    pub(super) opcode: u8,
    mask: Option<[u8; 4]>,
    head: usize,
    /// Head and payload, exactly as they came.
    pub(super) wire: Vec<u8>,
}

impl Frame {
    /// The payload without its mask, at most `limit` bytes of it.
    pub(super) fn payload(&self, limit: usize) -> Vec<u8> {
        let body = &self.wire[self.head..];
        let body = &body[..body.len().min(limit)];
        match self.mask {
            None => body.to_vec(),
            Some(mask) => body
                .iter()
                .zip(mask.iter().cycle())
                .map(|(b, m)| b ^ m)
                .collect(),
        }
    }

    /// How many bytes of the wire form are enough to be in the middle of the payload.
    pub(super) fn middle(&self) -> usize {
        self.head + (self.wire.len() - self.head) / 2
    }

    /// Whether there is a middle to be cut in.
    pub(super) fn can_be_cut(&self) -> bool {
        self.wire.len() - self.head >= 2
    }
}

/// Reads the next frame. `Ok(None)` when the stream ended between frames.
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Option<Frame>> {
    let mut wire = vec![0; 2];
    if from.read(&mut wire[..1]).await? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut wire[1..]).await?;
    let short = u64::from(wire[1] & 0x7f);
    let extra = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let masked = wire[1] & 0x80 != 0;
    let head = 2 + extra + if masked { 4 } else { 0 };
    wire.resize(head, 0);
    from.read_exact(&mut wire[2..]).await?;
    let length = match extra {
        0 => short,
        _ => wire[2..2 + extra]
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    };
    if length > LARGEST {
        return Err(std::io::Error::other("a frame of impossible length"));
    }
    let mask = masked.then(|| {
        [
            wire[head - 4],
            wire[head - 3],
            wire[head - 2],
            wire[head - 1],
        ]
    });
    // `LARGEST` fits a usize on every machine that runs Chromium.
    wire.resize(head + length as usize, 0);
    from.read_exact(&mut wire[head..]).await?;
    Ok(Some(Frame {
        fin: wire[0] & 0x80 != 0,
        opcode: wire[0] & 0x0f,
        mask,
        head,
        wire,
    }))
}

/// A server's frame (never masked) with a short payload.
pub(super) fn from_server(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut payload = payload;
    if payload.len() > 125 {
        // Only control frames are made here, and those are limited to 125 bytes.
        payload = &payload[..125];
    }
    let mut wire = vec![0x80 | opcode, payload.len() as u8];
    wire.extend_from_slice(payload);
    wire
}

/// A server's close frame.
pub(super) fn close(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    from_server(CLOSE, &payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reads_a_masked_frame_and_keeps_its_bytes() {
        let wire = [0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2];
        let frame = read(&mut &wire[..]).await.unwrap().unwrap();
        assert_eq!(
            (frame.fin, frame.opcode, frame.payload(99)),
            (true, TEXT, b"hi".to_vec())
        );
        assert_eq!(frame.wire, wire);
        assert_eq!(frame.middle(), 7);
    }

    #[tokio::test]
    async fn reads_a_long_frame() {
        let mut wire = vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0];
        wire.extend(vec![b'x'; 65536]);
        let frame = read(&mut &wire[..]).await.unwrap().unwrap();
        assert_eq!(frame.payload(usize::MAX).len(), 65536);
    }

    #[tokio::test]
    async fn tells_an_end_between_frames_from_one_inside() {
        assert!(read(&mut &[][..]).await.unwrap().is_none());
        assert!(read(&mut &[0x81, 5, b'x'][..]).await.is_err());
    }
}
