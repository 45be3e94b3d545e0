//! A real Chromium for one test: started with a profile of its own, gone when the value is dropped.

mod find;
mod start;
mod tree;

pub use find::find_chromium;
pub use start::{Builder, StartError};

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::SemaphorePermit;

/// A running browser. Dropping it kills the browser and everything it started, and removes the profile unless the
/// profile was given.
#[derive(Debug)]
pub struct Chromium {
    child: Mutex<Child>,
    pid: u32,
    port: u16,
    ws_path: String,
    profile: PathBuf,
    own_profile: Option<TempDir>,
    _turn: SemaphorePermit<'static>,
}

impl Chromium {
    /// Starts a browser that listens on a port of its own choice.
    ///
    /// # Panics
    /// When there is no Chromium, or it does not open its port; the message says which and shows what it wrote.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A browser with other flags, another profile or preferences.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The flags that make any browser quiet and headless here, for one that is started in another way.
    pub fn quiet_flags() -> Vec<&'static str> {
        start::quiet_flags()
    }

    /// Its WebSocket address: `ws://127.0.0.1:PORT/devtools/browser/UUID`.
    pub fn ws_url(&self) -> String {
        format!("ws://127.0.0.1:{}{}", self.port, self.ws_path)
    }

    /// The port of its DevTools endpoint.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path part of [`ws_url`](Self::ws_url).
    pub fn ws_path(&self) -> &str {
        &self.ws_path
    }

    /// The profile directory, in which `DevToolsActivePort` lies.
    pub fn profile(&self) -> &Path {
        &self.profile
    }

    /// The process id of the browser process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The process ids of its renderers, oldest first. Empty where there is no `/proc`.
    pub fn renderer_pids(&self) -> Vec<u32> {
        tree::descendants(self.pid)
            .into_iter()
            .filter(|pid| tree::has_argument(*pid, "--type=renderer"))
            .collect()
    }

    /// The process ids of its GPU processes. Empty where there is no `/proc`.
    pub fn gpu_pids(&self) -> Vec<u32> {
        tree::descendants(self.pid)
            .into_iter()
            .filter(|pid| tree::has_argument(*pid, "--type=gpu-process"))
            .collect()
    }

    /// Kills the browser process at once (SIGKILL) and waits until it is gone. Harmless when it already is.
    pub fn kill(&self) -> Option<ExitStatus> {
        let mut child = self.lock();
        let helpers = tree::descendants(self.pid);
        let _ = child.kill();
        let status = child.wait().ok();
        tree::kill_all(&helpers);
        status
    }

    /// Stops the browser process (SIGSTOP): it keeps its sockets and answers nothing.
    #[cfg(unix)]
    pub fn freeze(&self) {
        tree::signal(self.pid, rustix::process::Signal::STOP);
    }

    /// Lets a frozen browser go on (SIGCONT).
    #[cfg(unix)]
    pub fn thaw(&self) {
        tree::signal(self.pid, rustix::process::Signal::CONT);
    }

    /// Kills one renderer, or another helper (SIGKILL), as the kernel's out-of-memory killer would.
    #[cfg(unix)]
    pub fn kill_renderer(&self, pid: u32) {
        tree::signal(pid, rustix::process::Signal::KILL);
    }

    /// Whether the browser process still runs.
    pub fn is_running(&self) -> bool {
        matches!(self.lock().try_wait(), Ok(None))
    }

    /// Waits until the browser process has ended by itself, at most `patience`.
    pub async fn exited(&self, patience: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + patience;
        loop {
            if let Ok(Some(status)) = self.lock().try_wait() {
                return Some(status);
            }
            if Instant::now() >= end {
                return None;
            }
            crate::background::run(tokio::time::sleep(Duration::from_millis(10))).await;
        }
    }

    /// Kills this browser and starts another one with the same profile, as a person would after a crash. The port and the
    /// UUID are new ones.
    pub async fn restart(mut self) -> Self {
        self.kill();
        let own = self.own_profile.take();
        let profile = self.profile.clone();
        drop(self);
        let mut next = Self::builder().profile(profile).start().await;
        next.own_profile = own;
        next
    }

    fn lock(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        self.kill();
    }
}
