//! Why a keeper did not start.

use std::error::Error;
use std::fmt;

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
}

impl SpawnError {
    pub(crate) fn new(kind: SpawnErrorKind, why: String) -> Self {
        Self {
            kind,
            why: why.trim_end().to_owned(),
            output: String::new(),
        }
    }

    pub(crate) fn with_output(mut self, output: &str) -> Self {
        self.output = output.trim().to_owned();
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
    pub fn hint(&self) -> Option<&'static str> {
        let has = |text: &str| self.output.contains(text) || self.why.contains(text);
        if has("no-sandbox") || has("No usable sandbox") {
            Some("Chromium's sandbox does not work here; start it with --no-sandbox")
        } else if has("another keeper listens") {
            Some("that browser is already kept; use `keeptab adopt`")
        } else if has("mode 0700") {
            Some("use a directory of your own, or run: chmod 700 <directory>")
        } else if has("SUN_LEN") {
            Some("the socket's path is too long; set KEEPTAB_HOME to a shorter one")
        } else if has("No such file or directory") {
            Some("is the browser installed? `keeptab doctor` says how to get one")
        } else if has("Missing X server") || has("$DISPLAY") {
            Some("there is no display here; start it with --headless=new")
        } else if has("ProcessSingleton") || has("profile appears to be in use") {
            Some("another browser uses this profile; close it or choose another directory")
        } else {
            None
        }
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
