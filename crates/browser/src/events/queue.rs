//! The bounded queue between the link and one reader.
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use keeptab_link::{EventMsg, Gap, StateChange, TargetChange};

use super::EventFilter;

/// What a reader of events gets.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notice {
    /// An event of the browser or of a target.
    Event(EventMsg),
    /// At this point so many events were dropped, because this reader was too slow.
    Dropped(u64),
    /// At this point events may be missing, because the connection was lost.
    Gap(Arc<Gap>),
    /// The link changed its state.
    State(Arc<StateChange>),
    /// A target came, changed or went.
    Target(Arc<TargetChange>),
}

/// A stream of events for one reader.
///
/// The link never waits for a reader: when the queue is full, further events are dropped and counted,
/// and [`Notice::Dropped`] stands in their place. Dropping this value ends the subscription.
///
/// The parameters of an event share the buffer in which they arrived. Copy what you keep for long.
#[derive(Debug)]
pub struct Events {
    queue: Arc<Queue>,
}

/// The link's end of the queue.
#[derive(Debug)]
pub(crate) struct Subscriber {
    filter: EventFilter,
    queue: Arc<Queue>,
}

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    /// It is in the queue, or was not wanted.
    Taken,
    /// The queue was full.
    Dropped,
    /// Nobody reads any more.
    Gone,
}

#[derive(Debug)]
struct Queue {
    state: Mutex<QueueState>,
    max_events: usize,
}

#[derive(Debug, Default)]
struct QueueState {
    notices: VecDeque<Notice>,
    /// How many of them are events: only these take the room that the reader asked for.
    events: usize,
    /// How many of them are about the link.
    told: usize,
    bytes: usize,
    /// Dropped since the last notice that was queued.
    dropped: u64,
    waker: Option<Waker>,
    reader_gone: bool,
    link_gone: bool,
}

/// Bytes of parameters that one reader may leave unread.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Notices about the link that fit into a queue, besides its events.
const ROOM_FOR_LINK: usize = 256;

impl Queue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        // No code that holds this lock can panic half-way, so what is inside is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size_of(notice: &Notice) -> usize {
    match notice {
        Notice::Event(event) => event.params.len(),
        _ => 0,
    }
}

impl Subscriber {
    /// A queue of at most `capacity` events (at least one) and its reader.
    pub(crate) fn new(filter: EventFilter, capacity: usize) -> (Self, Events) {
        let queue = Arc::new(Queue {
            state: Mutex::default(),
            max_events: capacity.max(1),
        });
        let events = Events {
            queue: Arc::clone(&queue),
        };
        (Self { filter, queue }, events)
    }

    /// Offers an event.
    pub(crate) fn offer(&self, event: &EventMsg) -> Offer {
        let wanted = self.filter.wants(event);
        let mut state = self.queue.lock();
        if state.reader_gone {
            return Offer::Gone;
        }
        if !wanted {
            return Offer::Taken;
        }
        let full = state.events >= self.queue.max_events
            || (state.bytes + event.params.len() > MAX_BYTES && !state.notices.is_empty());
        state.push_unless(full, || Notice::Event(event.clone()))
    }

    /// Tells about the link itself. These notices are few, and have room of their own.
    pub(crate) fn tell(&self, notice: Notice) -> Offer {
        let mut state = self.queue.lock();
        if state.reader_gone {
            return Offer::Gone;
        }
        let full = state.told >= ROOM_FOR_LINK;
        state.push_unless(full, || notice)
    }
}

impl QueueState {
    fn count_of(&mut self, notice: &Notice) -> &mut usize {
        match notice {
            Notice::Event(_) => &mut self.events,
            _ => &mut self.told,
        }
    }

    fn push_unless(&mut self, full: bool, notice: impl FnOnce() -> Notice) -> Offer {
        if full {
            self.dropped += 1;
            return Offer::Dropped;
        }
        if self.dropped > 0 {
            let dropped = std::mem::take(&mut self.dropped);
            self.notices.push_back(Notice::Dropped(dropped));
        }
        let notice = notice();
        *self.count_of(&notice) += 1;
        self.bytes += size_of(&notice);
        self.notices.push_back(notice);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        Offer::Taken
    }

    fn pop(&mut self) -> Option<Notice> {
        if let Some(notice) = self.notices.pop_front() {
            if !matches!(notice, Notice::Dropped(_)) {
                *self.count_of(&notice) -= 1;
            }
            self.bytes -= size_of(&notice);
            return Some(notice);
        }
        match std::mem::take(&mut self.dropped) {
            0 => None,
            dropped => Some(Notice::Dropped(dropped)),
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.link_gone = true;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.reader_gone = true;
        state.notices.clear();
        (state.events, state.told, state.bytes) = (0, 0, 0);
    }
}

impl Events {
    /// The next notice, or `None` once the session is over and everything has been read.
    ///
    /// Cancel safe: a notice is taken only when it is returned.
    pub async fn next(&mut self) -> Option<Notice> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next notice if there is one already.
    pub fn try_next(&mut self) -> Option<Notice> {
        self.queue.lock().pop()
    }

    /// [`Events::next`] for hand-written futures.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Notice>> {
        let mut state = self.queue.lock();
        if let Some(notice) = state.pop() {
            return Poll::Ready(Some(notice));
        }
        if state.link_gone {
            return Poll::Ready(None);
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use keeptab_link::{Epoch, State};
    use keeptab_protocol::Raw;

    use super::*;

    fn event() -> EventMsg {
        EventMsg {
            epoch: Epoch(1),
            target: None,
            method: "Log.entryAdded".into(),
            params: Raw::object_empty(),
        }
    }

    /// The state changed while a reader was behind, and the reader got an event less than it had room for.
    #[test]
    fn a_notice_about_the_link_takes_no_room_from_events() {
        let (subscriber, mut events) = Subscriber::new(EventFilter::all(), 2);
        let change = Arc::new(StateChange {
            state: State::Idle,
            outage: None,
            cost: None,
        });
        assert_eq!(subscriber.tell(Notice::State(change)), Offer::Taken);
        assert_eq!(subscriber.offer(&event()), Offer::Taken);
        assert_eq!(subscriber.offer(&event()), Offer::Taken);
        assert_eq!(subscriber.offer(&event()), Offer::Dropped);
        assert!(matches!(events.try_next(), Some(Notice::State(_))));
        assert_eq!(subscriber.offer(&event()), Offer::Dropped);
        assert!(matches!(events.try_next(), Some(Notice::Event(_))));
        assert_eq!(subscriber.offer(&event()), Offer::Taken);
        assert!(matches!(events.try_next(), Some(Notice::Event(_))));
        assert!(matches!(events.try_next(), Some(Notice::Dropped(2))));
        assert!(matches!(events.try_next(), Some(Notice::Event(_))));
        assert!(events.try_next().is_none());
    }
}
