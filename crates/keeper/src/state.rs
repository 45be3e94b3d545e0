//! The state file: who a keeper is, for those who come after the daemon that started it.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::wire::{Flat, VERSION, quoted};

/// Longest state file that is read, in bytes.
const MAX_STATE: u64 = 64 * 1024;

/// What a keeper says about itself. Written whole or not at all, mode 0600.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// The keeper's process id.
    pub pid: u32,
    /// When the keeper started, in the kernel's own count: tells it from
    /// another process that got the same id later. 0 where the system has no `/proc`.
    pub started: u64,
    /// The browser's process id.
    pub browser_pid: u32,
    /// As `started`, for the browser.
    pub browser_started: u64,
    /// The Unix socket where the owner connects.
    pub socket: PathBuf,
    /// The browser's profile directory.
    pub profile: PathBuf,
    /// The browser's own name and version, e.g. `Chrome/156.0.1.2`. Empty until it answered.
    pub version: String,
    /// How the browser ended, e.g. `exit 0` or `signal 9`; `None` while it runs.
    pub exited: Option<String>,
}

/// Whether a keeper can still be adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// Keeper and browser run.
    Alive,
    /// The browser ended by itself, in this way; the keeper may still be there to tell its owner.
    BrowserExited(String),
    /// The keeper is gone without having cleaned up.
    Dead,
}

impl State {
    /// Reads a state file.
    ///
    /// # Errors
    /// As reading the file; `InvalidData` when it is no state file of this version.
    pub fn read(path: &Path) -> io::Result<Self> {
        use io::Read as _;
        let mut bytes = Vec::new();
        fs::File::open(path)?
            .take(MAX_STATE)
            .read_to_end(&mut bytes)?;
        Self::parse(&bytes).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "not a keeper's state file of this version",
            )
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let flat = Flat::parse(bytes)?;
        if flat.number("keeper")? != VERSION {
            return None;
        }
        let number = |key| u32::try_from(flat.number(key)?).ok();
        Some(Self {
            pid: number("pid")?,
            started: flat.number("started")?,
            browser_pid: number("browserPid")?,
            browser_started: flat.number("browserStarted")?,
            socket: flat.text("socket")?.into(),
            profile: flat.text("profile")?.into(),
            version: flat.text("version")?.to_owned(),
            exited: flat.text("exited").map(str::to_owned),
        })
    }

    /// Writes the file beside itself and renames it into place.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let temporary = with_suffix(path, ".new");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)?;
        writeln!(
            file,
            "{{\"keeper\":{VERSION},\"pid\":{},\"started\":{},\"browserPid\":{},\
             \"browserStarted\":{},\"socket\":{},\"profile\":{},\"version\":{},\"exited\":{}}}",
            self.pid,
            self.started,
            self.browser_pid,
            self.browser_started,
            quoted(&self.socket.to_string_lossy()),
            quoted(&self.profile.to_string_lossy()),
            quoted(&self.version),
            self.exited.as_deref().map_or("null".to_owned(), quoted),
        )?;
        fs::rename(temporary, path)
    }

    /// What became of this keeper. Looks at the process and its start time; where
    /// there is no `/proc`, at whether the socket accepts.
    #[must_use]
    pub fn life(&self) -> Life {
        if let Some(how) = &self.exited {
            return Life::BrowserExited(how.clone());
        }
        let alive = match start_time(self.pid) {
            Some(started) => started == self.started,
            None => !has_proc() && UnixStream::connect(&self.socket).is_ok(),
        };
        if alive { Life::Alive } else { Life::Dead }
    }
}

/// `path` with `suffix` after its whole name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(crate) fn has_proc() -> bool {
    Path::new("/proc/self/stat").exists()
}

/// When process `pid` started, in clock ticks since the system did. `None` when
/// there is no such process, it is a zombie, or the system has no `/proc`.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the command in brackets and may hold anything.
    let rest = &stat[memchr::memrchr(b')', &stat)? + 1..];
    let mut fields = std::str::from_utf8(rest).ok()?.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            pid: std::process::id(),
            started: start_time(std::process::id()).unwrap_or(0),
            browser_pid: 5,
            browser_started: 6,
            socket: "/nowhere/a \"quoted\"\\name".into(),
            profile: "/nowhere/p".into(),
            version: "Chrome/1".into(),
            exited: None,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("a.keeper");
        for exited in [None, Some("signal 9".to_owned())] {
            let state = State { exited, ..state() };
            state.write(&path).expect("written");
            assert_eq!(State::read(&path).expect("read"), state);
        }
        fs::write(&path, b"{\"keeper\":2}").expect("written");
        assert_eq!(
            State::read(&path).expect_err("refused").kind(),
            io::ErrorKind::InvalidData
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_reused_pid_is_not_trusted() {
        assert_eq!(state().life(), Life::Alive);
        assert_eq!(
            State {
                started: 1,
                ..state()
            }
            .life(),
            Life::Dead
        );
        assert_eq!(
            State {
                pid: u32::MAX,
                ..state()
            }
            .life(),
            Life::Dead
        );
        let exited = State {
            exited: Some("exit 1".into()),
            ..state()
        };
        assert_eq!(exited.life(), Life::BrowserExited("exit 1".into()));
    }
}
