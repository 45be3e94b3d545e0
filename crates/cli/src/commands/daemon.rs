//! `keeptab daemon`: start, stop and watch the process that holds the sessions.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use clap::Subcommand;
use keeptab_daemon::api::{Health, StopRequest, Stopped};
use keeptab_daemon::client::Method;
use keeptab_daemon::{ApiError, Code, Config, Ended, exit, run as be_the_daemon};
use serde_json::json;

use crate::app::{App, build, paths};

/// Start, stop and watch the daemon
///
/// There is no need to start it: every command that needs it does so. Stopping it does not end the
/// sessions: the next daemon takes them over, unless their browsers can only live inside this one.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  keeptab daemon status
  keeptab daemon restart
  keeptab daemon logs -f"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

/// What to do with the daemon.
#[derive(Debug, Subcommand)]
enum Action {
    /// Start it, unless it runs
    Start,
    /// Stop it; sessions are kept for the next one
    Stop {
        /// Also end browsers that no later daemon could take over
        #[arg(long)]
        discard: bool,
    },
    /// Stop it and start it again; sessions are kept
    Restart {
        /// Also end browsers that no later daemon could take over
        #[arg(long)]
        discard: bool,
    },
    /// Say whether it runs; exit 8 when not
    Status,
    /// Print its log
    Logs {
        /// Go on printing what comes
        #[arg(long, short)]
        follow: bool,
        /// How many lines to begin with
        #[arg(long, short = 'n', default_value_t = 100, value_name = "N")]
        lines: usize,
    },
    /// Be the daemon, in the foreground
    Run {
        /// Leave the terminal and write to the log file only
        #[arg(long, hide = true)]
        background: bool,
    },
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    match args.action {
        Action::Start => start(app),
        Action::Stop { discard } => stop(app, discard),
        Action::Restart { discard } => {
            halt(app, discard)?;
            start(app)
        }
        Action::Status => status(app),
        Action::Logs { follow, lines } => logs(app, follow, lines),
        Action::Run { background } => serve(background),
    }
}

/// Starts the daemon and says which process it is.
///
/// # Errors
/// It could not be started.
pub(crate) fn start(app: &mut App) -> Result<u8, ApiError> {
    let started = app.client()?.ensure_running()?;
    let health: Health = app.client()?.call(Method::Get, "/v1/health", &())?;
    if app.output().is_json() {
        app.output()
            .data(json!({"started": started, "pid": health.pid}));
    } else if started {
        app.output()
            .note(&format!("daemon started, process {}", health.pid));
    } else {
        app.output()
            .note(&format!("daemon already running, process {}", health.pid));
    }
    Ok(exit::OK)
}

fn stop(app: &mut App, discard: bool) -> Result<u8, ApiError> {
    let stopped = halt(app, discard)?;
    if app.output().is_json() {
        app.output().data(json!({"stopped": stopped}));
        return Ok(exit::OK);
    }
    match stopped {
        None => app.output().note("the daemon was not running"),
        Some(stopped) => {
            app.output().note("daemon stopped");
            if !stopped.kept.is_empty() {
                app.output().note(&format!(
                    "kept for the next one: {}",
                    stopped.kept.join(", ")
                ));
            }
            if !stopped.ended.is_empty() {
                app.output()
                    .note(&format!("ended: {}", stopped.ended.join(", ")));
            }
        }
    }
    Ok(exit::OK)
}

/// Stops the daemon, if any.
///
/// # Errors
/// It refuses, because sessions would end, or does not end.
pub(crate) fn halt(app: &mut App, discard: bool) -> Result<Option<Stopped>, ApiError> {
    app.client()?.stop(&StopRequest {
        build: None,
        discard,
    })
}

fn status(app: &mut App) -> Result<u8, ApiError> {
    let health: Option<Health> = app.client()?.call_running(Method::Get, "/v1/health", &())?;
    let Some(health) = health else {
        return Err(
            ApiError::new(Code::NoDaemon, "the daemon is not running").hint("keeptab daemon start")
        );
    };
    if app.output().is_json() {
        app.output().data(&health);
        return Ok(exit::OK);
    }
    app.output().text(&format!(
        "running: process {}, version {}, up {}, sessions: {}",
        health.pid,
        health.version,
        span(health.uptime_s),
        health.sessions
    ));
    if !health.left_behind.is_empty() {
        app.output().note(&format!(
            "browsers that no session has, left by: {} (keeptab sweep --dry-run)",
            health.left_behind.join(", ")
        ));
    }
    for warning in &health.warnings {
        app.output().note(&format!("warning: {warning}"));
    }
    Ok(exit::OK)
}

fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn serve(background: bool) -> Result<u8, ApiError> {
    let program = std::env::current_exe().map_err(|error| {
        ApiError::new(
            Code::Machine,
            format!("cannot tell which program this is: {error}"),
        )
    })?;
    let config = Config {
        paths: paths()?,
        build: build(),
        program,
        background,
        allowed_uid: None,
    };
    match be_the_daemon(config) {
        Ok(Ended::AlreadyRunning(pid)) if !background => Err(ApiError::new(
            Code::Failed,
            format!("the daemon is already running, process {pid}"),
        )
        .hint("keeptab daemon logs -f")),
        // In the background it makes no difference which of several daemons lives.
        Ok(_) => Ok(exit::OK),
        Err(error) => Err(ApiError::new(Code::NoDaemon, error.to_string()).hint("keeptab doctor")),
    }
}

/// Prints the end of the log, and goes on with what comes if told to.
///
/// # Errors
/// There is no log, or it cannot be read.
pub(crate) fn logs(app: &mut App, follow: bool, lines: usize) -> Result<u8, ApiError> {
    let path = paths()?.log();
    let mut file = open_log(&path)?;
    let mut text = String::new();
    read_more(&mut file, &path, &mut text)?;
    let from = text.lines().count().saturating_sub(lines);
    let tail: Vec<&str> = text.lines().skip(from).collect();
    if app.output().is_json() {
        app.output().data(json!({"lines": tail}));
        return Ok(exit::OK);
    }
    app.output().text(&tail.join("\n"));
    if !follow {
        return Ok(exit::OK);
    }
    loop {
        std::thread::sleep(Duration::from_millis(200));
        text.clear();
        read_more(&mut file, &path, &mut text)?;
        app.output().text(&text);
        // The log begins anew in another file when it has grown long.
        let moved = match (path.metadata(), file.metadata()) {
            (Ok(now), Ok(ours)) => now.ino() != ours.ino() || now.len() < ours.len(),
            _ => false,
        };
        if moved {
            file = open_log(&path)?;
        }
    }
}

fn open_log(path: &Path) -> Result<File, ApiError> {
    File::open(path).map_err(|error| {
        let code = match error.kind() {
            std::io::ErrorKind::NotFound => Code::NotFound,
            _ => Code::Machine,
        };
        ApiError::new(
            code,
            format!("there is no log at {}: {error}", path.display()),
        )
        .hint("keeptab daemon start")
    })
}

fn read_more(file: &mut File, path: &Path, text: &mut String) -> Result<(), ApiError> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|error| {
        ApiError::new(
            Code::Machine,
            format!("cannot read {}: {error}", path.display()),
        )
    })?;
    text.push_str(&String::from_utf8_lossy(&bytes));
    Ok(())
}
