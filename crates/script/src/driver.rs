//! Drives one worker: everything between its pipes and the session, in one task.

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use keeptab_protocol::Raw;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::evals::{Answer, Evals, Overdue};
use crate::frame::{self, Frame, Kind};
use crate::host::{BoxFuture, Command, Feed, Host, Notice, Wanted};
use crate::limits::Limits;
use crate::ops;
use crate::outcome::{ErrorKind, EvalOutcome, ScriptError, seconds};
use crate::process::{Outgoing, Process};
use crate::repl::{EvalRequest, News};
use crate::wire::{Call, CommandHead, EvalEnd, EvalStart, Failure, Link, Listen};

/// Events that wait for the worker before some are dropped.
const EVENTS: usize = 4096;

/// An eval to run, and who waits for it.
pub(crate) struct Order {
    pub(crate) request: EvalRequest,
    pub(crate) reply: oneshot::Sender<Answer>,
}

/// A call that ended.
struct CallDone {
    id: u32,
    result: Result<Raw, ScriptError>,
    /// It may have put another connection in place of the one the feed belongs to.
    moved: bool,
}

/// One worker and its evals.
pub(crate) struct Driver {
    process: Process,
    host: Arc<dyn Host>,
    limits: Limits,
    news: Arc<News>,
    evals: Evals,
    outgoing: Outgoing,
    incoming: BytesMut,
    calls: FuturesUnordered<BoxFuture<'static, CallDone>>,
    wanted: Wanted,
    feed: Option<Box<dyn Feed>>,
    /// The worker has said something about an eval. Until then nothing it did can have left it.
    spoken: bool,
    /// When code that runs without an eval has to have ended.
    busy_until: Option<Instant>,
}

/// Why a worker is finished.
enum End {
    /// Nobody needs it any more.
    Unneeded,
    /// It died, or talks nonsense, for this reason.
    Lost(String),
    /// It did not keep a deadline, this one, and has to be killed.
    Overdue(String),
}

impl Driver {
    pub(crate) fn new(
        process: Process,
        host: Arc<dyn Host>,
        limits: Limits,
        news: Arc<News>,
    ) -> Self {
        Self {
            process,
            host,
            limits,
            news,
            evals: Evals::default(),
            outgoing: Outgoing::default(),
            incoming: BytesMut::with_capacity(16 << 10),
            calls: FuturesUnordered::new(),
            wanted: Wanted::Nothing,
            feed: None,
            spoken: false,
            busy_until: None,
        }
    }

