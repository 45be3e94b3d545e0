//! The worker's loop.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rquickjs::{Context, Ctx, FromJs, Function, Object, Runtime, Value};

use super::compile;
use super::confine;
use super::input::{Got, Input};
use super::natives;
use super::prelude::Prelude;
use super::rehearsal;
use super::state::State;
use crate::frame::{Frame, Kind};
use crate::limits::Limits;
use crate::outcome::{ErrorKind, seconds};
use crate::wire::{EvalEnd, EvalStart, Failure, Shape};

/// Jobs between two looks at the clock while promises are worked off.
const CHECK_EVERY: usize = 256;

/// Runs a sandbox worker on standard input and output until the owner closes them. Never returns.
///
/// This is what the hidden `js-worker` command of the program calls, before anything else.
pub fn worker_main() -> ! {
    confine::die_with_parent();
    let code = match start() {
        Ok(()) => 0,
        Err(error) => {
            let mut out = super::output::Outbox::default();
            out.push(Kind::Fatal, 0, &[error.to_string().as_bytes()]);
            out.flush();
            1
        }
    };
    std::process::exit(code)
}

/// Puts the confinement of a worker on this process, for good. Public for the test program, which then tries to
/// get out.
///
/// # Errors
/// When the system refuses it.
#[doc(hidden)]
pub fn confine_this_process(limits: &Limits) -> io::Result<()> {
    confine::apply(limits)
}

fn start() -> io::Result<()> {
    let mut input = Input::new(1 << 20);
    let Got::Frame(Frame {
        kind: Kind::Init,
        payload,
        ..
    }) = input.next(None)?
    else {
        return Ok(());
    };
    let limits: Limits = serde_json::from_slice(&payload)?;
    input.set_max(limits.frame);
    let state = Rc::new(State::new(limits));
    let runtime = Runtime::new().map_err(io::Error::other)?;
    runtime.set_memory_limit(state.limits.heap);
    runtime.set_max_stack_size(state.limits.stack);
    let s = Rc::clone(&state);
    runtime.set_interrupt_handler(Some(Box::new(move || s.expired())));
    let s = Rc::clone(&state);
    runtime.set_host_promise_rejection_tracker(Some(Box::new(
        move |ctx, promise, reason, handled| {
            s.rejection(&ctx, promise, reason, handled);
        },
    )));
    let context = Context::full(&runtime).map_err(io::Error::other)?;
    let ended = context.with(|ctx| {
        let worker = Worker::new(&ctx, state).map_err(|error| {
            // The prelude is ours: a fault in it is a fault of the build, and its message is what helps.
            let thrown = ctx.catch();
            let thrown = thrown
                .as_exception()
                .map(ToString::to_string)
                .unwrap_or_default();
            io::Error::other(format!("the prelude failed: {error} {thrown}"))
        })?;
        confine::apply(&worker.state.limits)?;
        worker.serve(&mut input)
    });
    // Never dropped: with promises pending, taking the engine down may abort. The process ends anyway.
    std::mem::forget((context, runtime));
    ended
}

pub(super) struct Worker<'js> {
    ctx: Ctx<'js>,
    pub(super) state: Rc<State>,
    prelude: Prelude<'js>,
}

impl<'js> Worker<'js> {
    fn new(ctx: &Ctx<'js>, state: Rc<State>) -> rquickjs::Result<Self> {
        let native = Object::new(ctx.clone())?;
        let kt = Object::new(ctx.clone())?;
        natives::install(ctx, &native, &kt, &state)?;
        let prelude = Prelude::load(ctx, &native, &kt)?;
        Ok(Self {
            ctx: ctx.clone(),
            state,
            prelude,
        })
    }

    fn serve(&self, input: &mut Input) -> io::Result<()> {
        rehearsal::rehearse(self)?;
        self.state.send(Kind::Ready, 0, &[]);
        self.state.out.borrow_mut().flush();
        loop {
            let now = Instant::now();
            let patience = self
                .state
                .next_wake()
                .map(|at| at.saturating_duration_since(now));
            match input.next(patience)? {
                Got::Frame(frame) => self.frame(frame)?,
                Got::Nothing => {}
                Got::End => return Ok(()),
            }
            self.end_overdue();
            let now = Instant::now();
            while let Some(id) = self.pop_timer(now) {
                let owner = self
                    .call::<u32, _>(&self.prelude.timer_owner, (id,))
                    .unwrap_or(0);
                self.turn(owner, || self.prelude.fire.call::<_, ()>((id,)))?;
            }
            self.state.out.borrow_mut().flush();
        }
    }

    fn pop_timer(&self, now: Instant) -> Option<u32> {
        self.state.timers.borrow_mut().pop(now)
    }

