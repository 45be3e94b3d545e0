//! One task per browser: events in, entries out.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use keeptab_browser::{
    EventFilter, EventMsg, Events, Gap, Notice, Session as Browser, StateChange, Tab, TargetChange,
    TargetId,
};
use keeptab_buffers::{Outcome, Taken, Wall, What};
use keeptab_link::Condition;
use tokio::task::JoinSet;

use super::bodies::{Fetcher, is_wanted, too_large};
use super::gaps::{Ending, loss, wall};
use super::observer::Observer;
use super::watching::documents;
use crate::api::Recording;
use crate::session::Session;

/// Events that may wait for this task. The link drops and counts what does not fit.
const QUEUE: usize = 8192;

/// Events that are taken before everyone else on the thread has a turn.
const BURST: usize = 256;

/// Records a browser of a session until its link is closed.
pub(crate) fn follow(observer: &Arc<Observer>, session: Weak<Session>, browser: &Browser) {
    let recording = observer.recording();
    let events = browser.events(filter(recording), QUEUE);
    {
        let mut state = observer.state();
        state.watched.clear();
        state.children.clear();
        state.link_is_up();
        state.away.clear();
    }
    observer.set_merging(true);
    let recorder = Recorder {
        bodies: Fetcher::new(observer),
        observer: Arc::clone(observer),
        session,
        browser: browser.clone(),
        recording,
        before: browser.last_gap(),
        events,
        ended: None,
        late: JoinSet::new(),
        asking: HashSet::new(),
    };
    tokio::spawn(recorder.run());
}

fn filter(recording: Recording) -> EventFilter {
    let mut filter = EventFilter::methods([] as [&str; 0]);
    if recording.console {
        filter = filter
            .and_method("Runtime.consoleAPICalled")
            .and_method("Runtime.exceptionThrown")
            .and_method("Log.entryAdded");
    }
    if recording.network {
        for method in NETWORK_EVENTS {
            filter = filter.and_method(*method);
        }
    }
    if !recording.is_none() {
        filter = filter
            .and_method("Page.frameNavigated")
            .and_method("Target.targetCreated")
            .and_method("Target.detachedFromTarget");
    }
    filter
}

/// Those that entries are made of.
const NETWORK_EVENTS: &[&str] = &[
    "Network.requestWillBeSent",
    "Network.requestWillBeSentExtraInfo",
    "Network.responseReceived",
    "Network.responseReceivedExtraInfo",
    "Network.dataReceived",
    "Network.loadingFinished",
    "Network.loadingFailed",
    "Network.requestServedFromCache",
    "Network.webSocketCreated",
    "Network.webSocketWillSendHandshakeRequest",
    "Network.webSocketHandshakeResponseReceived",
    "Network.webSocketFrameSent",
    "Network.webSocketFrameReceived",
    "Network.webSocketFrameError",
    "Network.webSocketClosed",
];

pub(super) struct Recorder {
    pub(super) observer: Arc<Observer>,
    /// Weak, because the session outlives its browsers, and not the other way round.
    pub(super) session: Weak<Session>,
    pub(super) browser: Browser,
    pub(super) recording: Recording,
    pub(super) events: Events,
    bodies: Fetcher,
    /// The gap that lies between the one who had the browser before and us: over before we could hear of it.
    pub(super) before: Option<Arc<Gap>>,
    /// A gap that is over, and whose replay waits in the queue.
    pub(super) ended: Option<Arc<Gap>>,
    /// Tabs that are being asked for what they have kept, after the gap that it belongs to.
    pub(super) late: JoinSet<TargetId>,
    pub(super) asking: HashSet<TargetId>,
}

impl Recorder {
    async fn run(mut self) {
        self.begin().await;
        loop {
            if let Some(gap) = self.ended.take() {
                self.finish(&gap);
            }
            self.observer.touch();
            let notice = tokio::select! {
                notice = self.events.next() => notice,
                () = self.observer.claimed.notified() => {
                    self.look_for_tabs();
                    continue;
                }
                Some(Ok(target)) = self.late.join_next() => {
                    self.heard_late(&target);
                    continue;
                }
            };
            let Some(notice) = notice else { break };
            self.take(notice);
            for _ in 0..BURST {
                let Some(notice) = self.events.try_next() else {
                    break;
                };
                self.take(notice);
            }
            tokio::task::yield_now().await;
        }
        self.observer.set_merging(false);
    }

    /// The link is usable again. What the browser replays stands behind the record in the queue, whole.
    fn finish(&mut self, gap: &Gap) {
        while let Some(notice) = self.events.try_next() {
            self.take(notice);
        }
        if let Some(mut ending) = Ending::of(gap) {
            ending.late.retain(|target| self.has_console(target));
            self.observer.doubt(gap);
            if !self.observer.state().is_down() {
                self.close_gap(ending);
            }
            self.observer
                .say_not_restored(&gap.not_restored, self.epoch());
            self.observer.note_unanswered(gap);
        }
    }

