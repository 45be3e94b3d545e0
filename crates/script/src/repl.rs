//! The REPL of one session.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::driver::{Driver, Order};
use crate::evals::Answer;
use crate::host::Host;
use crate::outcome::{ErrorKind, EvalOutcome, ScriptError};
use crate::pool::Pool;
use crate::wire::Assigned;

/// Longest deadline of an eval: what is longer is taken as this.
const MAX_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 3600);
/// Workers that are tried for one eval, as long as none has begun with it.
const ATTEMPTS: usize = 3;
/// Orders that may wait for a worker's driver.
const ORDERS: usize = 64;
/// Bytes of output of ended evals that are kept for the next one.
const MAX_LATE: usize = 64 << 10;

/// One piece of code to run.
#[derive(Clone, Debug)]
pub struct EvalRequest {
    /// The code: one expression, whose value is the result, or statements, which `return` theirs.
    pub code: String,
    /// The name that stands in stacks, such as `snippet.js`.
    pub file_name: String,
    /// How long it may take, waiting included.
    pub timeout: Duration,
    /// Make exceptions in the page and failed navigations errors instead of warnings.
    pub strict: bool,
    /// What the caller's environment assigns to it (`BU_TARGET_ID`, `BU_CDP_PORT`).
    pub assigned: Assigned,
    /// Methods (`Domain.method`, `Domain.*`) that the host would refuse to a snippet and that its caller allows while
    /// this one runs.
    pub allow: Vec<String>,
}

impl EvalRequest {
    /// Code with a deadline of 30 s, called `snippet.js`.
    pub fn new(code: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            file_name: "snippet.js".into(),
            timeout: Duration::from_secs(30),
            strict: false,
            assigned: Assigned::default(),
            allow: Vec::new(),
        }
    }

    /// The same code with another deadline.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// The JavaScript scope of one session. It has a worker process from the first eval on; what snippets put on
/// `globalThis` stays until the worker is lost or [`Repl::reset`]. Cheap to clone.
#[derive(Clone)]
pub struct Repl {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Pool,
    host: Arc<dyn Host>,
    /// The running driver. Not held while anything is awaited.
    orders: Mutex<Option<mpsc::Sender<Order>>>,
    /// Only one eval at a time starts a worker.
    starting: tokio::sync::Mutex<()>,
    news: Arc<News>,
}

/// What happened while no eval was there to be told.
#[derive(Debug, Default)]
pub(crate) struct News {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    late: VecDeque<String>,
    bytes: usize,
    lost: Option<String>,
}

