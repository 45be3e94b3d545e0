//! The task itself.
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime};

use keeptab_link::{Cause, Output};
use tokio::time::Sleep;

use super::Shared;
use super::dialing::Dialing;
use super::shared::{Core, now};
use crate::dial::Dialer;
use crate::transport::{Incoming, Transport};

/// Moves one link until it is closed. Everything happens in this one task: it reads, routes, settles and
/// writes without handing anything to another. Only dialing, which may take minutes, is a task of its own.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    dialer: Dialer,
    transport: Option<Box<dyn Transport>>,
    dialing: Option<Dialing>,
    timer: Pin<Box<Sleep>>,
    /// When the timer fires; `None` while it is not armed.
    armed: Option<Instant>,
    arrived: Vec<Incoming>,
    /// When the other side last took what had waited to be written, until the link knows.
    took: Option<Instant>,
}

/// Messages that are read before everyone else on the thread has a turn.
const MESSAGES_PER_TURN: usize = 64;
/// Bytes after which a turn ends, so that a flood of large messages does not pile up here.
const BYTES_PER_TURN: usize = 1024 * 1024;

impl Driver {
    /// A driver for a link that has not been opened.
    pub(crate) fn new(shared: Arc<Shared>, dialer: Dialer) -> Self {
        Self {
            shared,
            dialer,
            transport: None,
            dialing: None,
            timer: Box::pin(tokio::time::sleep(std::time::Duration::ZERO)),
            armed: None,
            arrived: Vec::new(),
            took: None,
        }
    }

    /// Reads what is there. Done before the link is locked, so that callers on other threads do not wait
    /// for the kernel. Returns whether there may be more.
    fn read(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(transport) = &mut self.transport else {
            return false;
        };
        let mut bytes = 0;
        while self.arrived.len() < MESSAGES_PER_TURN && bytes < BYTES_PER_TURN {
            let Poll::Ready(incoming) = transport.poll_receive(cx) else {
                return false;
            };
            let lost = matches!(incoming, Incoming::Lost(_));
            if let Incoming::Message(message) = &incoming {
                bytes += message.len();
            }
            self.arrived.push(incoming);
            if lost {
                return false;
            }
        }
        true
    }

    fn take_arrived(&mut self, core: &mut Core, now: Instant) {
        for incoming in self.arrived.drain(..) {
            match incoming {
                Incoming::Message(message) => core.link.received(now, message),
                Incoming::Alive => core.link.alive(now),
                // A pong proves the way to the browser, and the browser may hang behind it: only the
                // answer to the probe's command ends the probe.
                Incoming::Pong => {}
                Incoming::Lost(cause) => {
                    self.transport = None;
                    core.link.lost(now, cause);
                }
            }
        }
    }

    fn take_dialed(&mut self, cx: &mut Context<'_>, core: &mut Core, now: Instant) {
        let Some(dialing) = &mut self.dialing else {
            return;
        };
        if let Poll::Ready(result) = dialing.poll(cx) {
            self.dialing = None;
            match result {
                Ok(dialed) => {
                    self.transport = Some(dialed.transport);
                    // Nobody has asked the new connection to wake this task yet: the next turn reads.
                    cx.waker().wake_by_ref();
                    core.link.dialed(now, dialed.info);
                }
                Err(error) => core.link.dial_failed(now, error),
            }
        }
    }

    /// Whatever is due, the timer is armed for it or for something earlier.
    fn take_time(&mut self, core: &mut Core, now: Instant) {
        if self.armed.is_some_and(|due| due <= now) {
            self.armed = None;
            core.link.wall_clock(now, SystemTime::now());
            core.link.timeout(now);
        }
    }

    /// Does what the link asks for. Returns whether a dial has begun, which is to be polled.
    fn obey(&mut self, core: &mut Core) -> bool {
        let mut dials = false;
        while let Some(output) = core.link.poll() {
            match self.shared.tell(core, output) {
                None => {}
                Some(Output::Send(message)) => {
                    if let Some(transport) = &mut self.transport {
                        transport.send(message);
                    }
                }
                Some(Output::Ping) => {
                    if let Some(transport) = &mut self.transport {
                        transport.ping();
                    }
                }
                Some(Output::Abort) => {
                    self.transport = None;
                    self.dialing = None;
                    self.arrived.clear();
                    self.took = None;
                }
                Some(Output::Dial {
                    patience,
                    human_patience,
                    ..
                }) => {
                    let dialer = self.dialer.clone();
                    let shared = Arc::downgrade(&self.shared);
                    self.dialing = Some(Dialing::start(dialer, shared, patience, human_patience));
                    dials = true;
                }
                // `tell` took all others.
                Some(_) => {}
            }
        }
        dials
    }

    fn flush(&mut self, cx: &mut Context<'_>) -> Option<Cause> {
        let transport = self.transport.as_mut()?;
        let flushed = transport.poll_flush(cx);
        if transport.took() {
            self.took = Some(now());
        }
        match flushed {
            // A blocked write wakes this task when it can go on; reading does not wait for it.
            Poll::Pending | Poll::Ready(Ok(())) => None,
            Poll::Ready(Err(cause)) => {
                self.transport = None;
                Some(cause)
            }
        }
    }

    /// Arms the timer. One that is armed too early stays: firing for nothing costs less than moving it at
    /// every message. Returns whether it is due already.
    fn arm(&mut self, cx: &mut Context<'_>, due: Option<Instant>) -> bool {
        match (due, self.armed) {
            (Some(due), armed) if armed.is_none_or(|armed| due < armed) => {
                self.timer.as_mut().reset(due.into());
                self.armed = Some(due);
                // Polled once, it wakes this task when its time has come.
                self.timer.as_mut().poll(cx).is_ready()
            }
            _ => false,
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driver = &mut *self;
        let shared = Arc::clone(&driver.shared);
        let more = driver.read(cx);
        let mut lost = None;
        loop {
            let mut core = shared.lock();
            core.set_driver(cx.waker());
            let now = now();
            if let Some(then) = driver.took.take() {
                core.link.took(then);
            }
            driver.take_arrived(&mut core, now);
            if let Some(cause) = lost.take() {
                core.link.lost(now, cause);
            }
            driver.take_dialed(cx, &mut core, now);
            driver.take_time(&mut core, now);
            if core.abandoned {
                core.link.close(now);
            }
            let dials = driver.obey(&mut core);
            core.tell_keeper();
            let closed = matches!(core.link.state(), keeptab_link::State::Closed);
            let due = core.link.poll_timeout();
            drop(core);
            lost = driver.flush(cx);
            if closed {
                driver.transport = None;
                driver.dialing = None;
                return Poll::Ready(());
            }
            let overdue = driver.arm(cx, due);
            if !dials && !overdue && lost.is_none() {
                break;
            }
        }
        if more {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Driver {
    /// Also when the runtime goes away under it, callers must not wait for ever.
    fn drop(&mut self) {
        self.shared.end();
    }
}