    /// Runs until the REPL goes away or the worker does.
    pub(crate) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let end = self.serve(&mut orders).await;
        let _ = self.process.child.start_kill();
        let unheard = matches!(end, End::Lost(_)) && !self.spoken;
        let reason = match end {
            End::Unneeded => "the sandbox was reset".to_owned(),
            End::Lost(reason) | End::Overdue(reason) => reason,
        };
        orders.close();
        tracing::debug!(session = self.host.name(), reason, "sandbox ended");
        if unheard {
            self.evals.give_back_all();
        } else {
            if self.evals.is_empty() {
                self.news.lost(reason.clone());
            }
            self.evals.fail_all(&reason);
        }
        while let Ok(order) = orders.try_recv() {
            let _ = order.reply.send(Answer::NeverBegan);
        }
        // Reaped here, so that no zombie is left.
        let _ = self.process.child.wait().await;
    }

    async fn serve(&mut self, orders: &mut mpsc::Receiver<Order>) -> End {
        self.subscribe();
        loop {
            let alarm = self.alarm();
            tokio::select! {
                read = self.process.output.read_buf(&mut self.incoming) => match read {
                    Ok(0) => return End::Lost(self.post_mortem().await),
                    Ok(_) => {
                        if let Err(reason) = self.frames() {
                            return End::Lost(reason);
                        }
                    }
                    Err(error) => return End::Lost(format!("the sandbox's pipe broke: {error}")),
                },
                written = write(&mut self.process.input, &self.outgoing) => match written {
                    Ok(count) => self.outgoing.advance(count),
                    // Its end shows on the other pipe, with whatever it still had to say.
                    Err(_) => self.outgoing = Outgoing::default(),
                },
                Some(CallDone { id, result, moved }) = self.calls.next() => {
                    if moved {
                        // Before the answer, so that a snippet misses nothing of the new connection.
                        self.subscribe();
                    }
                    self.answer(id, result);
                }
                order = orders.recv() => match order {
                    Some(order) => self.begin(order),
                    None => return End::Unneeded,
                },
                notice = next(&mut self.feed), if !self.outgoing.is_full() => self.notice(notice),
                () = self.evals.abandoned() => {
                    for id in self.evals.take_abandoned() {
                        self.outgoing.push(Kind::Abandon, id, Bytes::new());
                    }
                }
                () = sleep_until(alarm) => {
                    if let Some(reason) = self.overdue() {
                        return End::Overdue(reason);
                    }
                }
            }
        }
    }

    /// When to look whether the worker keeps its deadlines.
    fn alarm(&self) -> Option<Instant> {
        let eval = self.evals.next_deadline().map(|at| at + self.limits.grace);
        match (eval, self.busy_until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// A deadline passed without a word from the worker. Gives the reason when it has to be killed.
    fn overdue(&mut self) -> Option<String> {
        let now = Instant::now();
        if self.busy_until.is_some_and(|at| at <= now) {
            return Some(format!(
                "code of a timer or listener ran for {} s and could not be stopped",
                seconds(self.limits.background)
            ));
        }
        match self.evals.overdue(now, self.limits.grace) {
            Overdue::None => None,
            Overdue::Settled(ids) => {
                for id in ids {
                    self.outgoing.push(Kind::Abandon, id, Bytes::new());
                }
                None
            }
            Overdue::Stuck(timeout) => Some(format!(
                "the snippet did not stop at its deadline of {} s and its sandbox was killed",
                seconds(timeout)
            )),
        }
    }

    /// Why the worker ended by itself.
    async fn post_mortem(&mut self) -> String {
        // Its pipes are closed, so it ends at once; a moment of patience for a loaded machine.
        match tokio::time::timeout(Duration::from_secs(2), self.process.child.wait()).await {
            Ok(Ok(status)) => format!("the sandbox ended unexpectedly ({status})"),
            _ => "the sandbox closed its pipes".to_owned(),
        }
    }

    fn begin(&mut self, order: Order) {
        let Order { request, reply } = order;
        let connection = self.host.connection();
        let active = self.host.active_target();
        let start = EvalStart {
            code: request.code.as_str().into(),
            file: request.file_name.as_str().into(),
            timeout_ms: u64::try_from(request.timeout.as_millis()).unwrap_or(u64::MAX),
            strict: request.strict,
            active: active.map(Into::into),
            connected: connection.is_some_and(|c| c.is_connected()),
            assigned: request.assigned.clone(),
        };
        let payload = match serde_json::to_vec(&start) {
            Ok(payload) if payload.len() <= self.limits.frame => payload,
            _ => {
                let error = ScriptError::new(ErrorKind::TooLarge, "the code is too long");
                let _ = reply.send(Answer::Ended(EvalOutcome::failed(
                    error,
                    String::new(),
                    false,
                )));
                return;
            }
        };
        if self.feed.is_none() {
            self.subscribe();
        }
        let id = self.evals.begin(request.timeout, request.allow, reply);
        self.outgoing.push(Kind::Eval, id, payload.into());
    }

    /// Handles every whole frame that has arrived.
    fn frames(&mut self) -> Result<(), String> {
        while let Some(frame) = frame::take(&mut self.incoming, self.limits.frame)
            .map_err(|error| format!("the sandbox sent nonsense: {error}"))?
        {
            self.frame(frame)?;
        }
        if self.incoming.is_empty() && self.incoming.capacity() > 1 << 20 {
            self.incoming = BytesMut::with_capacity(16 << 10);
        }
        Ok(())
    }

    fn frame(&mut self, frame: Frame) -> Result<(), String> {
        let Frame { kind, id, payload } = frame;
        self.spoken |= kind != Kind::Ready;
        let nonsense = |error: serde_json::Error| format!("the sandbox sent nonsense: {error}");
        match kind {
            Kind::Ready => {}
            Kind::Output => self.evals.output(id, payload),
            Kind::Console if id == 0 => self
                .news
                .late(String::from_utf8_lossy(&payload).into_owned()),
            Kind::Console => {
                let limit = self.limits.console.saturating_mul(2);
                self.evals.console(id, &payload, limit);
            }
            Kind::Done => {
                let end: EvalEnd<'_> = serde_json::from_slice(&payload).map_err(nonsense)?;
                self.evals.end(id, &end, self.limits.output);
            }
            Kind::Command => self.command(id, payload).map_err(nonsense)?,
            Kind::Call => {
                let call: Call = match serde_json::from_slice(&payload) {
                    Ok(call) => call,
                    Err(error) => {
                        // Options of the wrong type come from the snippet and are its error.
                        self.answer(
                            id,
                            Err(ScriptError::new(
                                ErrorKind::Invalid,
                                format!("wrong options: {error}"),
                            )),
                        );
                        return Ok(());
                    }
                };
                let host = Arc::clone(&self.host);
                let moved = matches!(call, Call::Connect { .. } | Call::Close);
                self.start(id, moved, ops::call(host, call));
            }
            Kind::Listen => {
                let listen: Listen = serde_json::from_slice(&payload).map_err(nonsense)?;
                self.wanted = match listen {
                    Listen { all: true, .. } => Wanted::Everything,
                    Listen { methods, .. } if methods.is_empty() => Wanted::Nothing,
                    Listen { methods, .. } => Wanted::Methods(methods),
                };
                self.subscribe();
            }
            Kind::Busy => {
                self.busy_until = Some(Instant::now() + self.limits.background + self.limits.grace)
            }
            Kind::Idle => self.busy_until = None,
            Kind::Active => {
                let handle: Option<String> = serde_json::from_slice(&payload).map_err(nonsense)?;
                self.host.set_active_target(handle);
            }
            Kind::Fatal => {
                return Err(format!(
                    "the sandbox gave up: {}",
                    String::from_utf8_lossy(&payload)
                ));
            }
            Kind::Init
            | Kind::Eval
            | Kind::Reply
            | Kind::Failed
            | Kind::Event
            | Kind::Link
            | Kind::Abandon => {
                return Err(format!(
                    "the sandbox sent nonsense: {kind:?} is not for its owner"
                ));
            }
        }
        Ok(())
    }

    /// A CDP command: its head is read, its parameters are passed on as they are.
    fn command(&mut self, id: u32, mut payload: Bytes) -> Result<(), serde_json::Error> {
        use serde::de::Error;
        let length = payload
            .try_get_u32_le()
            .map_err(serde_json::Error::custom)? as usize;
        if length > payload.len() {
            return Err(serde_json::Error::custom(
                "the head is longer than the frame",
            ));
        }
        let head = payload.split_to(length);
        let head: CommandHead<'_> = serde_json::from_slice(&head)?;
        let command = Command {
            method: head.method.into_owned(),
            params: Raw::from_utf8(payload).map_err(serde_json::Error::custom)?,
            target: head.target.map(Into::into),
            timeout: head.timeout_ms.map(Duration::from_millis),
        };
        let host = Arc::clone(&self.host);
        let granted = self.evals.grant(&command.method);
        self.evals.sends(head.eval, id, &command.method);
        self.start(id, false, ops::command(host, command, granted));
        Ok(())
    }

    fn start(
        &mut self,
        id: u32,
        moved: bool,
        work: impl Future<Output = Result<Raw, ScriptError>> + Send + 'static,
    ) {
        if self.calls.len() >= self.limits.in_flight {
            // The worker counts as well; only a broken one gets here.
            let error = ScriptError::new(ErrorKind::NotSent, "too many calls are waiting");
            self.answer(id, Err(error));
            return;
        }
        self.calls.push(Box::pin(async move {
            CallDone {
                id,
                result: work.await,
                moved,
            }
        }));
    }

    fn answer(&mut self, id: u32, result: Result<Raw, ScriptError>) {
        self.evals
            .settled(id, result.as_ref().err().map(|error| error.kind));
        let result = result.and_then(|raw| {
            if raw.len() > self.limits.frame {
                let message = format!(
                    "the result has {} bytes, more than a snippet can take ({})",
                    raw.len(),
                    self.limits.frame
                );
                return Err(ScriptError::new(ErrorKind::TooLarge, message));
            }
            Ok(raw)
        });
        match result {
            Ok(raw) => self.outgoing.push(Kind::Reply, id, raw.into_bytes()),
            Err(error) => {
                let failure = Failure {
                    kind: error.kind,
                    code: error.code,
                    message: error.message.into(),
                    hint: error.hint.map(Into::into),
                    data: None,
                };
                // Strings and numbers: it serialises.
                let payload = serde_json::to_vec(&failure).unwrap_or_else(|_| b"{}".to_vec());
                self.outgoing.push(Kind::Failed, id, payload.into());
            }
        }
    }

    /// Subscribes anew to what the worker wants; without a connection there is nothing to subscribe to.
    fn subscribe(&mut self) {
        self.feed = self
            .host
            .connection()
            .map(|c| c.subscribe(self.wanted.clone(), EVENTS));
    }

    fn notice(&mut self, notice: Option<Notice>) {
        let (method, target, params) = match notice {
            Some(Notice::Event {
                method,
                target,
                params,
            }) => (method, target, params),
            Some(Notice::Dropped(count)) => {
                let params = format!("{{\"count\":{count}}}");
                return self.event("keeptab.dropped", None, params.as_bytes());
            }
            Some(Notice::Gap(gap)) => return self.event("keeptab.gap", None, gap.as_bytes()),
            Some(Notice::Connected) => return self.link(true, None),
            // Commands wait for the connection: for a snippet it is still there.
            Some(Notice::Reconnecting) => return,
            Some(Notice::Over(reason)) => return self.link(false, Some(reason)),
            None => {
                self.feed = None;
                return self.link(false, Some("the connection is closed".into()));
            }
        };
        self.event(&method, target.as_deref(), params.as_bytes());
    }

    fn event(&mut self, method: &str, target: Option<&str>, params: &[u8]) {
        // Names and handles hold nothing that JSON would escape, but a browser may send anything.
        let method = serde_json::to_string(method).unwrap_or_else(|_| "\"\"".into());
        let target = target.map(|t| serde_json::to_string(t).unwrap_or_else(|_| "\"\"".into()));
        let mut payload = Vec::with_capacity(params.len() + 128);
        payload.extend_from_slice(b"{\"method\":");
        payload.extend_from_slice(method.as_bytes());
        if let Some(target) = target {
            payload.extend_from_slice(b",\"sessionId\":");
            payload.extend_from_slice(target.as_bytes());
        }
        payload.extend_from_slice(b",\"params\":");
        payload.extend_from_slice(params);
        payload.push(b'}');
        self.outgoing.push(Kind::Event, 0, payload.into());
    }

    fn link(&mut self, connected: bool, lost: Option<String>) {
        let payload = serde_json::to_vec(&Link { connected, lost }).unwrap_or_default();
        self.outgoing.push(Kind::Link, 0, payload.into());
    }
}

/// Writes the next piece; waits for ever when there is none. Cancel-safe.
async fn write(
    input: &mut tokio::process::ChildStdin,
    outgoing: &Outgoing,
) -> std::io::Result<usize> {
    match outgoing.front() {
        Some(piece) => input.write(piece).await,
        None => pending().await,
    }
}

async fn next(feed: &mut Option<Box<dyn Feed>>) -> Option<Notice> {
    match feed {
        Some(feed) => feed.next().await,
        None => pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => pending().await,
    }
}
