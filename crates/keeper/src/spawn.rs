//! Starting a keeper that outlives whoever starts it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::args::START_PATIENCE;
use crate::buffer::{Read, read};
use crate::error::{SpawnError, SpawnErrorKind};
use crate::state::{State, with_suffix};

/// What a keeper says about its start is read up to this length, in bytes.
const MAX_REPORT: usize = 64 * 1024;

/// What [`spawn`] needs to know.
#[derive(Debug, Clone)]
pub struct SpawnArgs {
    /// The program that runs a keeper, as a rule our own executable.
    pub program: PathBuf,
    /// What comes before the keeper's arguments, as a rule `["keeper"]`.
    pub prefix: Vec<OsString>,
    /// Where the Unix socket goes. Its directory is made with mode 0700, or must have it.
    pub socket: PathBuf,
    /// Where the state file goes, named `*.keeper` so that [`crate::list`] finds
    /// it. `.log` and `.stderr` are put beside it.
    pub state: PathBuf,
    /// The browser's profile directory; made if missing.
    pub profile: PathBuf,
    /// The browser's executable.
    pub browser: PathBuf,
    /// Its flags. `--remote-debugging-pipe` and `--user-data-dir` are added.
    pub flags: Vec<OsString>,
    /// Ends the browser when no owner was connected for so long. Whole seconds;
    /// `None`: never.
    pub orphan_after: Option<Duration>,
    /// How long the browser may take to answer first. Whole seconds; `None`: 30 s.
    pub start_patience: Option<Duration>,
}

/// A keeper that runs, with a browser that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spawned {
    /// Where to connect.
    pub socket: PathBuf,
    /// The keeper's process id.
    pub pid: u32,
    /// The browser's process id.
    pub browser_pid: u32,
    /// The browser's name and version, e.g. `Chrome/156.0.1.2`.
    pub version: String,
}

/// Starts a keeper in a session of its own and waits until its browser answers.
/// Blocks for as long as the browser takes (a second or so), and never longer
/// than `start_patience` and a few seconds.
///
/// # Errors
/// [`SpawnError`], with the end of the browser's stderr where it has any. Then
/// nothing is left running.
pub fn spawn(args: &SpawnArgs) -> Result<Spawned, SpawnError> {
    start(args).map_err(|error| error.with_profile(&args.profile))
}

fn start(args: &SpawnArgs) -> Result<Spawned, SpawnError> {
    let failed = |what: &str, error: io::Error| {
        SpawnError::new(SpawnErrorKind::Keeper, format!("{what}: {error}"))
    };
    let log = open_log(&args.state).map_err(|e| failed("cannot open the keeper's log", e))?;
    let patience = args
        .start_patience
        .unwrap_or(START_PATIENCE)
        .max(Duration::from_secs(1));
    let (report, theirs) = io::pipe().map_err(|e| failed("cannot make a pipe", e))?;
    let mut command = Command::new(&args.program);
    command.args(&args.prefix).arg("--detach");
    command.arg("--socket").arg(&args.socket);
    command.arg("--state").arg(&args.state);
    command.arg("--profile").arg(&args.profile);
    command
        .arg("--start-seconds")
        .arg(patience.as_secs().to_string());
    if let Some(after) = args.orphan_after {
        command
            .arg("--orphan-seconds")
            .arg(after.as_secs().max(1).to_string());
    }
    command.arg("--").arg(&args.browser).args(&args.flags);
    command.stdin(Stdio::null()).stdout(theirs).stderr(log);
    let status = command
        .status()
        .map_err(|e| failed(&format!("cannot run {}", args.program.display()), e))?;
    // Our copy of the writing end has to go, or the report never ends.
    drop(command);
    if !status.success() {
        let log = with_suffix(&args.state, ".log");
        let log = fs::read_to_string(log).unwrap_or_default();
        return Err(
            SpawnError::new(SpawnErrorKind::Keeper, format!("it ended with {status}"))
                .with_output(&log),
        );
    }
    let text = read_report(&report, Instant::now() + patience + Duration::from_secs(10))
        .map_err(|e| failed("no report from the keeper", e))?;
    match text.split_once(' ') {
        Some(("ready", _)) => {
            let state = State::read(&args.state).map_err(|e| failed("cannot read its state", e))?;
            Ok(Spawned {
                socket: state.socket,
                pid: state.pid,
                browser_pid: state.browser_pid,
                version: state.version,
            })
        }
        Some(("error", rest)) => {
            let (why, words) = rest.split_once('\n').unwrap_or((rest, ""));
            Err(SpawnError::new(SpawnErrorKind::Start, why.to_owned()).with_output(words))
        }
        _ => Err(SpawnError::new(
            SpawnErrorKind::Keeper,
            "it ended without a word".to_owned(),
        )),
    }
}

fn open_log(state: &Path) -> io::Result<fs::File> {
    if let Some(dir) = state.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)?;
    }
    let log = with_suffix(state, ".log");
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(log)
}

/// Reads to the end, but not for longer than `until`.
fn read_report(from: &impl std::os::fd::AsFd, until: Instant) -> io::Result<String> {
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    while text.len() < MAX_REPORT {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let timeout = Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(from, PollFlags::IN)], Some(&timeout)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        match read(from, &mut chunk) {
            Read::Bytes(count) => text.extend_from_slice(&chunk[..count]),
            Read::Nothing => {}
            Read::End => break,
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
