//! A keeper that is known by nothing but its socket.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::process::{runs, signal};

/// Whoever listens at a keeper's socket. Sockets lie in a directory that only we may enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listening {
    /// The socket.
    pub socket: PathBuf,
    /// The process that listens.
    pub pid: u32,
    started: u64,
}

impl Listening {
    /// Looks who listens at a socket. `None` when nobody does and nobody will.
    ///
    /// # Errors
    /// Nobody can tell; on systems other than Linux that is so when somebody listens.
    pub fn at(socket: &Path) -> io::Result<Option<Self>> {
        match UnixStream::connect(socket) {
            Ok(stream) => listener(socket, &stream).map(Some),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether it still runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        runs(self.pid, self.started)
    }

    /// Asks it to end, which closes its browser first. False when it runs no more.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn ask_to_end(&self) -> io::Result<bool> {
        signal(self.pid, self.started, Signal::TERM)
    }
}

#[cfg(target_os = "linux")]
fn listener(socket: &Path, stream: &UnixStream) -> io::Result<Listening> {
    // The kernel noted it when the socket began to listen.
    let peer = rustix::net::sockopt::socket_peercred(stream)?;
    let pid = u32::try_from(peer.pid.as_raw_nonzero().get()).map_err(io::Error::other)?;
    let started = crate::state::start_time(pid)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it has just ended"))?;
    Ok(Listening {
        socket: socket.to_owned(),
        pid,
        started,
    })
}

#[cfg(not(target_os = "linux"))]
fn listener(_: &Path, _: &UnixStream) -> io::Result<Listening> {
    Err(io::ErrorKind::Unsupported.into())
}
