//! Frames to the owner.

use std::io;

use crate::frame::{self, Kind};

/// Small frames are collected and go out together at the end of a turn.
const COLLECT: usize = 64 << 10;

/// Frames that wait to be written to standard output.
#[derive(Default)]
pub(super) struct Outbox {
    buffer: Vec<u8>,
}

impl Outbox {
    /// Adds a frame whose payload is the `parts` one after the other.
    pub(super) fn push(&mut self, kind: Kind, id: u32, parts: &[&[u8]]) {
        let len = parts.iter().map(|p| p.len()).sum();
        self.buffer.extend_from_slice(&frame::header(kind, id, len));
        for part in parts {
            if part.len() > COLLECT {
                // A large payload is written from where it lies.
                self.flush();
                write_all(part);
            } else {
                self.buffer.extend_from_slice(part);
            }
        }
        if self.buffer.len() > COLLECT {
            self.flush();
        }
    }

    /// Takes back what was not written yet.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    pub(super) fn flush(&mut self) {
        write_all(&self.buffer);
        self.buffer.clear();
    }
}

/// Writes everything, or ends the process: without its owner a worker has no purpose.
fn write_all(bytes: &[u8]) {
    if try_write_all(bytes).is_err() {
        std::process::exit(0);
    }
}

#[cfg(unix)]
fn try_write_all(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(rustix::stdio::stdout(), bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn try_write_all(bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}
