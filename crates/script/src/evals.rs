//! The evals that run in one worker, as its owner sees them.

use std::collections::HashMap;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use keeptab_protocol::Raw;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::outcome::{ErrorKind, EvalOutcome, ScriptError, seconds};
use crate::sent::Sent;
use crate::wire::{EvalEnd, Shape};

/// All evals that have begun and not ended.
#[derive(Default)]
pub(crate) struct Evals {
    active: HashMap<u32, Eval>,
    last: u32,
    abandoned: Vec<u32>,
}

struct Eval {
    deadline: Instant,
    timeout: Duration,
    /// Methods that its caller allows it, or `Domain.*`.
    allow: Vec<String>,
    reply: oneshot::Sender<Answer>,
    output: Bytes,
    console: String,
    sent: Sent,
}

/// What whoever asked for an eval gets.
pub(crate) enum Answer {
    /// It began, and ended like this.
    Ended(EvalOutcome),
    /// Nothing came of it, as if it had never begun: it can be given to another worker.
    NeverBegan,
}

/// What is to be done about evals that are past their deadline.
pub(crate) enum Overdue {
    /// Nothing.
    None,
    /// These were told so; others with more time go on.
    Settled(Vec<u32>),
    /// The worker is stuck with an eval of this timeout and must be killed.
    Stuck(Duration),
}

impl Evals {
    pub(crate) fn begin(
        &mut self,
        timeout: Duration,
        allow: Vec<String>,
        reply: oneshot::Sender<Answer>,
    ) -> u32 {
        // 0 stands for "no eval".
        self.last = self.last.checked_add(1).unwrap_or(1);
        let eval = Eval {
            deadline: Instant::now() + timeout,
            timeout,
            allow,
            reply,
            output: Bytes::new(),
            console: String::new(),
            sent: Sent::default(),
        };
        self.active.insert(self.last, eval);
        self.last
    }

    /// Whether an eval that runs now was allowed this method. Not asked per eval: all share one scope, so that one can
    /// always have another call for it, and which of them a call belongs to is known only from the worker.
    pub(crate) fn grant(&self, method: &str) -> bool {
        let domain = method.split_once('.').map(|(domain, _)| domain);
        self.active
            .values()
            .flat_map(|eval| &eval.allow)
            .any(|allowed| allowed == method || allowed.strip_suffix(".*") == domain)
    }

    /// An eval sends a command. One of code that belongs to no eval counts for each that runs: any of them may
    /// have caused it.
    pub(crate) fn sends(&mut self, id: u32, call: u32, method: &str) {
        match self.active.get_mut(&id) {
            Some(eval) => eval.sent.begin(call, method),
            None => {
                for eval in self.active.values_mut() {
                    eval.sent.begin(call, method);
                }
            }
        }
    }

