//! The Unix socket: who may come in, and the first word of those who do.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, flock};
use rustix::process::{geteuid, umask};

use crate::buffer::{Read, read};
use crate::wire::{Flat, MAX_CONTROL, VERSION};

/// Connections that have not said hello yet; more wait in the kernel's queue.
pub(crate) const MAX_GUESTS: usize = 8;
/// How long a connection may take to say hello.
const HELLO_PATIENCE: Duration = Duration::from_secs(5);

/// Binds `socket` with mode 0600 in a directory that only we may enter. A
/// socket file that nobody listens on is replaced; one that answers is not.
pub(crate) fn open(socket: &Path) -> io::Result<UnixListener> {
    let dir = socket
        .parent()
        .ok_or_else(|| io::Error::other("the socket has no directory"))?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)?;
    let meta = fs::metadata(dir)?;
    if meta.uid() != geteuid().as_raw() || meta.mode() & 0o077 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} must belong to us with mode 0700", dir.display()),
        ));
    }
    // Of two keepers that start at once, the second waits here and then finds the first.
    let dir = fs::File::open(dir)?;
    flock(&dir, FlockOperation::LockExclusive)?;
    if UnixStream::connect(socket).is_ok() {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another keeper listens there",
        ));
    }
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let before = umask(Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(socket);
    umask(before);
    let listener = listener?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// A connection that has not said hello.
pub(crate) struct Guest {
    pub(crate) stream: UnixStream,
    pub(crate) until: Instant,
    said: Vec<u8>,
}

/// What a guest turned out to be.
pub(crate) enum Word {
    /// Not said yet.
    Waiting,
    Hello(Hello),
    /// Not one of us, for this reason.
    Refuse(&'static str),
    Left,
}

pub(crate) struct Hello {
    pub(crate) epoch: u64,
    pub(crate) client: String,
    /// What came behind the hello in the same breath.
    pub(crate) rest: Vec<u8>,
}

impl Guest {
    /// Lets a connection in if it comes from our own user.
    pub(crate) fn admit(stream: UnixStream, now: Instant) -> Option<Self> {
        // Elsewhere the modes of the socket and its directory alone decide.
        #[cfg(target_os = "linux")]
        if rustix::net::sockopt::socket_peercred(&stream).ok()?.uid != geteuid() {
            return None;
        }
        stream.set_nonblocking(true).ok()?;
        Some(Self {
            stream,
            until: now + HELLO_PATIENCE,
            said: Vec::new(),
        })
    }

    pub(crate) fn listen(&mut self) -> Word {
        let mut chunk = [0; MAX_CONTROL];
        match read(&self.stream, &mut chunk) {
            Read::Bytes(count) => self.said.extend_from_slice(&chunk[..count]),
            Read::Nothing => return Word::Waiting,
            Read::End => return Word::Left,
        }
        let Some(end) = memchr::memchr(0, &self.said) else {
            let too_long = self.said.len() > MAX_CONTROL;
            return if too_long {
                Word::Refuse("hello_too_long")
            } else {
                Word::Waiting
            };
        };
        let Some(flat) = Flat::parse(&self.said[..end]) else {
            return Word::Refuse("no_hello");
        };
        match (flat.number("hello"), flat.number("epoch")) {
            (Some(VERSION), Some(epoch)) => Word::Hello(Hello {
                epoch,
                client: flat.text("client").unwrap_or("").chars().take(64).collect(),
                rest: self.said.split_off(end + 1),
            }),
            (Some(_), Some(_)) => Word::Refuse("version"),
            _ => Word::Refuse("no_hello"),
        }
    }
}