impl Repl {
    /// A REPL without a worker yet.
    #[must_use]
    pub fn new(pool: Pool, host: Arc<dyn Host>) -> Self {
        let inner = Inner {
            pool,
            host,
            orders: Mutex::new(None),
            starting: tokio::sync::Mutex::new(()),
            news: Arc::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Runs code and waits for its end, which comes within the request's timeout and a little.
    ///
    /// Several at a time share the scope and take turns wherever they await; each has its own output and
    /// its own active tab. Not cancel-safe in the strict sense: when the future is dropped, the snippet is
    /// told to stop, and what it has already sent may still happen.
    pub async fn eval(&self, mut request: EvalRequest) -> EvalOutcome {
        request.timeout = request.timeout.min(MAX_TIMEOUT);
        // A worker may be gone before it began with this; then another one does it.
        for _ in 0..ATTEMPTS {
            let orders = match self.orders().await {
                Ok(orders) => orders,
                Err(error) => {
                    return self.with_news(EvalOutcome::failed(error, String::new(), false));
                }
            };
            let (reply, answer) = oneshot::channel();
            let order = Order {
                request: request.clone(),
                reply,
            };
            if orders.send(order).await.is_err() {
                self.forget(&orders);
                continue;
            }
            match answer.await {
                Ok(Answer::Ended(outcome)) => {
                    self.inner.pool.call_ended();
                    if outcome.scope_lost {
                        self.forget(&orders);
                    }
                    return self.with_news(outcome);
                }
                Ok(Answer::NeverBegan) => self.forget(&orders),
                Err(_) => {
                    // The driver went away with the order: it may have begun, so it is not repeated.
                    self.forget(&orders);
                    let message = "the sandbox ended while the snippet ran";
                    let error = ScriptError::new(ErrorKind::OutcomeUnknown, message)
                        .with_hint("look at the page before you repeat it");
                    return self.with_news(EvalOutcome::failed(error, String::new(), true));
                }
            }
        }
        let error = ScriptError::new(
            ErrorKind::SandboxUnavailable,
            "the sandbox does not stay up",
        )
        .with_hint("keeptab doctor");
        self.with_news(EvalOutcome::failed(error, String::new(), false))
    }

    /// Drops the scope: the worker is ended, and the next eval starts with a new one.
    pub fn reset(&self) {
        self.inner.slot().take();
    }

    /// Whether there is a worker with a scope.
    #[must_use]
    pub fn has_scope(&self) -> bool {
        self.inner
            .slot()
            .as_ref()
            .is_some_and(|orders| !orders.is_closed())
    }

    /// The driver of the worker, started if need be.
    async fn orders(&self) -> Result<mpsc::Sender<Order>, ScriptError> {
        if let Some(orders) = self.running() {
            return Ok(orders);
        }
        let _one_at_a_time = self.inner.starting.lock().await;
        if let Some(orders) = self.running() {
            return Ok(orders);
        }
        let process = self.inner.pool.take().await?;
        let (orders, inbox) = mpsc::channel(ORDERS);
        let driver = Driver::new(
            process,
            Arc::clone(&self.inner.host),
            self.inner.pool.limits().clone(),
            Arc::clone(&self.inner.news),
        );
        tokio::spawn(driver.run(inbox));
        *self.inner.slot() = Some(orders.clone());
        Ok(orders)
    }

    fn running(&self) -> Option<mpsc::Sender<Order>> {
        self.inner
            .slot()
            .clone()
            .filter(|orders| !orders.is_closed())
    }

    /// Lets go of a driver that has ended, unless there is a newer one.
    fn forget(&self, ended: &mpsc::Sender<Order>) {
        let mut slot = self.inner.slot();
        if slot
            .as_ref()
            .is_some_and(|orders| orders.same_channel(ended))
        {
            *slot = None;
        }
    }

    /// Puts what happened in the meantime before an outcome's own output.
    fn with_news(&self, mut outcome: EvalOutcome) -> EvalOutcome {
        let (late, lost) = self.inner.news.take();
        if let Some(reason) = lost {
            if !outcome.scope_lost {
                let note = format!("keeptab: what was on globalThis is gone: {reason}\n");
                outcome.stderr.insert_str(0, &note);
            }
            outcome.scope_lost = true;
        }
        if !late.is_empty() {
            outcome.stderr.insert_str(0, &late);
        }
        outcome
    }
}

impl fmt::Debug for Repl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repl")
            .field("session", &self.inner.host.name())
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn slot(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<Order>>> {
        // An Option of a handle is whole whatever panicked.
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl News {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps output of code whose eval has ended; the oldest goes first when there is too much.
    pub(crate) fn late(&self, text: String) {
        let mut kept = self.kept();
        kept.bytes += text.len();
        kept.late.push_back(text);
        while kept.bytes > MAX_LATE {
            let Some(oldest) = kept.late.pop_front() else {
                break;
            };
            kept.bytes -= oldest.len();
        }
    }

    /// Notes that the scope was lost while no eval ran.
    pub(crate) fn lost(&self, reason: String) {
        self.kept().lost = Some(reason);
    }

    fn take(&self) -> (String, Option<String>) {
        let mut kept = self.kept();
        kept.bytes = 0;
        let late = kept.late.drain(..).collect();
        (late, kept.lost.take())
    }
}