    fn epoch(&self) -> u32 {
        self.browser.status().health.epoch.0
    }

    /// The tabs that are to be recorded.
    pub(super) fn tabs(&self) -> Vec<Tab> {
        let Some(session) = self.session.upgrade() else {
            return Vec::new();
        };
        if self.recording.is_none() {
            return Vec::new();
        }
        let tabs = self.browser.tabs();
        session.adopt_popups_now();
        tabs.into_iter()
            .filter(|info| session.records(&info.kind, info.id.as_str(), &info.url))
            .map(|info| self.browser.tab(info.id))
            .collect()
    }

    fn look_for_tabs(&self) {
        let children = self.observer.children_due(&self.browser);
        for tab in self.tabs().into_iter().chain(children) {
            if !self.is_watched(tab.target_id()) {
                let observer = Arc::clone(&self.observer);
                tokio::spawn(async move { observer.watch(&tab).await });
            }
        }
    }

    fn is_watched(&self, target: &TargetId) -> bool {
        self.observer.state().watched.contains_key(target)
    }

    fn has_console(&self, target: &TargetId) -> bool {
        self.observer.state().has_console(target)
    }

    fn is_tab(&self, target: &TargetId) -> bool {
        let info = self.browser.tab(target.clone()).info();
        info.is_none_or(|info| &*info.kind == "page")
    }

    pub(super) fn take(&mut self, notice: Notice) {
        match notice {
            Notice::Event(event) => self.event(&event),
            Notice::State(change) => self.link_state(&change),
            Notice::Gap(gap) => {
                self.observer.tell_gap(&gap);
                if gap.to.is_some() {
                    self.observer.state().link_is_up();
                    self.observer.set_merging(true);
                    self.ended = Some(gap);
                }
            }
            Notice::Dropped(count) => self.missed(count),
            Notice::Target(change) => self.target(&change),
            _ => {}
        }
    }

    fn missed(&self, count: u64) {
        if !self.recording.is_none() {
            let epoch = self.browser.status().health.epoch.0;
            let mut state = self.observer.state();
            state.buffers.missed(count, epoch, SystemTime::now());
        }
        self.observer.tell_missed(count);
    }

    fn link_state(&self, change: &StateChange) {
        let epoch = self.browser.status().health.epoch.0;
        self.observer.tell_state(change, epoch);
        let mut state = self.observer.state();
        let Some(cause) = loss(&change.state) else {
            if matches!(change.state, keeptab_browser::State::Connected { .. }) {
                state.link_is_up();
            }
            return;
        };
        if !self.recording.is_none() && !state.over {
            let since = match &change.state {
                keeptab_browser::State::Reconnecting { since, .. } => Some(wall(*since)),
                _ => None,
            };
            state.link_is_down(&cause, epoch, since);
        }
        drop(state);
        self.observer.set_merging(false);
    }

    fn target(&mut self, change: &TargetChange) {
        let told = match change {
            TargetChange::Created(info) | TargetChange::Info(info) => self.is_ours(&info.id),
            TargetChange::Gone(info, _) => self.is_ours(&info.id),
            TargetChange::Condition(id, _) => self.is_tab(id) && self.is_ours(id),
            _ => false,
        };
        if told {
            self.observer.tell_tab(change);
        }
        match change {
            TargetChange::Created(_) => self.look_for_tabs(),
            TargetChange::Ready(id) => self.ready(id),
            TargetChange::Condition(id, Condition::Crashed(_)) | TargetChange::Retells(id) => {
                self.may_replay(id);
            }
            TargetChange::Lapsed(lapse) => {
                let mut state = self.observer.state();
                self.observer.say_lapse(&mut state, lapse, self.epoch());
            }
            TargetChange::Condition(id, Condition::Fine) => self.answers_again(id),
            TargetChange::Gone(info, _) => {
                let epoch = self.epoch();
                let mut state = self.observer.state();
                let why = "what it asked for: it ended before it was listened to";
                self.observer.say_beginning(&mut state, info, epoch, why);
                state.children.forget(&info.id);
                state.away.remove(&info.id);
                state.watched.remove(&info.id);
                state.buffers.target_gone(info.id.as_str());
            }
            _ => {}
        }
    }

    /// A tab that could not be switched on at the takeover, because of a dialog, may be asked now.
    fn answers_again(&mut self, target: &TargetId) {
        let asked = self
            .tabs()
            .into_iter()
            .find(|tab| tab.target_id() == target);
        if let Some(tab) = asked.filter(|_| !self.is_watched(target)) {
            self.may_be_retold(target);
            let observer = Arc::clone(&self.observer);
            let id = target.clone();
            self.asking.insert(id.clone());
            self.late.spawn(async move {
                observer.watch(&tab).await;
                id
            });
        }
    }

