//! Frames from the owner.

use std::io;
use std::time::Duration;

use bytes::BytesMut;

use crate::frame::{self, Frame};

/// Standard input as frames.
pub(super) struct Input {
    buffer: BytesMut,
    source: source::Source,
    max: usize,
}

/// What waiting for input brought.
pub(super) enum Got {
    Frame(Frame),
    /// Time is up.
    Nothing,
    /// The owner is gone.
    End,
}

impl Input {
    pub(super) fn new(max: usize) -> Self {
        Self {
            buffer: BytesMut::with_capacity(16 << 10),
            source: source::Source::default(),
            max,
        }
    }

    pub(super) fn set_max(&mut self, max: usize) {
        self.max = max;
    }

    /// The next frame, waiting for it at most `patience` (`None`: for ever).
    pub(super) fn next(&mut self, patience: Option<Duration>) -> io::Result<Got> {
        let mut patience = patience;
        loop {
            let taken = frame::take(&mut self.buffer, self.max)
                .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
            if let Some(frame) = taken {
                return Ok(Got::Frame(frame));
            }
            if !self.buffer.is_empty() {
                // Half a frame is here; its rest is on the way.
                patience = None;
            } else if self.buffer.capacity() > 1 << 20 {
                // Do not keep the room that one large result needed.
                self.buffer = BytesMut::with_capacity(16 << 10);
            }
            match self.source.fill(&mut self.buffer, patience)? {
                None => return Ok(Got::Nothing),
                Some(0) => return Ok(Got::End),
                Some(_) => {}
            }
        }
    }
}

#[cfg(unix)]
mod source {
    use std::io;
    use std::time::{Duration, Instant};

    use bytes::BytesMut;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;

    pub(super) struct Source {
        piece: Vec<u8>,
    }

    impl Default for Source {
        fn default() -> Self {
            Self {
                piece: vec![0; 64 << 10],
            }
        }
    }

    impl Source {
        /// Reads what there is; `None` when nothing came in time.
        pub(super) fn fill(
            &mut self,
            buffer: &mut BytesMut,
            patience: Option<Duration>,
        ) -> io::Result<Option<usize>> {
            let stdin = rustix::stdio::stdin();
            if let Some(patience) = patience {
                let until = Instant::now() + patience;
                loop {
                    let left = until.saturating_duration_since(Instant::now());
                    let timeout = Timespec {
                        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                        tv_nsec: left.subsec_nanos().into(),
                    };
                    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
                    match poll(&mut fds, Some(&timeout)) {
                        Ok(0) => return Ok(None),
                        Ok(_) => break,
                        Err(Errno::INTR) => {}
                        Err(e) => return Err(e.into()),
                    }
                }
            }
            loop {
                match rustix::io::read(stdin, &mut self.piece[..]) {
                    Ok(n) => {
                        buffer.extend_from_slice(&self.piece[..n]);
                        return Ok(Some(n));
                    }
                    Err(Errno::INTR) => {}
                    Err(e) => return Err(e.into()),
                }
            }
        }
    }
}

#[cfg(not(unix))]
mod source {
    use std::io::{self, Read};
    use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
    use std::time::Duration;

    use bytes::BytesMut;

    /// Where standard input cannot be polled, a thread reads it ahead, at most four pieces.
    pub(super) struct Source {
        pieces: Receiver<Vec<u8>>,
    }

    impl Default for Source {
        fn default() -> Self {
            let (send, pieces) = sync_channel(4);
            std::thread::spawn(move || {
                let mut stdin = io::stdin().lock();
                let mut piece = vec![0; 64 << 10];
                while let Ok(n) = stdin.read(&mut piece) {
                    if n == 0 || send.send(piece[..n].to_vec()).is_err() {
                        break;
                    }
                }
            });
            Self { pieces }
        }
    }

    impl Source {
        pub(super) fn fill(
            &mut self,
            buffer: &mut BytesMut,
            patience: Option<Duration>,
        ) -> io::Result<Option<usize>> {
            let piece = match patience {
                Some(patience) => self.pieces.recv_timeout(patience),
                None => self
                    .pieces
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
            };
            match piece {
                Ok(piece) => {
                    buffer.extend_from_slice(&piece);
                    Ok(Some(piece.len()))
                }
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Ok(Some(0)),
            }
        }
    }
}
