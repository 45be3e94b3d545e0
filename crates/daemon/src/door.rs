//! Where the daemon is met: its lock and its socket, kept in place for as long as it lives.

use std::io;

use tokio::net::UnixListener;

use crate::lock::DaemonLock;
use crate::paths::Paths;
use crate::socket::BoundSocket;

/// The place that callers come to. Cleaners of temporary directories remove it under a running daemon, which
/// nobody could reach or replace then.
#[derive(Debug)]
pub(crate) struct Door {
    paths: Paths,
    lock: DaemonLock,
    socket: BoundSocket,
    /// None once it is closed.
    listener: Option<UnixListener>,
}

impl Door {
    /// # Errors
    /// The socket cannot be bound.
    pub(crate) fn open(paths: &Paths, lock: DaemonLock) -> io::Result<Self> {
        let (socket, listener) = bind(paths, &lock)?;
        Ok(Door {
            paths: paths.clone(),
            lock,
            socket,
            listener,
        })
    }

    pub(crate) fn listener(&self) -> Option<&UnixListener> {
        self.listener.as_ref()
    }

    /// Makes anew what somebody has removed. Returns whether this process still is the daemon: another one may
    /// have taken the place meanwhile.
    pub(crate) fn keep(&mut self) -> bool {
        if self.socket.is_there() && self.lock.is_at(&self.paths.lock()) {
            return true;
        }
        match self.make_anew() {
            Ok(true) => tracing::warn!("the socket had been removed, and is there again"),
            Ok(false) => {
                tracing::error!("the socket had been removed, and another daemon has its place");
                return false;
            }
            Err(error) => tracing::warn!("the socket was removed and cannot be made anew: {error}"),
        }
        true
    }

    fn make_anew(&mut self) -> io::Result<bool> {
        self.paths.prepare().map_err(io::Error::other)?;
        let path = self.paths.lock();
        if !self.lock.is_at(&path) {
            match DaemonLock::try_take(&path)? {
                Some(lock) => self.lock = lock,
                None => return Ok(false),
            }
        }
        if !self.socket.is_there() {
            // The old listener is dropped last: until then no new file can have the number of its file.
            let (socket, listener) = bind(&self.paths, &self.lock)?;
            self.socket = socket;
            self.listener = listener;
        }
        Ok(true)
    }

    /// Takes the file away; who waits already is still let in.
    pub(crate) fn unlink(&self) {
        self.socket.unlink();
    }

    /// Lets nobody in any more. The lock stays until the door itself is dropped.
    pub(crate) fn close(&mut self) {
        self.listener = None;
    }
}

fn bind(paths: &Paths, lock: &DaemonLock) -> io::Result<(BoundSocket, Option<UnixListener>)> {
    let mut socket = BoundSocket::bind(&paths.socket(), lock)?;
    let listener = socket.take().map(UnixListener::from_std).transpose()?;
    Ok((socket, listener))
}
