//! Watching over a browser that we started, until it has ended.
use std::future::Future;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Child;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::tail::Tail;

/// A browser process. Its exit is noticed at once, and its temporary profile goes with it.
#[derive(Debug)]
pub(crate) struct Process {
    pid: u32,
    exit: watch::Receiver<Option<String>>,
    asks: Arc<Asks>,
    tail: Tail,
    start_timeout: Duration,
}

#[derive(Debug, Default)]
struct Asks {
    end: Notify,
    kill: Notify,
    /// It may outlive us.
    released: AtomicBool,
}

/// How long a browser may take to end after it was asked over CDP, and after the interrupt.
const AFTER_CLOSE: Duration = Duration::from_secs(5);
const AFTER_INTERRUPT: Duration = Duration::from_secs(3);

impl Process {
    /// Takes over a child. `profile` is removed after its end.
    pub(super) fn watch(
        mut child: Child,
        pid: u32,
        profile: Option<TempDir>,
        start_timeout: Duration,
    ) -> Self {
        let tail = Tail::default();
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(tail.clone().follow(stderr));
        }
        let asks = Arc::new(Asks::default());
        let (tell, exit) = watch::channel(None);
        tokio::spawn(supervise(child, pid, profile, Arc::clone(&asks), tell));
        Self {
            pid,
            exit,
            asks,
            tail,
            start_timeout,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for the end; how it ended, such as `exit status: 0`.
    pub(crate) async fn exited(&self) -> String {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        match ended.as_deref() {
            Ok(Some(status)) => status.clone(),
            // The watching task is gone, and kills its child when that happens.
            _ => "killed".to_owned(),
        }
    }

    /// Makes sure that it ends: waits for it to end by itself, then interrupts, then kills it. Never a
    /// polite terminate, upon which Chromium loses cookies of the last seconds.
    pub(crate) async fn end(&self) -> String {
        self.asks.end.notify_one();
        self.exited().await
    }

    /// What a browser that has ended wrote last, as a block to put under a message.
    pub(crate) async fn last_words(&self) -> String {
        // They may still be on their way from the pipe.
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.tail.text()
    }

    /// Lets it go on after us.
    pub(crate) fn release(&self) {
        self.asks.released.store(true, Ordering::Release);
    }

    /// Kills it at once.
    pub(crate) async fn kill(&self) {
        self.asks.kill.notify_one();
        self.exited().await;
    }

    /// Waits for something that a starting browser does; `None` when it turns out that it cannot come.
    ///
    /// # Errors
    /// With a message for people, when the browser ends first or takes too long.
    pub(crate) async fn while_starting<T>(
        &self,
        something: impl Future<Output = Option<T>>,
    ) -> Result<T, String> {
        let done = async {
            match something.await {
                Some(done) => done,
                // Its pipe ends a moment before it does.
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            done = timeout(self.start_timeout, done) => done.map_err(|_| {
                let limit = self.start_timeout.as_secs_f64();
                format!("the browser did not get ready within {limit} s{}", self.tail.text())
            }),
            status = self.exited() => {
                let words = self.last_words().await;
                Err(format!("the browser ended while it started ({status}){words}"))
            }
        }
    }
}

/// Kills the browser when the runtime goes away under it.
struct Guarded<'a> {
    child: Child,
    pid: u32,
    asks: &'a Asks,
    ended: bool,
}

impl Drop for Guarded<'_> {
    fn drop(&mut self) {
        if !self.ended && !self.asks.released.load(Ordering::Acquire) {
            super::spawn::kill(&mut self.child, self.pid);
        }
    }
}

async fn supervise(
    child: Child,
    pid: u32,
    profile: Option<TempDir>,
    asks: Arc<Asks>,
    tell: watch::Sender<Option<String>>,
) {
    let mut child = Guarded {
        child,
        pid,
        asks: &asks,
        ended: false,
    };
    let status = tokio::select! {
        status = child.child.wait() => status,
        () = asks.kill.notified() => kill(&mut child.child, pid).await,
        () = asks.end.notified() => insist(&mut child.child, pid).await,
    };
    child.ended = true;
    if let Some(profile) = profile {
        remove(profile).await;
    }
    tell.send_replace(Some(describe(status)));
}

async fn insist(child: &mut Child, pid: u32) -> std::io::Result<ExitStatus> {
    if let Ok(status) = timeout(AFTER_CLOSE, child.wait()).await {
        return status;
    }
    // The child is not reaped yet, so the number still means it.
    super::spawn::interrupt(pid);
    if let Ok(status) = timeout(AFTER_INTERRUPT, child.wait()).await {
        return status;
    }
    tracing::warn!(pid, "the browser did not end by itself and is killed");
    kill(child, pid).await
}

async fn kill(child: &mut Child, pid: u32) -> std::io::Result<ExitStatus> {
    super::spawn::kill(child, pid);
    child.wait().await
}

/// Helper processes may write for a moment longer than the browser lives.
async fn remove(profile: TempDir) {
    let path = profile.keep();
    for _ in 0..20 {
        match tokio::fs::remove_dir_all(&path).await {
            Ok(()) => return,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    tracing::warn!(path = %path.display(), "a temporary profile could not be removed");
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => format!("unknown: {error}"),
    }
}
