//! Starting the daemon when it is not there. Any number of callers may do so at once.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::patience::connect_within;
use crate::error::{ApiError, Code};
use crate::logfile::open_append;
use crate::paths::Paths;

/// How long a daemon may take until its socket answers.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// What must not leak from the caller's environment into a daemon that serves everybody.
const CALLERS_OWN: &[&str] = &["KEEPTAB_SESSION", "BU_TARGET_ID", "BU_CDP_PORT"];

/// The program and arguments that run a daemon in the background.
#[derive(Debug, Clone)]
pub struct Starter {
    /// The program; usually our own.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

impl Starter {
    /// This very program, as `keeptab daemon run --background`.
    ///
    /// # Errors
    /// The system does not say which file we are.
    pub fn this_program() -> Result<Self, ApiError> {
        let program = std::env::current_exe().map_err(|error| {
            ApiError::new(
                Code::NoDaemon,
                format!("cannot tell which program this is: {error}"),
            )
        })?;
        let args = ["daemon", "run", "--background"]
            .map(OsString::from)
            .to_vec();
        Ok(Starter { program, args })
    }

    /// Starts a daemon and waits until its socket answers. When several callers do this at once,
    /// the daemon's lock lets one of their daemons live, and all callers get that one.
    ///
    /// # Errors
    /// The directories are not usable, the program cannot be started or ends with an error, or no
    /// socket answers in time.
    pub fn start(&self, paths: &Paths) -> Result<UnixStream, ApiError> {
        paths
            .prepare()
            .map_err(|error| ApiError::new(Code::Machine, error.to_string()))?;
        let log = open_append(&paths.log()).map_err(|error| {
            let path = paths.log();
            ApiError::new(
                Code::Machine,
                format!("cannot write {}: {error}", path.display()),
            )
        })?;
        let said_before = log.metadata().map_or(0, |meta| meta.len());
        let mut child = self.spawn(&log)?;
        let deadline = Instant::now() + START_PATIENCE;
        let mut pause = Duration::from_millis(1);
        loop {
            if let Ok(stream) = connect_within(&paths.socket(), START_PATIENCE) {
                return Ok(stream);
            }
            let ended = child.try_wait().ok().flatten();
            if let Some(status) = ended
                && !status.success()
            {
                let why = last_words(paths, said_before).unwrap_or_else(|| status.to_string());
                return Err(ApiError::new(
                    Code::NoDaemon,
                    format!("the daemon did not start: {why}"),
                ));
            }
            if Instant::now() >= deadline {
                return Err(ApiError::new(
                    Code::NoDaemon,
                    format!(
                        "the daemon's socket did not answer within {} s",
                        START_PATIENCE.as_secs()
                    ),
                )
                .hint("keeptab daemon logs"));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    fn spawn(&self, log: &File) -> Result<Child, ApiError> {
        let failed = |error: io::Error| {
            ApiError::new(
                Code::NoDaemon,
                format!("cannot start {}: {error}", self.program.display()),
            )
        };
        crate::fds::keep_inherited_to_ourselves();
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log.try_clone().map_err(failed)?);
        for name in CALLERS_OWN {
            command.env_remove(name);
        }
        command.spawn().map_err(failed)
    }
}

/// What a failing daemon said last.
fn last_words(paths: &Paths, from: u64) -> Option<String> {
    let mut file = File::open(paths.log()).ok()?;
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut text = String::new();
    file.take(64 * 1024).read_to_string(&mut text).ok()?;
    cause(&text).map(str::to_owned)
}

/// The error in what was said; the hint after it is for whoever started that daemon by hand.
fn cause(text: &str) -> Option<&str> {
    let lines = || text.lines().rev().map(str::trim);
    let error = lines().find_map(|line| line.strip_prefix("error: "));
    error.or_else(|| lines().find(|line| !line.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_of_a_failed_start_is_its_error_and_not_the_hint_after_it() {
        let said =
            "INFO daemon started\nerror: process 7 holds the lock\n  try: keeptab doctor\n\n";
        assert_eq!(cause(said), Some("process 7 holds the lock"));
        assert_eq!(
            cause("thread main panicked\n"),
            Some("thread main panicked")
        );
        assert_eq!(cause("\n"), None);
    }
}
