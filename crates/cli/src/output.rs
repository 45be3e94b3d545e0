//! Printing: results to standard output, everything else to standard error.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use keeptab_daemon::ApiError;
use keeptab_daemon::api::{Failure, Success};
use serde::Serialize;

use crate::hints::in_session;
use crate::text::clean;

/// How to print.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    verbose: bool,
    /// The session, when it was named by flag; hints repeat it.
    named: Option<String>,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool, verbose: bool) -> Self {
        Output {
            json,
            quiet,
            verbose,
            named: None,
        }
    }

    /// With hints for this session, which was named by flag.
    pub(crate) fn for_session(mut self, named: Option<String>) -> Self {
        self.named = named;
        self
    }

    /// A hint that can be typed as it is.
    pub(crate) fn hint<'a>(&self, hint: &'a str) -> Cow<'a, str> {
        in_session(hint, self.named.as_deref())
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A result for people: text that may hold words of a page.
    pub(crate) fn text(&self, text: &str) {
        let text = clean(text);
        if !text.is_empty() {
            let end = if text.ends_with('\n') { "" } else { "\n" };
            self.bytes(format!("{text}{end}").as_bytes());
        }
    }

    /// A result to the byte, and a line end; on a terminal, what could do harm there is left out.
    pub(crate) fn raw(&self, mut text: String) {
        if text.is_empty() {
            return;
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        if io::stdout().is_terminal() {
            self.bytes(clean(&text).as_bytes());
        } else {
            self.bytes(text.as_bytes());
        }
    }

    /// A result for machines.
    pub(crate) fn data(&self, data: impl Serialize) {
        match serde_json::to_vec(&Success::new(data)) {
            Ok(text) => self.envelope(text),
            Err(error) => self.note(&format!("cannot write the result as JSON: {error}")),
        }
    }

    /// An envelope as the daemon made it.
    pub(crate) fn envelope(&self, mut envelope: Vec<u8>) {
        envelope.push(b'\n');
        self.bytes(&envelope);
    }

    /// One line of several results for machines.
    pub(crate) fn line(&self, line: &str) {
        self.bytes(format!("{line}\n").as_bytes());
    }

    fn bytes(&self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
            // `keeptab tab | head -1` is not an error; a full disk is.
            if error.kind() == io::ErrorKind::BrokenPipe {
                std::process::exit(i32::from(keeptab_daemon::exit::OK));
            }
            self.stderr(&format!("error: cannot write the result: {error}\n"));
            std::process::exit(i32::from(keeptab_daemon::exit::FAILED));
        }
    }

    /// Something worth knowing that is no result.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.stderr(&format!("{}\n", clean(&self.hint(text))));
        }
    }

    /// Something only the curious want to know.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose {
            self.stderr(&format!("{}\n", clean(text)));
        }
    }

    /// Standard error of a snippet: its console and warnings. Not silenced, as it is the caller's.
    pub(crate) fn console(&self, text: &str) {
        if !text.is_empty() {
            let end = if text.ends_with('\n') { "" } else { "\n" };
            self.stderr(&format!("{}{end}", clean(text)));
        }
    }

    /// What went wrong: one line, and what to type next. With `--json` an envelope instead.
    pub(crate) fn error(&self, error: &ApiError) {
        let mut error = error.clone();
        error.hint = error.hint.map(|hint| self.hint(&hint).into_owned());
        if self.json {
            if let Ok(text) = serde_json::to_vec(&Failure::new(&error)) {
                self.envelope(text);
            }
            return;
        }
        let (bold, plain) = if colours() {
            ("\x1b[1;31m", "\x1b[0m")
        } else {
            ("", "")
        };
        let mut text = format!("{bold}error:{plain} {}\n", clean(&error.message));
        if let Some(hint) = error.hint.as_deref().filter(|_| !self.quiet) {
            text.push_str(&format!("  try: {}\n", clean(hint)));
        }
        self.stderr(&text);
    }

    fn stderr(&self, text: &str) {
        // When standard error is gone there is nobody to tell.
        drop(io::stderr().write_all(text.as_bytes()));
    }
}

/// Colour only for people who did not say no.
fn colours() -> bool {
    io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
