//! The lock that makes one daemon out of many that start at once.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

/// The held lock. The kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct DaemonLock {
    file: File,
}

impl DaemonLock {
    /// Takes the lock if nobody has it, and notes our process id in it.
    ///
    /// # Errors
    /// The file cannot be opened or locked for another reason than that somebody has it.
    pub(crate) fn try_take(path: &Path) -> io::Result<Option<DaemonLock>> {
        let mut file = open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        // Only for people and `daemon status`; a full disk must not stop the daemon.
        let noted = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        drop(noted);
        Ok(Some(DaemonLock { file }))
    }

    /// Whether the file that is locked is still the one at `path`.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        match (self.file.metadata(), path.symlink_metadata()) {
            (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
            _ => false,
        }
    }

    /// The process id of the holder, or `None` when nobody holds the lock.
    ///
    /// # Errors
    /// The file exists but cannot be read.
    pub(crate) fn holder(path: &Path) -> io::Result<Option<u32>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            // Nobody; our own shared lock goes away with the file.
            Ok(()) => return Ok(None),
            Err(rustix::io::Errno::WOULDBLOCK) => {}
            Err(error) => return Err(error.into()),
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok(Some(text.trim().parse().unwrap_or(0)))
    }
}

fn open(path: &Path) -> io::Result<File> {
    // We never remove the file: a lock on a removed file excludes nobody.
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_taker_gets_nothing_until_the_first_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert_eq!(DaemonLock::holder(&path).unwrap(), None);
        let first = DaemonLock::try_take(&path).unwrap();
        assert!(first.is_some());
        assert!(DaemonLock::try_take(&path).unwrap().is_none());
        assert_eq!(DaemonLock::holder(&path).unwrap(), Some(std::process::id()));
        drop(first);
        assert_eq!(DaemonLock::holder(&path).unwrap(), None);
        assert!(DaemonLock::try_take(&path).unwrap().is_some());
    }
}
