//! Starting a browser and waiting until it listens.

use super::{Chromium, find_chromium};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many browsers one test process runs at a time. Further ones wait for their turn.
const AT_ONCE: usize = 4;
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// How long a browser may take to open its port on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Headless, silent, and without anything that would talk to the world by itself.
const QUIET: &[&str] = &[
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-extensions",
    "--metrics-recording-only",
    "--mute-audio",
    "--password-store=basic",
    "--use-mock-keychain",
];

/// Why no browser came up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no Chromium on this machine.
    #[error(
        "no Chromium found; install one (Debian: apt-get install chromium) or set KEEPTAB_CHROMIUM to its path"
    )]
    NotFound,
    /// Its files could not be written or it could not be started.
    #[error("cannot start {program}: {cause}")]
    Spawn {
        /// What was to be started.
        program: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// It ended before it listened.
    #[error("Chromium ended before it listened ({status}); it wrote:\n{log}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The end of its standard error.
        log: String,
    },
    /// It never wrote `DevToolsActivePort`.
    #[error("Chromium opened no port within {PATIENCE:?}; it wrote:\n{log}")]
    NoPort {
        /// The end of its standard error.
        log: String,
    },
}

/// How to start a [`Chromium`].
#[derive(Debug, Default, Clone)]
pub struct Builder {
    flags: Vec<String>,
    profile: Option<PathBuf>,
    prefs: Vec<(PathBuf, String)>,
    url: Option<String>,
}

impl Builder {
    /// Adds one command line flag, such as `--window-size=800,600`.
    #[must_use]
    pub fn flag(mut self, flag: impl Into<String>) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// Uses this profile directory and leaves it there at the end. Without it, a directory of its own that goes with the browser.
    #[must_use]
    pub fn profile(mut self, dir: impl Into<PathBuf>) -> Self {
        self.profile = Some(dir.into());
        self
    }

    /// Writes the profile's preferences (JSON, the file `Default/Preferences`) before the start.
    #[must_use]
    pub fn prefs(mut self, json: impl Into<String>) -> Self {
        self.prefs.push(("Default/Preferences".into(), json.into()));
        self
    }

    /// Writes the browser's own preferences (JSON, the file `Local State`) before the start.
    #[must_use]
    pub fn local_state(mut self, json: impl Into<String>) -> Self {
        self.prefs.push(("Local State".into(), json.into()));
        self
    }

    /// Opens this address instead of `about:blank`.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Starts the browser and waits until it listens.
    ///
    /// # Panics
    /// When it does not come up; [`try_start`](Self::try_start) returns the reason instead.
    pub async fn start(self) -> Chromium {
        self.try_start()
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts the browser and waits until it listens.
    ///
    /// # Errors
    /// [`StartError`]; whatever was started is gone again.
    pub async fn try_start(self) -> Result<Chromium, StartError> {
        crate::background::run(async move {
            // The semaphore is a static that nobody closes.
            let turn = TURNS.acquire().await.unwrap_or_else(|_| panic!("closed"));
            self.launch(turn).await
        })
        .await
    }

    async fn launch(self, turn: SemaphorePermit<'static>) -> Result<Chromium, StartError> {
        let program = find_chromium().ok_or(StartError::NotFound)?;
        let failed = |cause| StartError::Spawn {
            program: program.clone(),
            cause,
        };
        let own = match &self.profile {
            Some(_) => None,
            None => Some(
                tempfile::Builder::new()
                    .prefix("keeptab-test-")
                    .tempdir()
                    .map_err(failed)?,
            ),
        };
        let profile = match (&self.profile, &own) {
            (Some(given), _) => given.clone(),
            (None, own) => own
                .as_ref()
                .map(|dir| dir.path().to_owned())
                .unwrap_or_default(),
        };
        self.prepare(&profile).map_err(failed)?;
        let log = profile.join("stderr.log");
        let child = self
            .command(&program, &profile, &log)
            .and_then(|mut c| c.spawn())
            .map_err(failed)?;
        wait_for_port(child, profile, own, &log, turn).await
    }

    fn prepare(&self, profile: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(profile)?;
        // A file left by a browser that was killed would be taken for the new one's.
        match std::fs::remove_file(profile.join("DevToolsActivePort")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        for (file, text) in &self.prefs {
            let file = profile.join(file);
            if let Some(dir) = file.parent() {
                std::fs::create_dir_all(dir)?;
            }
            std::fs::write(file, text)?;
        }
        Ok(())
    }

    fn command(&self, program: &Path, profile: &Path, log: &Path) -> std::io::Result<Command> {
        let mut command = Command::new(program);
        command
            .args(quiet_flags())
            .arg("--remote-debugging-port=0")
            .arg(format!("--user-data-dir={}", profile.display()))
            .args(&self.flags)
            .arg(self.url.as_deref().unwrap_or("about:blank"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(log)?);
        Ok(command)
    }
}

/// The flags every browser of the tests gets.
pub(super) fn quiet_flags() -> Vec<&'static str> {
    let mut flags = QUIET.to_vec();
    #[cfg(unix)]
    if rustix::process::geteuid().is_root() {
        // Chromium's sandbox refuses to run as root.
        flags.push("--no-sandbox");
    }
    flags
}

async fn wait_for_port(
    mut child: Child,
    profile: PathBuf,
    own: Option<TempDir>,
    log: &Path,
    turn: SemaphorePermit<'static>,
) -> Result<Chromium, StartError> {
    let file = profile.join("DevToolsActivePort");
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some((port, ws_path)) = std::fs::read_to_string(&file)
            .ok()
            .as_deref()
            .and_then(active_port)
        {
            let pid = child.id();
            return Ok(Chromium {
                pid,
                child: child.into(),
                port,
                ws_path,
                profile,
                own_profile: own,
                _turn: turn,
            });
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(StartError::Ended {
                status,
                log: tail(log),
            });
        }
        if Instant::now() >= end {
            let _ = child.kill();
            let _ = child.wait();
            return Err(StartError::NoPort { log: tail(log) });
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The two lines of `DevToolsActivePort`, once both are whole.
fn active_port(text: &str) -> Option<(u16, String)> {
    let (port, path) = text.split_once('\n')?;
    let path = path.trim_end();
    path.starts_with("/devtools/browser/").then_some(())?;
    Some((port.trim().parse().ok()?, path.to_owned()))
}

fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text[text.len().saturating_sub(2000)..]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_active_port_only_when_it_is_whole() {
        assert_eq!(active_port("9222"), None);
        assert_eq!(active_port("9222\n"), None);
        assert_eq!(
            active_port("9222\n/devtools/browser/a-b"),
            Some((9222, "/devtools/browser/a-b".into()))
        );
    }
}