    /// A command was answered, or failed like this.
    pub(crate) fn settled(&mut self, call: u32, failed: Option<ErrorKind>) {
        for eval in self.active.values_mut() {
            eval.sent.settle(call, failed);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.active.values().map(|eval| eval.deadline).min()
    }

    pub(crate) fn output(&mut self, id: u32, text: Bytes) {
        if let Some(eval) = self.active.get_mut(&id) {
            eval.output = text;
        }
    }

    /// Adds console text; the worker cuts it, `limit` is for one that does not.
    pub(crate) fn console(&mut self, id: u32, text: &[u8], limit: usize) {
        if let Some(eval) = self.active.get_mut(&id)
            && eval.console.len() < limit
        {
            eval.console.push_str(&String::from_utf8_lossy(text));
        }
    }

    /// An eval ended by itself.
    pub(crate) fn end(&mut self, id: u32, end: &EvalEnd<'_>, output_limit: usize) {
        let Some(eval) = self.active.remove(&id) else {
            return;
        };
        let mut stderr = eval.console;
        if let Some(text) = &end.text {
            stderr.push_str(text);
        }
        let error = end.failure.as_ref().map(|failure| ScriptError {
            kind: failure.kind,
            code: failure.code,
            message: failure.message.to_string(),
            hint: failure.hint.as_ref().map(ToString::to_string),
        });
        let stdout = match String::from_utf8(eval.output.into()) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        let truncated = end.shape == Shape::Cut;
        if truncated {
            stderr.push_str(&format!(
                "keeptab: the result was cut at {output_limit} bytes\n"
            ));
        }
        let json = match (&end.json, end.shape) {
            (Some(json), _) => Raw::from_utf8(Bytes::copy_from_slice(json.as_bytes())).ok(),
            (None, Shape::Json) => Raw::from_utf8(stdout.clone().into()).ok(),
            (None, Shape::Text) => Raw::of(&stdout).ok(),
            (None, Shape::Nothing | Shape::Cut) => None,
        };
        let ok = error.is_none();
        // Nobody may be waiting any more; then nobody wants to know.
        let _ = eval.reply.send(Answer::Ended(EvalOutcome {
            ok,
            stdout,
            json,
            stderr,
            error,
            scope_lost: false,
            truncated,
        }));
    }

    /// Looks for evals past their deadline and `grace`, which the worker said nothing about.
    pub(crate) fn overdue(&mut self, now: Instant, grace: Duration) -> Overdue {
        let late: Vec<u32> = self
            .active
            .iter()
            .filter(|(_, eval)| eval.deadline + grace <= now)
            .map(|(id, _)| *id)
            .collect();
        if late.is_empty() {
            return Overdue::None;
        }
        if late.len() == self.active.len() {
            let timeout = self.active.values().map(|eval| eval.timeout).max();
            return Overdue::Stuck(timeout.unwrap_or_default());
        }
        // Another eval still has time, and may be the one that keeps the worker busy.
        for id in &late {
            if let Some(eval) = self.active.remove(id) {
                let message = format!(
                    "the snippet did not end within {} s; another one was computing",
                    seconds(eval.timeout)
                );
                let error = ScriptError::new(ErrorKind::Deadline, message)
                    .with_hint("run it again, or in a session of its own");
                let _ = eval.reply.send(Answer::Ended(EvalOutcome::failed(
                    error,
                    eval.console,
                    false,
                )));
            }
        }
        Overdue::Settled(late)
    }

    /// The worker is gone: ends everything.
    pub(crate) fn fail_all(&mut self, reason: &str) {
        let now = Instant::now();
        for (_, eval) in self.active.drain() {
            // Whoever ran into its own deadline is told that; the others lost their sandbox.
            let error = if eval.deadline <= now {
                ScriptError::new(ErrorKind::Deadline, reason)
                    .with_hint("what was on globalThis is gone; the next call starts afresh")
            } else if let Some(sent) = eval.sent.named() {
                let message = format!("{reason}; the snippet had sent {sent}");
                ScriptError::new(ErrorKind::OutcomeUnknown, message).with_hint(
                    "it may have happened: look at the page before you repeat it; what was on globalThis is gone",
                )
            } else {
                ScriptError::new(ErrorKind::SandboxLost, reason).with_hint(
                    "nothing was sent that changes anything, so it is safe to repeat; what was on globalThis is gone",
                )
            };
            let _ = eval.reply.send(Answer::Ended(EvalOutcome::failed(
                error,
                eval.console,
                true,
            )));
        }
    }

    /// The worker was gone before anything that an eval did could have left it.
    pub(crate) fn give_back_all(&mut self) {
        for (_, eval) in self.active.drain() {
            let _ = eval.reply.send(Answer::NeverBegan);
        }
    }

    /// Ready when someone stopped waiting for an eval.
    pub(crate) async fn abandoned(&mut self) {
        poll_fn(|cx| {
            for (id, eval) in &mut self.active {
                if eval.reply.poll_closed(cx).is_ready() {
                    self.abandoned.push(*id);
                }
            }
            if self.abandoned.is_empty() {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }

    /// The evals that nobody waits for any more.
    pub(crate) fn take_abandoned(&mut self) -> Vec<u32> {
        let ids = std::mem::take(&mut self.abandoned);
        for id in &ids {
            self.active.remove(id);
        }
        ids
    }
}
