//! Workers that are started before anybody needs them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::limits::Limits;
use crate::outcome::{ErrorKind, ScriptError};
use crate::process::{Process, Program};

/// How long after a spare was taken the next one is started. Who took it is about to use it for the first time,
/// and the start of a process would cost that call several milliseconds.
const REFILL_AFTER: Duration = Duration::from_millis(50);

/// Gives workers to REPLs and keeps one spare ready, so that nobody waits for a process to start.
/// Cheap to clone; clones share the spare.
#[derive(Clone, Debug)]
pub struct Pool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    program: Program,
    limits: Limits,
    spare: Mutex<Option<Process>>,
    warming: AtomicBool,
}

impl Pool {
    /// A pool without a spare yet; see [`Pool::warm`].
    #[must_use]
    pub fn new(program: Program, limits: Limits) -> Self {
        let inner = Inner {
            program,
            limits,
            spare: Mutex::new(None),
            warming: AtomicBool::new(false),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The limits of every worker of this pool.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Starts the spare if there is none. A failure shows when a worker is needed.
    ///
    /// Cancel-safe: a process that was being started is killed.
    pub async fn warm(&self) {
        let inner = &self.inner;
        if inner.warming.swap(true, Ordering::AcqRel) {
            return;
        }
        let _done = Warming(&inner.warming);
        let missing = inner.spare().as_mut().is_none_or(|spare| !spare.is_alive());
        if missing {
            match Process::start(&inner.program, &inner.limits).await {
                Ok(process) => *inner.spare() = Some(process),
                Err(error) => tracing::warn!(%error, "no spare sandbox"),
            }
        }
    }

    /// A worker: the spare, or a new one. Sees to the next spare.
    pub(crate) async fn take(&self) -> Result<Process, ScriptError> {
        let spare = self.inner.spare().take();
        let spare = spare.and_then(|mut process| process.is_alive().then_some(process));
        let process = match spare {
            Some(process) => process,
            None => Process::start(&self.inner.program, &self.inner.limits)
                .await
                .map_err(|error| {
                    ScriptError::new(
                        ErrorKind::SandboxUnavailable,
                        format!("the sandbox did not start: {error}"),
                    )
                    .with_hint("keeptab doctor")
                })?,
        };
        let pool = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(REFILL_AFTER).await;
            pool.warm().await;
        });
        Ok(process)
    }
}

impl Inner {
    fn spare(&self) -> std::sync::MutexGuard<'_, Option<Process>> {
        // A panic elsewhere leaves an Option, which is always whole.
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Clears the flag also when warming is cancelled.
struct Warming<'a>(&'a AtomicBool);

impl Drop for Warming<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
