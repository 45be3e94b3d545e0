//! Being the daemon, from the lock to the last answer.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;

use crate::client::{Method, exchange};
use crate::door::Door;
use crate::lock::DaemonLock;
use crate::logfile::LogFile;
use crate::paths::{PathError, Paths};
use crate::registry::Daemon;
use crate::routes::router;
use crate::server::serve;
use crate::version::Build;

/// How long to wait for a daemon that is ending until its place is free.
const LOCK_PATIENCE: Duration = Duration::from_secs(15);

/// How long a daemon may take to say that it is there.
const HEALTH_PATIENCE: Duration = Duration::from_secs(5);

/// How to be the daemon.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where its files are.
    pub paths: Paths,
    /// Which build it is.
    pub build: Build,
    /// The program that serves as worker and keeper: `<program> js-worker`, `<program> keeper`.
    pub program: PathBuf,
    /// Cut loose from the terminal and log to the file only.
    pub background: bool,
    /// The only user who may connect; ourselves by default.
    pub allowed_uid: Option<u32>,
}

/// How a daemon came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// There is one already, with this process id.
    AlreadyRunning(u32),
}

/// Why a daemon did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Its directories cannot be used.
    #[error(transparent)]
    Paths(#[from] PathError),
    /// A file, the socket or the runtime cannot be had.
    #[error("cannot {what}: {source}")]
    Machine {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process holds the lock but nobody answers the socket.
    #[error("process {0} holds the daemon's lock but does not answer; end it: kill {0}")]
    Silent(u32),
}

/// Is the daemon until told to end. Blocks; runs everything on one thread of this process.
///
/// # Errors
/// It could not start. Once it serves, nothing but the end of the process stops it.
pub fn run(config: Config) -> Result<Ended, StartError> {
    let paths = &config.paths;
    if config.background {
        // Fails only for the leader of a process group, which has no terminal to leave.
        let _ = rustix::process::setsid();
    }
    paths.prepare()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .thread_keep_alive(Duration::from_secs(1))
        .build()
        .map_err(machine("start the runtime"))?;
    let outcome = runtime.block_on(be(&config));
    // Do not wait for a blocking call that hangs; nothing of it is needed any more.
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome
}

async fn be(config: &Config) -> Result<Ended, StartError> {
    // Before the first write: with this handler a full quota is an error of one write, and not the
    // end of the process.
    let xfsz = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    let _full = signal(xfsz).map_err(machine("listen for signals"))?;
    let lock = match take_lock(&config.paths)? {
        Ok(lock) => lock,
        Err(pid) => return Ok(Ended::AlreadyRunning(pid)),
    };
    live(config, lock).await?;
    Ok(Ended::Stopped)
}

fn machine(what: impl Into<String>) -> impl FnOnce(io::Error) -> StartError {
    let what = what.into();
    move |source| StartError::Machine { what, source }
}

/// The lock, or the process id of the daemon that has it and answers.
fn take_lock(paths: &Paths) -> Result<Result<DaemonLock, u32>, StartError> {
    let path = paths.lock();
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        let taken =
            DaemonLock::try_take(&path).map_err(machine(format!("lock {}", path.display())))?;
        if let Some(lock) = taken {
            return Ok(Ok(lock));
        }
        let holder = DaemonLock::holder(&path).ok().flatten();
        // One that is ending still has the lock and the socket, but takes nothing.
        if serves(paths) {
            return Ok(Err(holder.unwrap_or_default()));
        }
        // It is just starting or just ending.
        if Instant::now() >= deadline {
            return Err(StartError::Silent(holder.unwrap_or_default()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a daemon answers the socket and means to go on.
fn serves(paths: &Paths) -> bool {
    let Ok(mut stream) = UnixStream::connect(paths.socket()) else {
        return false;
    };
    let asked = exchange(
        &mut stream,
        Method::Get,
        "/v1/health",
        "",
        b"",
        HEALTH_PATIENCE,
    );
    asked.is_ok_and(|answer| answer.status == 200)
}

async fn live(config: &Config, lock: DaemonLock) -> Result<(), StartError> {
    let paths = &config.paths;
    let mut terminate = signal(SignalKind::terminate()).map_err(machine("listen for signals"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(machine("listen for signals"))?;
    start_log(config)?;
    let mut door =
        Door::open(paths, lock).map_err(machine(format!("bind {}", paths.socket().display())))?;

    tracing::info!(
        "daemon {} started, process {}",
        config.build,
        std::process::id()
    );
    let daemon = Daemon::new(config);
    daemon.restore().await;
    let stop = daemon.stop_signal();
    let on_signal = Arc::clone(&daemon);
    let signals = tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM"),
            _ = interrupt.recv() => tracing::info!("SIGINT"),
        }
        on_signal.begin_stop();
    });
    let uid = config
        .allowed_uid
        .unwrap_or_else(|| rustix::process::geteuid().as_raw());
    let app = router(Arc::clone(&daemon));
    serve(&mut door, app, uid, stop, || daemon.begin_stop()).await;
    signals.abort();
    daemon.let_go().await;
    // Only now may the next daemon begin.
    drop(door);
    tracing::info!("daemon ended");
    Ok(())
}

fn start_log(config: &Config) -> Result<(), StartError> {
    let path = config.paths.log();
    let log = LogFile::open(path.clone(), !config.background)
        .map_err(machine(format!("open {}", path.display())))?;
    let level = match std::env::var("KEEPTAB_LOG").as_deref() {
        Ok("debug") => LevelFilter::DEBUG,
        Ok("trace") => LevelFilter::TRACE,
        Ok("warn") => LevelFilter::WARN,
        _ => LevelFilter::INFO,
    };
    // A second daemon in one process (tests do that) goes on with the first one's log.
    drop(
        tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(false)
            .with_target(false)
            // On a full disk a line is lost. Saying so on standard error, which is the same full
            // file, would panic.
            .log_internal_errors(false)
            .with_writer(Arc::new(log))
            .try_init(),
    );
    Ok(())
}
