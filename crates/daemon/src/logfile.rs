//! The daemon's log: one file of bounded size, and the part before it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// When the log is this long it becomes `<log>.1`, in bytes. Together at most twice that.
const ROTATE_AT: u64 = 1024 * 1024;

/// A log file that any thread may write lines to.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    /// In the foreground each line is shown as well.
    echo: bool,
    inner: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    length: u64,
}

/// Opens a log file for appending, readable by us alone.
///
/// # Errors
/// The file cannot be made or opened.
pub(crate) fn open_append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

impl LogFile {
    pub(crate) fn open(path: PathBuf, echo: bool) -> io::Result<Self> {
        let file = open_append(&path)?;
        let length = file.metadata()?.len();
        Ok(LogFile {
            path,
            echo,
            inner: Mutex::new(Open { file, length }),
        })
    }

    fn append(&self, line: &[u8]) -> io::Result<()> {
        if self.echo {
            // Nobody may be looking any more; that is no reason to stop.
            drop(io::stderr().write_all(line));
        }
        let mut open = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if open.length + line.len() as u64 > ROTATE_AT {
            let mut before = self.path.clone().into_os_string();
            before.push(".1");
            std::fs::rename(&self.path, before)?;
            open.file = open_append(&self.path)?;
            open.length = 0;
            if !self.echo {
                // A panic is printed to stderr, which must not go to the old file for ever.
                rustix::stdio::dup2_stderr(&open.file)?;
            }
        }
        open.file.write_all(line)?;
        open.length += line.len() as u64;
        Ok(())
    }
}

/// One line on its way into the log.
impl Write for &LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.append(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_grows_beyond_two_parts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let log = LogFile::open(path.clone(), true).unwrap();
        // `echo` keeps this test's own stderr out of the file; the lines are empty on screen.
        let line = vec![b'\r'; 100_000];
        for _ in 0..35 {
            log.append(&line).unwrap();
        }
        let now = path.metadata().unwrap().len();
        let before = dir.path().join("log.1").metadata().unwrap().len();
        assert!(now <= ROTATE_AT && before <= ROTATE_AT, "{now} {before}");
        assert_eq!(now + before, 1_500_000, "the last lines are all there");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
