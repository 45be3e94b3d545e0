//! Workers that are started before anybody needs them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time::{sleep, timeout};

use crate::limits::Limits;
use crate::outcome::{ErrorKind, ScriptError};
use crate::process::{Process, Program};

/// How long after a spare was taken the next one is started at the latest. Who took it is about to use it for the
/// first time, and the start of a process would cost that call several milliseconds.
const REFILL_AFTER: Duration = Duration::from_millis(50);
/// How long after the end of a call, so that its answer leaves first.
const ANSWER_FIRST: Duration = Duration::from_millis(5);
/// How long a spare that is being started is waited for; one that does not come must not hold up a call.
const WAIT_FOR_SPARE: Duration = Duration::from_millis(500);

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
    /// Locked while it is being started: who needs a worker then waits for this one.
    spare: Mutex<Option<Process>>,
    /// A call has ended.
    ended: Notify,
}

impl Pool {
    /// A pool without a spare yet; see [`Pool::warm`].
    #[must_use]
    pub fn new(program: Program, limits: Limits) -> Self {
        let inner = Inner {
            program,
            limits,
            spare: Mutex::new(None),
            ended: Notify::new(),
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
        let mut spare = inner.spare.lock().await;
        if spare.as_mut().is_none_or(|spare| !spare.is_alive()) {
            match Process::start(&inner.program, &inner.limits).await {
                Ok(process) => *spare = Some(process),
                Err(error) => tracing::warn!(%error, "no spare sandbox"),
            }
        }
    }

    /// A worker: the spare, or a new one. Sees to the next spare.
    pub(crate) async fn take(&self) -> Result<Process, ScriptError> {
        let spare = timeout(WAIT_FOR_SPARE, self.inner.spare.lock()).await;
        let spare = spare.ok().and_then(|mut spare| spare.take());
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
            tokio::select! {
                () = pool.inner.ended.notified() => sleep(ANSWER_FIRST).await,
                () = sleep(REFILL_AFTER) => {}
            }
            pool.warm().await;
        });
        Ok(process)
    }

    /// A call has ended: now is a good time for the next spare.
    pub(crate) fn call_ended(&self) {
        self.inner.ended.notify_waiters();
    }
}
