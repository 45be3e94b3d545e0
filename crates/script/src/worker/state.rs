//! What the worker's loop and the functions that JavaScript calls share. One thread, so cells.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, Instant};

use rquickjs::{Persistent, Value};

use super::output::Outbox;
use super::timers::Timers;
use crate::frame::Kind;
use crate::limits::Limits;

/// Most timers that may wait at a time.
pub(super) const MAX_TIMERS: usize = 100_000;
/// Most rejections that are reported after one turn.
const MAX_REJECTIONS: usize = 64;

/// How long before its snippet a call's own time ends, at most.
const CALL_MARGIN: Duration = Duration::from_millis(250);

/// A promise that was rejected while nobody handled it, and the reason.
pub(super) type Rejection = (Persistent<Value<'static>>, Persistent<Value<'static>>);

/// An eval that has not ended.
pub(super) struct Eval {
    pub(super) deadline: Instant,
    pub(super) timeout: Duration,
    /// Bytes of console output so far.
    console: usize,
}

pub(super) struct State {
    pub(super) limits: Limits,
    pub(super) out: RefCell<Outbox>,
    pub(super) timers: RefCell<Timers>,
    pub(super) evals: RefCell<HashMap<u32, Eval>>,
    /// Which eval made which call.
    pub(super) calls: RefCell<HashMap<u32, u32>>,
    pub(super) rejections: RefCell<Vec<Rejection>>,
    /// When the running turn has to end; `None` while our own code runs.
    pub(super) until: Cell<Option<Instant>>,
    /// The running turn was stopped because `until` had passed.
    pub(super) interrupted: Cell<bool>,
    /// Console output of code whose eval has ended, in bytes since the last eval began.
    late: Cell<usize>,
}

impl State {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            out: RefCell::default(),
            timers: RefCell::default(),
            evals: RefCell::default(),
            calls: RefCell::default(),
            rejections: RefCell::default(),
            until: Cell::new(None),
            interrupted: Cell::new(false),
            late: Cell::new(0),
        }
    }

    pub(super) fn send(&self, kind: Kind, id: u32, parts: &[&[u8]]) {
        self.out.borrow_mut().push(kind, id, parts);
    }

    pub(super) fn begin(&self, id: u32, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        self.late.set(0);
        self.evals.borrow_mut().insert(
            id,
            Eval {
                deadline,
                timeout,
                console: 0,
            },
        );
    }

    /// Whether the running turn has used up its time. Asked by the engine every few thousand steps.
    pub(super) fn expired(&self) -> bool {
        let over = self
            .until
            .get()
            .is_some_and(|until| Instant::now() >= until);
        if over {
            self.interrupted.set(true);
        }
        over
    }

    /// How long a call may take when its snippet did not say, in milliseconds: what is left of the snippet's own time,
    /// less a little, so that it is told what became of the call before its time is up. `None` when no eval
    /// waits for it.
    pub(super) fn time_for(&self, call: u32) -> Option<u64> {
        let owner = *self.calls.borrow().get(&call)?;
        let evals = self.evals.borrow();
        let left = evals
            .get(&owner)?
            .deadline
            .saturating_duration_since(Instant::now());
        let left = left - (left / 10).min(CALL_MARGIN);
        u64::try_from(left.as_millis()).ok()
    }

    /// Sends console text of an eval, up to the limit, which is said once.
    pub(super) fn console(&self, id: u32, text: &str) {
        let limit = self.limits.console;
        let (id, used) = match self.evals.borrow_mut().get_mut(&id) {
            Some(eval) => {
                let used = eval.console;
                eval.console = used.saturating_add(text.len());
                (id, used)
            }
            None => {
                let used = self.late.get();
                self.late.set(used.saturating_add(text.len()));
                (0, used)
            }
        };
        if used >= limit {
            return;
        }
        let room = limit - used;
        if text.len() < room {
            self.send(Kind::Console, id, &[text.as_bytes()]);
            return;
        }
        let mut end = room;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let note = format!("\nkeeptab: console output cut at {limit} bytes\n");
        self.send(
            Kind::Console,
            id,
            &[&text.as_bytes()[..end], note.as_bytes()],
        );
    }

    /// Notes a rejection without a handler, or that a handler came after all.
    pub(super) fn rejection<'js>(
        &self,
        ctx: &rquickjs::Ctx<'js>,
        promise: Value<'js>,
        reason: Value<'js>,
        handled: bool,
    ) {
        let mut list = self.rejections.borrow_mut();
        if handled {
            list.retain(|(kept, _)| {
                kept.clone()
                    .restore(ctx)
                    .map_or(true, |kept| kept != promise)
            });
        } else if list.len() < MAX_REJECTIONS {
            list.push((
                Persistent::save(ctx, promise),
                Persistent::save(ctx, reason),
            ));
        }
    }

    /// The earliest moment at which the loop has something to do by itself.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        let eval = self.evals.borrow().values().map(|e| e.deadline).min();
        let timer = self.timers.borrow_mut().next();
        match (eval, timer) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
