//! Binding the daemon's socket so that only its own user can speak to it.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;

use crate::lock::DaemonLock;

/// The bound socket; the file goes away with it.
#[derive(Debug)]
pub(crate) struct BoundSocket {
    path: PathBuf,
    /// The file that was made: its device and number.
    file: (u64, u64),
    listener: Option<UnixListener>,
}

impl BoundSocket {
    /// Binds `path`, in place of what a dead daemon left there. Holding the lock is what allows
    /// removing it: nobody else can be behind that file.
    pub(crate) fn bind(path: &Path, _held: &DaemonLock) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Ok(()) => tracing::info!("replaced the socket of a daemon that is gone"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // By umask, not by chmod afterwards: there is no moment in which others could connect.
        // The process keeps a private umask for everything that it writes later.
        rustix::process::umask(Mode::from_raw_mode(0o177));
        let bound = UnixListener::bind(path);
        rustix::process::umask(Mode::from_raw_mode(0o077));
        let listener = bound?;
        listener.set_nonblocking(true)?;
        Ok(BoundSocket {
            path: path.to_path_buf(),
            file: file_at(path)?,
            listener: Some(listener),
        })
    }

    /// The listener, once.
    pub(crate) fn take(&mut self) -> Option<UnixListener> {
        self.listener.take()
    }

    /// Whether the file is there, and nothing else in its place.
    pub(crate) fn is_there(&self) -> bool {
        file_at(&self.path).is_ok_and(|file| file == self.file)
    }

    /// Removes the file, so that nobody connects to a daemon that is about to end.
    pub(crate) fn unlink(&self) {
        if !self.is_there() {
            return;
        }
        if let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

fn file_at(path: &Path) -> io::Result<(u64, u64)> {
    let found = path.symlink_metadata()?;
    Ok((found.dev(), found.ino()))
}

impl Drop for BoundSocket {
    fn drop(&mut self) {
        self.unlink();
    }
}
