//! The two streams of a session.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::SystemTime;

use crate::cdp;
use crate::cleared::Cleared;
use crate::console::{self, New, ReplayStore, Seen, Tally};
use crate::entry::{Body, Console, ConsoleKind, Entry, What};
use crate::error::EventError;
use crate::filter::Filter;
use crate::gap::Gap;
use crate::limits::Limits;
use crate::losses::OpenGap;
use crate::network::{self, Index};
use crate::ring::Ring;
use crate::text::keep;
use crate::wall::Wall;

/// The streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// What pages and the browser said.
    Console,
    /// What pages asked for.
    Network,
}

impl Stream {
    /// Both.
    pub const ALL: [Stream; 2] = [Stream::Console, Stream::Network];

    /// Its name, as in commands and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Stream::Console => "console",
            Stream::Network => "network",
        }
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is a new entry with this number.
    Added(Stream, u64),
    /// It changed this entry.
    Updated(Stream, u64),
    /// It was replayed, and it is here already.
    Duplicate,
    /// It is of no concern here, or what it is about is no longer kept.
    Ignored,
}

/// What is known of a target.
#[derive(Default)]
pub(crate) struct TargetState {
    pub(crate) seen: Seen,
    /// The document of its main frame.
    pub(crate) loader_id: Option<String>,
    /// What a replay brought that was declared over.
    pub(crate) tally: Tally,
}

/// The console and network entries of one session. Not shared: one owner feeds
/// it and answers from it; every call is short.
pub struct Buffers {
    pub(crate) console: Ring,
    pub(crate) network: Ring,
    pub(crate) index: Index,
    pub(crate) targets: HashMap<Arc<str>, TargetState>,
    pub(crate) cleared: Cleared,
    /// The targets, the one unused for longest first.
    order: VecDeque<Arc<str>>,
    max_targets: usize,
    /// The gap that is not over.
    pub(crate) open: Option<OpenGap>,
}

/// Which target an event belongs to, and which part of it it came from.
#[derive(Clone, Copy)]
struct Origin<'a> {
    target: &'a str,
    part: &'a str,
}

impl Buffers {
    /// Empty ones.
    pub fn new(limits: Limits) -> Self {
        Buffers {
            console: Ring::new(limits.console),
            network: Ring::new(limits.network),
            index: Index::default(),
            targets: HashMap::new(),
            cleared: Cleared::default(),
            order: VecDeque::new(),
            max_targets: limits.targets.max(1),
            open: None,
        }
    }

    /// Takes an event of a target, of any domain. `params` is its JSON text;
    /// `wall` is when it came, for events that do not say when they happened.
    pub fn event(
        &mut self,
        target: &str,
        method: &str,
        params: &str,
        wall: SystemTime,
    ) -> Result<Taken, EventError> {
        self.event_within(target, target, method, params, wall)
    }