    /// It has told what it had kept, and that stands in the queue.
    fn heard_late(&mut self, target: &TargetId) {
        while let Some(notice) = self.events.try_next() {
            self.take(notice);
        }
        self.asking.remove(target);
        let mut state = self.observer.state();
        if !state.buffers.in_gap() {
            state.buffers.replay_ended(target.as_str());
        }
    }

    fn is_ours(&self, target: &TargetId) -> bool {
        self.session
            .upgrade()
            .is_some_and(|session| !session.is_elsewhere(target.as_str()))
    }

    /// Everything that was set on a tab is in force (again).
    fn ready(&self, target: &TargetId) {
        {
            let mut state = self.observer.state();
            let asking = self.asking.contains(target);
            if state.watched.contains_key(target) && !asking && !state.buffers.in_gap() {
                state.buffers.replay_ended(target.as_str());
            }
            self.observer.say_return(&mut state, target, self.epoch());
        }
        self.look_for_tabs();
    }

    /// The link will switch recording on again in this tab, and the browser replay what it has.
    fn may_replay(&self, target: &TargetId) {
        if self.has_console(target) {
            self.may_be_retold(target);
        }
    }

    fn may_be_retold(&self, target: &TargetId) {
        let mut state = self.observer.state();
        if !state.buffers.in_gap() {
            state.buffers.replay_begins(target.as_str());
        }
    }

    fn event(&self, event: &EventMsg) {
        if &*event.method == "Target.detachedFromTarget" {
            if let Some(target) = detached(event) {
                self.may_replay(&target);
                let mut state = self.observer.state();
                if state.watched.contains_key(&target) {
                    state.away.insert(target, Wall::from(SystemTime::now()));
                }
            }
            return;
        }
        if &*event.method == "Target.targetCreated" {
            return self.observer.child_created(event);
        }
        let Some(part) = &event.target else { return };
        let mut state = self.observer.state();
        let Some(tab) = state.recorded_as(part) else {
            return;
        };
        state.hears(event.epoch.0);
        let (method, params) = (&*event.method, event.params.as_str());
        let (target, now) = (tab.as_str(), SystemTime::now());
        let taken = state
            .buffers
            .event_within(target, part.as_str(), method, params, now);
        let (stream, number, is_new) = match taken {
            Ok(Taken::Added(stream, number)) => (stream, number, true),
            Ok(Taken::Updated(stream, number)) => (stream, number, false),
            Ok(Taken::Duplicate | Taken::Ignored) => return,
            Err(error) => {
                tracing::debug!("session \"{}\": {error}", self.observer.session);
                return;
            }
        };
        let Some(entry) = state.buffers.get(stream, number) else {
            return;
        };
        let What::Network(network) = &entry.what else {
            self.observer.tell_entry(stream, entry, is_new);
            return;
        };
        if is_new || network.outcome != Outcome::Pending {
            self.observer.tell_entry(stream, entry, is_new);
        }
        if method == "Network.loadingFinished" && is_wanted(network) {
            let request_id = network.request_id.clone();
            match too_large(network) {
                Some(body) => {
                    state.buffers.set_body(target, &request_id, body);
                }
                None => {
                    drop(state);
                    let from = self.browser.tab(part.clone());
                    self.bodies.fetch(from, tab, request_id);
                }
            }
        }
    }

    /// The replay was taken in: what comes from now on is new. How the gap ended is written as soon
    /// as the tabs have said which documents they show.
    pub(super) fn close_gap(&self, ending: Ending) {
        let (watched, losses) = {
            let mut state = self.observer.state();
            let told = state.watched.keys().filter(|id| state.has_console(id));
            let watched: Vec<TargetId> = told.cloned().collect();
            for target in &watched {
                state.buffers.replay_ended(target.as_str());
            }
            (watched, state.losses)
        };
        let late = ending.late.clone();
        let asked = watched.into_iter().filter(|target| !late.contains(target));
        let asked: Vec<TargetId> = asked.collect();
        let asked = asked.into_iter().map(|id| self.browser.tab(id)).collect();
        let observer = Arc::clone(&self.observer);
        tokio::spawn(async move {
            let mut tabs = documents(asked).await;
            {
                let mut state = observer.state();
                if state.losses != losses {
                    // Lost again meanwhile: it is still the same gap.
                    return;
                }
                tabs.extend(late.iter().map(|id| (id.clone(), None)));
                let unknown = std::mem::take(&mut state.in_doubt);
                let plain = std::mem::take(&mut state.plain_documents);
                state
                    .buffers
                    .restored(&ending.restored(tabs, unknown, plain));
                for target in &late {
                    state.buffers.replay_begins(target.as_str());
                }
            }
            observer.set_merging(false);
            observer.touch();
        });
    }
}

/// The target of a CDP session that ended.
fn detached(event: &EventMsg) -> Option<TargetId> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Detached {
        session_id: String,
    }
    let Detached { session_id } = event.params.parse().ok()?;
    TargetId::from_handle(&session_id)
}
