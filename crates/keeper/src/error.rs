//! Why a keeper did not start.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpawnErrorKind {
    /// The keeper itself could not be run, or vanished.
    Keeper,
    /// The keeper ran and gave up: no socket, no browser, or no answer from it.
    Start,
}

/// A keeper did not start. Nothing is left running.
#[derive(Debug, Clone)]
pub struct SpawnError {
    kind: SpawnErrorKind,
    why: String,
    output: String,
    profile: PathBuf,
}

impl SpawnError {
    pub(crate) fn new(kind: SpawnErrorKind, why: String) -> Self {
        Self {
            kind,
            why: why.trim_end().to_owned(),
            output: String::new(),
            profile: PathBuf::new(),
        }
    }

    pub(crate) fn with_output(mut self, output: &str) -> Self {
        self.output = output.trim().to_owned();
        self
    }

    /// Of the start of a browser with this profile.
    pub(crate) fn with_profile(mut self, profile: &Path) -> Self {
        self.profile = profile.to_owned();
        self
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> SpawnErrorKind {
        self.kind
    }

    /// The end of what the browser (or the keeper) wrote to stderr; may be empty.
    #[must_use]
    pub fn output(&self) -> &str {
        &self.output
    }

    /// What to try, where the cause is a known one.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        let has = |text: &str| self.output.contains(text) || self.why.contains(text);
        let hint = if has("No space left on device") || has("Disk quota exceeded") {
            return Some(Cow::Owned(format!(
                "the disk is full: free some space where {} is",
                self.profile.display()
            )));
        } else if has("Too many open files") {
            "close something, or raise the limit of open files (ulimit -n), then: keeptab daemon restart"
        } else if has("no-sandbox") || has("No usable sandbox") {
            "Chromium's sandbox does not work here; start it with --no-sandbox"
        } else if has("another keeper listens") {
            "that browser is already kept; use `keeptab adopt`"
        } else if has("mode 0700") {
            "use a directory of your own, or run: chmod 700 <directory>"
        } else if has("SUN_LEN") {
            "the socket's path is too long; set KEEPTAB_HOME to a shorter one"
        } else if self.why.contains("No such file or directory") {
            // A browser that runs says so of many files that it can do without.
            "is the browser installed? `keeptab doctor` says how to get one"
        } else if has("Missing X server") || has("$DISPLAY") {
            "there is no display here; start it with --headless=new"
        } else if has("ProcessSingleton") || has("profile appears to be in use") {
            "another browser uses this profile; close it or choose another directory"
        } else {
            return None;
        };
        Some(Cow::Borrowed(hint))
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            SpawnErrorKind::Keeper => write!(f, "the keeper did not run: {}", self.why)?,
            SpawnErrorKind::Start => write!(f, "the browser did not start: {}", self.why)?,
        }
        match self.output.lines().last() {
            Some(last) => write!(f, " ({last})"),
            None => Ok(()),
        }
    }
}

impl Error for SpawnError {}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_BUS: &str =
        "Failed to connect to the bus: /run/dbus/system_bus_socket: No such file or directory";

    fn hint(why: &str, output: &str) -> String {
        let error = SpawnError::new(SpawnErrorKind::Start, why.to_owned());
        let error = error
            .with_output(output)
            .with_profile(Path::new("/profile"));
        error.hint().unwrap_or_default().into_owned()
    }

    #[test]
    fn a_full_disk_is_not_a_missing_browser() {
        let words = format!(
            "{NO_BUS}\nFailed to create /profile/SingletonLock: No space left on device (28)"
        );
        let said = hint("the browser ended while it started", &words);
        assert!(
            said.contains("disk is full") && said.contains("/profile"),
            "{said}"
        );
    }

    #[test]
    fn a_file_that_a_running_browser_misses_is_not_the_browser() {
        assert_eq!(hint("the browser ended while it started", NO_BUS), "");
        let missing = hint("cannot run /usr/bin/none: No such file or directory", "");
        assert!(missing.contains("keeptab doctor"), "{missing}");
    }

    #[test]
    fn a_limit_of_open_files_is_named() {
        let said = hint("cannot make a pipe: Too many open files (os error 24)", "");
        assert!(said.contains("ulimit -n"), "{said}");
    }
}
