//! From options to a running browser.
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use super::flags::arguments;
use super::options::{LaunchOptions, Via};
use super::process::Process;
use super::profile::{Prepared, prepare};
use super::shortage::{out_of_files, remedy};
use super::spawn::{Program, is_root};
use crate::dial::Dialer;
use crate::find::{OVERRIDE_VARIABLE, active_port, installed_browsers, is_program};
use crate::{ConnectError, ConnectKind, Endpoint};

/// A browser that this session started.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaunchedBrowser {
    /// Its process id.
    pub pid: u32,
    /// The program.
    pub executable: PathBuf,
    /// Its profile directory.
    pub profile_dir: PathBuf,
    /// Whether Chromium's own sandbox is on. It is off for root only, who cannot have it.
    pub sandboxed: bool,
}

/// A started browser and the way to it.
pub(crate) struct Started {
    pub(crate) process: Arc<Process>,
    pub(crate) dialer: Dialer,
    pub(crate) about: LaunchedBrowser,
    pub(crate) keep: bool,
}

/// What is going to be started.
pub(super) struct Plan {
    pub(super) executable: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) profile: Prepared,
    pub(super) sandboxed: bool,
}

/// Finds the program and prepares the profile.
pub(super) fn plan(options: &LaunchOptions) -> Result<Plan, ConnectError> {
    let executable = executable(options.executable.as_deref())?;
    let sandboxed = !is_root();
    if !sandboxed {
        say_once_that_the_sandbox_is_off();
    }
    let profile = prepare(&options.profile)?;
    Ok(Plan {
        executable,
        arguments: arguments(options, &profile.dir, sandboxed),
        profile,
        sandboxed,
    })
}

/// Starts a browser. It may not be ready yet when this returns.
pub(crate) async fn start(options: &LaunchOptions) -> Result<Started, ConnectError> {
    if options.keep && options.via == Via::Pipe {
        let message = "a browser that is reached by its pipe cannot outlive the session";
        return Err(ConnectError::new(ConnectKind::Invalid, message).hinted("use a port"));
    }
    let Plan {
        executable,
        arguments,
        profile: Prepared { dir, temporary },
        sandboxed,
    } = plan(options)?;
    let program = Program {
        path: &executable,
        arguments,
        env: &options.env,
    };
    let failed = |error: std::io::Error| {
        // The lack of descriptors is ours, and no fault of the browser's.
        let message = if out_of_files(&error) {
            format!("the browser cannot be started: {error}")
        } else {
            format!("{}: {error}", executable.display())
        };
        let ours = ConnectError::new(ConnectKind::StartFailed, message);
        match remedy(&error, &dir) {
            Some(hint) => ours.hinted(hint).caused(error),
            None => ours.caused(error),
        }
    };
    let watch = |child: tokio::process::Child| {
        let pid = child.id().unwrap_or_default();
        Arc::new(Process::watch(child, pid, temporary, options.start_timeout))
    };
    let (process, dialer) = match options.via {
        Via::Pipe => by_pipe(program, watch).map_err(failed)?,
        Via::Port(_) => {
            let process = watch(program.spawn().map_err(failed)?);
            wait_for_port(&process, &dir).await?;
            (process, Dialer::new(Endpoint::Profile(dir.clone())))
        }
    };
    let about = LaunchedBrowser {
        pid: process.pid(),
        executable,
        profile_dir: dir,
        sandboxed,
    };
    Ok(Started {
        process,
        dialer,
        about,
        keep: options.keep,
    })
}

#[cfg(unix)]
fn by_pipe(
    program: Program<'_>,
    watch: impl FnOnce(tokio::process::Child) -> Arc<Process>,
) -> std::io::Result<(Arc<Process>, Dialer)> {
    let (child, pipe) = program.spawn_with_pipe()?;
    let process = watch(child);
    let dial = crate::dial::pipe::PipeDial::new(pipe, Arc::clone(&process));
    Ok((process, Dialer::pipe(dial)))
}

#[cfg(not(unix))]
fn by_pipe(
    _program: Program<'_>,
    _watch: impl FnOnce(tokio::process::Child) -> Arc<Process>,
) -> std::io::Result<(Arc<Process>, Dialer)> {
    Err(std::io::Error::new(
        std::io::ErrorKind::Unsupported,
        "the pipe is not available on this system; use a port",
    ))
}

fn executable(chosen: Option<&Path>) -> Result<PathBuf, ConnectError> {
    let (path, named) = match chosen {
        Some(path) => (path.to_owned(), true),
        None => match installed_browsers().into_iter().next() {
            Some(browser) => (browser.path, browser.name == OVERRIDE_VARIABLE),
            None => {
                let message = "no Chromium, Chrome, Edge, Brave, Vivaldi or Opera is installed";
                return Err(
                    ConnectError::new(ConnectKind::NotInstalled, message).hinted(format!(
                        "install Chromium, or name a browser in {OVERRIDE_VARIABLE}"
                    )),
                );
            }
        },
    };
    if named && !is_program(&path) {
        let message = format!("{} is not a program", path.display());
        return Err(ConnectError::new(ConnectKind::NotInstalled, message)
            .hinted("name the program file of a browser"));
    }
    Ok(path)
}

/// A browser writes the file when its port is open.
async fn wait_for_port(process: &Process, dir: &Path) -> Result<(), ConnectError> {
    let written = async {
        while active_port(dir).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Some(())
    };
    match process.while_starting(written).await {
        Ok(()) => Ok(()),
        Err(why) => {
            process.kill().await;
            Err(ConnectError::new(ConnectKind::StartFailed, why).hinted(
                "a policy may forbid remote debugging (RemoteDebuggingAllowed), or a flag is wrong",
            ))
        }
    }
}

fn say_once_that_the_sandbox_is_off() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!("running as root: Chromium's own sandbox is off (--no-sandbox)");
    });
}
