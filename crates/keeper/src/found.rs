//! Finding the keepers of a directory, and clearing up after those that are dead.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::process::{runs, signal};
use crate::state::{Life, State, start_time, with_suffix};

/// How the names of state files end.
pub const STATE_SUFFIX: &str = ".keeper";

/// What lies beside a state file: its name and one of these.
pub const BESIDE: [&str; 3] = [".stderr", ".log", ".new"];

/// Removes what lies beside a state file, once nobody needs it any more.
pub fn clear_beside(state: &Path) {
    for suffix in BESIDE {
        let _ = fs::remove_file(with_suffix(state, suffix));
    }
}

/// A state file and what became of its keeper.
#[derive(Debug, Clone)]
pub struct Found {
    /// The state file.
    pub path: PathBuf,
    /// What it says.
    pub state: State,
    /// Whether that is still true.
    pub life: Life,
}

/// The keepers whose state files are in `dir`, by name. Files that cannot be
/// read come with the reason; a directory that does not exist has none.
///
/// # Errors
/// As reading the directory.
pub fn list(dir: &Path) -> io::Result<Vec<Result<Found, (PathBuf, io::Error)>>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(STATE_SUFFIX) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths
        .into_iter()
        .map(|path| Found::read(&path).map_err(|e| (path, e)))
        .collect())
}

impl Found {
    /// Reads one state file and looks at its keeper.
    ///
    /// # Errors
    /// As [`State::read`].
    pub fn read(path: &Path) -> io::Result<Self> {
        let state = State::read(path)?;
        let life = state.life();
        Ok(Self {
            path: path.to_owned(),
            state,
            life,
        })
    }

    /// Whether the keeper's process runs, also one that only waits to tell of its browser's end.
    #[must_use]
    pub fn keeper_runs(&self) -> bool {
        runs(self.state.pid, self.state.started)
    }

    /// Whether the browser's process runs.
    #[must_use]
    pub fn browser_runs(&self) -> bool {
        runs(self.state.browser_pid, self.state.browser_started)
    }

    /// Asks the keeper to end, which closes its browser first. False when it runs no more; another
    /// process that has its id by now is not touched.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn ask_to_end(&self) -> io::Result<bool> {
        signal(self.state.pid, self.state.started, Signal::TERM)
    }

    /// Asks the browser of a dead keeper to end; it saves its profile first. False as above.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn ask_browser_to_end(&self) -> io::Result<bool> {
        signal(
            self.state.browser_pid,
            self.state.browser_started,
            Signal::INT,
        )
    }

    /// Removes what a dead keeper left: its files, and its browser if that one
    /// still runs (told from a reused process id by its start time). Does
    /// nothing and returns false while the keeper is alive.
    ///
    /// # Errors
    /// As removing the state file.
    pub fn clear(&self) -> io::Result<bool> {
        if self.life == Life::Alive || start_time(self.state.pid) == Some(self.state.started) {
            return Ok(false);
        }
        if start_time(self.state.browser_pid).is_some_and(|t| t == self.state.browser_started)
            && let Some(pid) = i32::try_from(self.state.browser_pid)
                .ok()
                .and_then(Pid::from_raw)
        {
            let _ = kill_process_group(pid, Signal::KILL);
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = fs::remove_file(&self.state.socket);
        clear_beside(&self.path);
        match fs::remove_file(&self.path) {
            // A keeper that was ending while this was read removes it by itself.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(true),
        }
    }
}
