//! `keeptab keeper`: from the arguments to the loop.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::process::{Command, ExitCode, Stdio};

use crate::args::{Args, USAGE};
use crate::child::Browser;
use crate::keeper::Keeper;
use crate::state::{State, start_time};
use crate::{door, signals};

/// The keeper or its browser did not start, or cannot go on.
pub(crate) const FAILED: u8 = 1;
/// The arguments make no sense.
pub(crate) const USAGE_ERROR: u8 = 2;
/// The browser ended without being asked to.
pub(crate) const BROWSER_DIED: u8 = 3;

/// Runs a keeper with the arguments after `keeptab keeper`; returns when its
/// browser is gone.
///
/// Exit codes: 0 the end was asked for · 1 no start · 2 bad arguments · 3 the
/// browser ended by itself. The first line on stdout is `ready {…}` or `error …`.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::parse(args) {
        Ok(args) => args,
        Err(why) => {
            let _ = writeln!(io::stderr(), "keeptab keeper: {why}\n{USAGE}");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    let result = if args.detach {
        detach()
    } else {
        prepare(&args).map(Keeper::run)
    };
    ExitCode::from(result.unwrap_or_else(|error| {
        announce(&format!("error {error}"));
        FAILED
    }))
}

/// Starts the same command again without `--detach`. Whoever started us sees us
/// end, and the other process belongs to nobody. It is no group leader, so it
/// can have a session of its own.
fn detach() -> io::Result<u8> {
    let mut once = true;
    let rest = std::env::args_os()
        .skip(1)
        .filter(|arg| arg != "--detach" || !std::mem::take(&mut once));
    Command::new(std::env::current_exe()?)
        .args(rest)
        .stdin(Stdio::null())
        .spawn()?;
    Ok(0)
}

fn prepare(args: &Args) -> io::Result<Keeper> {
    // Fails when we lead a group already; then there is nothing to detach from.
    let _ = rustix::process::setsid();
    let wake = signals::requests_to_end()?;
    let listener = door::open(&args.socket).map_err(|e| at(&args.socket, &e))?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&args.profile)
        .map_err(|e| at(&args.profile, &e))?;
    std::env::set_current_dir("/")?;
    let browser = Browser::start(args).map_err(|e| at(args.browser.as_ref(), &e));
    let browser = browser.inspect_err(|_| {
        let _ = fs::remove_file(&args.socket);
    })?;
    let pid = std::process::id();
    let state = State {
        pid,
        started: start_time(pid).unwrap_or(0),
        browser_pid: browser.pid(),
        browser_started: start_time(browser.pid()).unwrap_or(0),
        socket: args.socket.clone(),
        profile: args.profile.clone(),
        version: String::new(),
        exited: None,
    };
    Ok(Keeper::new(browser, listener, wake, state, args))
}

fn at(path: &std::path::Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Says `line` on stdout to whoever started us, and closes it: they read to its end.
pub(crate) fn announce(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
    let _ = io::stdout().flush();
    if let Ok(null) = fs::File::options().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(null);
    }
}
