//! Running the built program in a home directory of its own.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use tempfile::TempDir;

/// The built `keeptab` with its own `KEEPTAB_HOME`. Dropping it ends the daemon that was started there, and all browsers,
/// also those that outlived a daemon which was killed.
#[derive(Debug)]
pub struct Keeptab {
    program: PathBuf,
    home: TempDir,
}

/// How one call ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Keeptab {
    /// For the program at `program`; in the tests of its own package that is `env!("CARGO_BIN_EXE_keeptab")`.
    ///
    /// # Panics
    /// When no temporary directory can be made.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let home = tempfile::Builder::new()
            .prefix("keeptab-home-")
            .tempdir()
            .unwrap_or_else(|error| panic!("no temporary directory: {error}"));
        Self {
            program: program.into(),
            home,
        }
    }

    /// Its home directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A command with the environment set, for tests that need more than [`run`](Self::run).
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("KEEPTAB_HOME", self.home.path())
            .env_remove("KEEPTAB_SESSION")
            .env("NO_COLOR", "1");
        command
    }

    /// Runs it to the end with nothing on standard input.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        self.run_with(args, "")
    }

    /// Runs it to the end with `input` on standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run_with<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>, input: &str) -> Ran {
        let mut command = self.command();
        command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", self.program.display()));
        if let Some(mut stdin) = child.stdin.take() {
            // It may end without reading; what it then says is in the result.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child
            .wait_with_output()
            .unwrap_or_else(|error| panic!("cannot wait: {error}"));
        Ran {
            code: code(output.status),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Drop for Keeptab {
    fn drop(&mut self) {
        // Without a data directory there was never a daemon.
        if !self.program.exists() || !self.home().join("data").exists() {
            return;
        }
        for args in [
            // Only a daemon knows what there is to end, and this one may have been killed.
            &["daemon", "start"][..],
            &["sweep"],
            &["daemon", "stop", "--discard"],
        ] {
            let mut command = self.command();
            command
                .args(args)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            // When it fails, the test has already said what is wrong.
            let _ = command.status();
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}