    fn frame(&self, frame: Frame) -> io::Result<()> {
        match frame.kind {
            Kind::Eval => self.eval(frame.id, &frame.payload),
            Kind::Reply => self.settle(frame.id, true, frame.payload),
            Kind::Failed => self.settle(frame.id, false, frame.payload),
            Kind::Event => self.turn(0, || {
                let event = self.ctx.json_parse(Vec::from(frame.payload))?;
                self.prelude.event.call::<_, ()>((event,))
            }),
            Kind::Link => self.turn(0, || {
                let link = self.ctx.json_parse(Vec::from(frame.payload))?;
                self.prelude.link.call::<_, ()>((link,))
            }),
            Kind::Abandon => {
                self.drop_eval(frame.id);
                Ok(())
            }
            other => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{other:?} is not for a worker"),
            )),
        }
    }

    /// Runs a snippet up to where it waits.
    pub(super) fn eval(&self, id: u32, payload: &[u8]) -> io::Result<()> {
        let start: EvalStart<'_> = serde_json::from_slice(payload)?;
        self.state
            .begin(id, Duration::from_millis(start.timeout_ms));
        // Without the code, which may be long.
        let options = serde_json::json!({
            "active": start.active, "strict": start.strict, "assigned": start.assigned, "connected": start.connected,
            "reaches": compile::reaches(&start.code),
        })
        .to_string();
        self.turn(id, || {
            match compile::compile(&self.ctx, &start.code, &start.file) {
                Ok(function) => {
                    let started = self.prelude.start.call::<_, ()>((id, function, options));
                    if started.is_err() && !self.state.interrupted.get() {
                        self.not_started(id);
                        return Ok(());
                    }
                    started
                }
                // Out of time: the turn reports it.
                Err(_) if self.state.interrupted.get() => Ok(()),
                Err(fault) => {
                    self.not_javascript(id, &start, &fault);
                    Ok(())
                }
            }
        })
    }

    /// The prelude could not run a snippet: an earlier one broke what the language itself stands on.
    fn not_started(&self, id: u32) {
        let thrown = self.ctx.catch();
        let thrown = thrown
            .as_exception()
            .and_then(|e| e.message())
            .unwrap_or_default();
        let message = format!("the snippet did not start: {thrown}");
        let hint = "earlier code changed the language's own objects, or memory is used up";
        let text = format!("Error: {message}\nhint: {hint}\n");
        self.fail(id, ErrorKind::Thrown, &message, Some(hint), text);
    }

    fn not_javascript(&self, id: u32, start: &EvalStart<'_>, fault: &compile::Fault) {
        let shown = fault.show(&start.code, &start.file);
        let hint = fault.hint(&start.code);
        let text = hint.map_or_else(|| shown.clone(), |hint| format!("{shown}hint: {hint}\n"));
        let message = shown.lines().next().unwrap_or("SyntaxError").to_owned();
        self.fail(id, ErrorKind::Syntax, &message, hint, text);
    }

    /// Answers a call of a snippet, which goes on.
    pub(super) fn settle(&self, call: u32, ok: bool, payload: Bytes) -> io::Result<()> {
        let owner = self.state.calls.borrow_mut().remove(&call).unwrap_or(0);
        self.turn(owner, || {
            match self.ctx.json_parse(Vec::from(payload)) {
                Ok(value) => self.prelude.settle.call::<_, ()>((call, ok, value)),
                Err(_) => {
                    // Not JSON cannot be: the owner checked. Then memory is short.
                    let _ = self.ctx.catch();
                    let failure = Object::new(self.ctx.clone())?;
                    failure.set("kind", ErrorKind::OutOfMemory.as_str())?;
                    failure.set(
                        "message",
                        "the result does not fit into the sandbox's memory",
                    )?;
                    self.prelude.settle.call::<_, ()>((call, false, failure))
                }
            }
        })
    }

    /// Runs `work` and everything that follows from it on account of one eval (0: of none).
    fn turn(&self, owner: u32, work: impl FnOnce() -> rquickjs::Result<()>) -> io::Result<()> {
        let state = &*self.state;
        let deadline = state
            .evals
            .borrow()
            .get(&owner)
            .map(|e| (e.deadline, e.timeout));
        let owned = deadline.is_some();
        let (until, allowed) = deadline.unwrap_or_else(|| {
            (
                Instant::now() + state.limits.background,
                state.limits.background,
            )
        });
        if !owned {
            // The owner must see it before JavaScript runs: it keeps the time.
            state.send(Kind::Busy, 0, &[]);
            state.out.borrow_mut().flush();
        }
        confine::bound_processor_time(allowed);
        let _ = self.call::<(), _>(&self.prelude.enter, (owner,));
        state.interrupted.set(false);
        state.until.set(Some(until));
        let worked = work();
        let thrown = worked.is_err().then(|| self.ctx.catch());
        self.drain(until)?;
        state.until.set(None);
        let interrupted = state.interrupted.replace(false);
        if let Some(thrown) = thrown.filter(|_| !interrupted) {
            let _ = self.call::<(), _>(&self.prelude.late, (thrown, "Uncaught"));
        }
        self.report_rejections(interrupted);
        if interrupted {
            self.stopped(owner, owned, allowed);
        }
        if !owned {
            state.send(Kind::Idle, 0, &[]);
        }
        Ok(())
    }

    /// Works off promises until none is left.
    fn drain(&self, until: Instant) -> io::Result<()> {
        let mut done = 0_usize;
        while self.ctx.execute_pending_job() {
            done += 1;
            if !done.is_multiple_of(CHECK_EVERY) || !self.state.expired() {
                continue;
            }
            // Over. Code that is interrupted does not queue more; a queue that still does not end cannot be
            // emptied from here, and would fall to the next eval.
            if until.elapsed() > self.state.limits.grace / 2 {
                return Err(io::Error::other("promises kept coming after the deadline"));
            }
        }
        Ok(())
    }

    fn report_rejections(&self, interrupted: bool) {
        let list = std::mem::take(&mut *self.state.rejections.borrow_mut());
        for (_, reason) in list {
            let Ok(reason) = reason.restore(&self.ctx) else {
                continue;
            };
            if interrupted && reason.is_error() {
                // The deadline itself, which is reported as such.
                continue;
            }
            let _ = self.call::<(), _>(&self.prelude.late, (reason, "Unhandled rejection"));
        }
    }

    /// An eval, or code of none, ran into its deadline while it computed.
    fn stopped(&self, owner: u32, owned: bool, allowed: Duration) {
        let seconds = seconds(allowed);
        if !owned {
            let note =
                format!("keeptab: a timer or listener ran for {seconds} s and was stopped\n");
            self.state.console(0, &note);
            return;
        }
        self.abandon(owner);
        let message =
            format!("the snippet was stopped at its deadline of {seconds} s; it was computing");
        let hint = "what it put on globalThis is still there; give it longer with --timeout";
        self.fail_plainly(owner, &message, hint);
    }

    /// Ends evals that waited until their deadline.
    fn end_overdue(&self) {
        let now = Instant::now();
        let overdue: Vec<(u32, Duration)> = self
            .state
            .evals
            .borrow()
            .iter()
            .filter(|(_, eval)| eval.deadline <= now)
            .map(|(id, eval)| (*id, eval.timeout))
            .collect();
        for (id, timeout) in overdue {
            let waiting = self.abandon(id);
            let waiting = if waiting.is_empty() {
                "a promise".to_owned()
            } else {
                waiting
            };
            let message = format!(
                "the snippet did not end within {} s; it was waiting for {waiting}",
                seconds(timeout)
            );
            self.fail_plainly(
                id,
                &message,
                "give it longer with --timeout; what has already been sent may still happen",
            );
        }
    }

    /// Ends an eval that nobody waits for.
    pub(super) fn drop_eval(&self, id: u32) {
        self.abandon(id);
        self.state.evals.borrow_mut().remove(&id);
    }

    /// Takes an eval's calls and timers away, so that it cannot act after it was reported as ended.
    fn abandon(&self, id: u32) -> String {
        self.call(&self.prelude.abandon, (id,)).unwrap_or_default()
    }

    fn fail_plainly(&self, id: u32, message: &str, hint: &'static str) {
        let text = format!("Error: {message}\nhint: {hint}\n");
        self.fail(id, ErrorKind::Deadline, message, Some(hint), text);
    }

    fn fail(
        &self,
        id: u32,
        kind: ErrorKind,
        message: &str,
        hint: Option<&'static str>,
        text: String,
    ) {
        let failure = Failure {
            kind,
            code: None,
            message: message.into(),
            hint: hint.map(Into::into),
            data: None,
        };
        let end = EvalEnd {
            shape: Shape::Nothing,
            json: None,
            failure: Some(failure),
            text: Some(text.into()),
        };
        natives::end(&self.state, id, &end);
        self.state.out.borrow_mut().flush();
    }

    /// Calls a function of the prelude; what it throws is dropped, because it is not the snippet's.
    fn call<R: FromJs<'js>, A: rquickjs::function::IntoArgs<'js>>(
        &self,
        function: &Function<'js>,
        args: A,
    ) -> Option<R> {
        match function.call::<A, R>(args) {
            Ok(value) => Some(value),
            Err(_) => {
                let _: Value<'js> = self.ctx.catch();
                None
            }
        }
    }
}