    /// Takes an event of a part of a target: of a frame or a worker that the
    /// browser has as a target of its own. It becomes an entry of `target`; what
    /// the part replays is told apart from what others do.
    pub fn event_within(
        &mut self,
        target: &str,
        part: &str,
        method: &str,
        params: &str,
        wall: SystemTime,
    ) -> Result<Taken, EventError> {
        let wall = Wall::from(wall);
        let from = Origin { target, part };
        let result = match method {
            "Runtime.consoleAPICalled" => serde_json::from_str(params)
                .and_then(|event: cdp::ConsoleApiCalled<'_>| console::api(&event))
                .map(|(entry, loose)| self.say(from, ReplayStore::Runtime, entry, loose, wall)),
            "Runtime.exceptionThrown" => serde_json::from_str(params)
                .map(|event: cdp::ExceptionThrown<'_>| console::exception(&event))
                .map(|entry| self.say(from, ReplayStore::Runtime, entry, false, wall)),
            "Log.entryAdded" => serde_json::from_str(params)
                .map(|event: cdp::EntryAdded<'_>| console::log(&event))
                .map(|entry| self.say(from, ReplayStore::Log, entry, false, wall)),
            "Page.frameNavigated" => serde_json::from_str(params)
                .map(|event: cdp::FrameNavigated<'_>| self.navigated(part, &event)),
            _ => {
                let Some(event) = method.strip_prefix("Network.") else {
                    return Ok(Taken::Ignored);
                };
                let name = self.name_of(target);
                match network::take(
                    &mut self.network,
                    &mut self.index,
                    &name,
                    event,
                    params,
                    wall,
                ) {
                    Some(taken) => taken,
                    None => return Ok(Taken::Ignored),
                }
            }
        };
        result.map_err(|cause| EventError {
            method: keep(method, 200),
            cause,
        })
    }

    fn say(
        &mut self,
        from: Origin<'_>,
        store: ReplayStore,
        mut entry: Console,
        loose: bool,
        wall: Wall,
    ) -> Taken {
        let name = self.name_of(from.target);
        let part = self.name_of(from.part);
        entry.frame = (part != name).then(|| Arc::clone(&part));
        let state = self.targets.entry(part).or_default();
        match state.seen.take(store, entry.key, loose) {
            New::No => return Taken::Duplicate,
            New::Live => {}
            New::Recovered => entry.recovered = true,
        }
        let told = f64::from_bits(entry.key.0);
        let at = if told > 0.0 {
            Wall::from_ms(told)
        } else {
            wall
        };
        let what = What::Console(Box::new(entry));
        Taken::Added(
            Stream::Console,
            self.console.push(Some(name), at, what, |_| {}),
        )
    }

    fn navigated(&mut self, target: &str, event: &cdp::FrameNavigated<'_>) -> Taken {
        let frame = &event.frame;
        if frame.parent_id.is_none() || *frame.id == *target {
            self.document(target, &event.frame.loader_id);
        }
        Taken::Ignored
    }

    /// The target shows this document (`loaderId` of its main frame). Learned
    /// from `Page.frameNavigated`; tell it where a target was attached to
    /// after it had navigated.
    pub fn document(&mut self, target: &str, loader_id: &str) {
        let name = self.name_of(target);
        let state = self.targets.entry(name).or_default();
        state.loader_id = Some(keep(loader_id, 200));
    }

    /// [`Buffers::document`] from an answer that may be older than what an event
    /// has told meanwhile.
    pub fn document_unless_told(&mut self, target: &str, loader_id: &str) {
        let known = self.targets.get(target);
        if known.is_none_or(|state| state.loader_id.is_none()) {
            self.document(target, loader_id);
        }
    }

    /// The target's name, shared, with its bookkeeping. Forgets the target
    /// that was unused for longest when there are too many.
    pub(crate) fn name_of(&mut self, target: &str) -> Arc<str> {
        if let Some(last) = self.order.back()
            && &**last == target
        {
            return Arc::clone(last);
        }
        if let Some((name, _)) = self.targets.get_key_value(target) {
            let name = Arc::clone(name);
            if let Some(at) = self.order.iter().position(|other| *other == name) {
                self.order.remove(at);
            }
            self.order.push_back(Arc::clone(&name));
            return name;
        }
        if self.targets.len() >= self.max_targets
            && let Some(oldest) = self.order.pop_front()
        {
            self.targets.remove(&oldest);
            self.index.target_gone(&oldest);
        }
        let name: Arc<str> = target.into();
        let mut state = TargetState::default();
        state.seen.was_cleared(self.cleared.of(target));
        self.targets.insert(Arc::clone(&name), state);
        self.order.push_back(Arc::clone(&name));
        name
    }

    /// The target is gone for good. Its entries stay.
    pub fn target_gone(&mut self, target: &str) {
        if self.open.is_none() {
            self.targets.remove(target);
            self.index.target_gone(target);
            self.order.retain(|name| &**name != target);
        }
    }

    /// The body of an answer was fetched and kept.
    pub fn set_body(&mut self, target: &str, request_id: &str, body: Body) -> Taken {
        let Some(number) = self.index.current(target, request_id) else {
            return Taken::Ignored;
        };
        let index = &mut self.index;
        let put = |what: &mut What| {
            if let What::Network(network) = what {
                network.body = body;
            }
        };
        match self
            .network
            .update(number, put, |entry| index.evicted(entry))
        {
            Some(()) => Taken::Updated(Stream::Network, number),
            None => Taken::Ignored,
        }
    }

    /// The entries that a filter lets through, in order. Gaps come through
    /// every filter but one by number, time or target.
    pub fn select(&self, stream: Stream, filter: &Filter) -> Vec<&Entry> {
        filter.select(self.ring(stream).iter())
    }

    /// One entry.
    pub fn get(&self, stream: Stream, number: u64) -> Option<&Entry> {
        self.ring(stream).get(number)
    }

    /// How many entries a stream has.
    pub fn len(&self, stream: Stream) -> usize {
        self.ring(stream).len()
    }

    /// Whether a stream has none.
    pub fn is_empty(&self, stream: Stream) -> bool {
        self.len(stream) == 0
    }

    /// About how much memory a stream takes, in bytes.
    pub fn bytes(&self, stream: Stream) -> usize {
        self.ring(stream).bytes()
    }

    /// How many of the oldest entries were dropped since the last
    /// [`clear`](Buffers::clear) to stay within the bounds.
    pub fn dropped(&self, stream: Stream) -> u64 {
        self.ring(stream).dropped()
    }

    /// Whether there were entries that [`clear`](Buffers::clear) removed.
    pub fn was_cleared(&self, stream: Stream) -> bool {
        let ring = self.ring(stream);
        // Numbers begin with 1 and none is left out.
        ring.first() > ring.dropped() + 1
    }

    /// The number the next entry will get.
    pub fn next_number(&self, stream: Stream) -> u64 {
        self.ring(stream).next()
    }

    /// Removes all entries of a stream. Numbers go on, what was cleared does
    /// not come back with a replay, and a gap that is not over is still shown
    /// when it is.
    pub fn clear(&mut self, stream: Stream) {
        match stream {
            Stream::Console => {
                let marks = self.targets.iter_mut();
                self.cleared
                    .set(marks.map(|(name, state)| (name.to_string(), state.seen.clear())));
                self.console.clear();
            }
            Stream::Network => {
                self.network.clear();
                self.index.clear();
            }
        }
    }

    pub(crate) fn ring(&self, stream: Stream) -> &Ring {
        match stream {
            Stream::Console => &self.console,
            Stream::Network => &self.network,
        }
    }

    pub(crate) fn ring_mut(&mut self, stream: Stream) -> &mut Ring {
        match stream {
            Stream::Console => &mut self.console,
            Stream::Network => &mut self.network,
        }
    }

    /// Puts back an entry that was stored.
    pub(crate) fn restore(&mut self, stream: Stream, mut entry: Entry) {
        if let Some(target) = entry.target.take() {
            entry.target = Some(self.name_of(&target));
        }
        if let What::Console(console) = &mut entry.what
            && let Some(frame) = console.frame.take()
        {
            console.frame = Some(self.name_of(&frame));
        }
        if let What::Gap(gap) = &entry.what
            && gap.to.is_none()
        {
            // It was not over when the daemon ended, so it still is not.
            let open = self.open.get_or_insert_with(|| OpenGap {
                gap: Gap::clone(gap),
                console: 0,
                network: 0,
                before: BTreeSet::new(),
            });
            match stream {
                Stream::Console => open.console = entry.number,
                Stream::Network => open.network = entry.number,
            }
        }
        match stream {
            Stream::Console => {
                if let (What::Console(console), Some(target)) = (&entry.what, &entry.target) {
                    let store = match console.kind {
                        ConsoleKind::Log(_) => ReplayStore::Log,
                        _ => ReplayStore::Runtime,
                    };
                    let part = console.frame.as_ref().unwrap_or(target);
                    let state = self.targets.entry(Arc::clone(part)).or_default();
                    state.seen.remember(store, console.key);
                }
                self.console.restore(entry, |_| {});
            }
            Stream::Network => {
                self.index.restored(&entry);
                let index = &mut self.index;
                self.network.restore(entry, |gone| index.evicted(gone));
            }
        }
    }
}
