//! One task per browser: events in, entries out.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use keeptab_browser::{
    EventFilter, EventMsg, Events, Gap, Notice, Session as Browser, StateChange, Tab, TargetChange,
    TargetId,
};
use keeptab_buffers::{Filter, Outcome, Stream, Taken, What};
use keeptab_link::Condition;
use keeptab_protocol::target::GetTargets;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::bodies::{Fetcher, is_wanted, too_large};
use super::children::Kind;
use super::gaps::{Ending, loss, wall};
use super::observer::Observer;
use super::watching::{Watching, documents};
use crate::api::Recording;
use crate::session::Session;

/// Events that may wait for this task. The link drops and counts what does not fit.
const QUEUE: usize = 8192;

/// Events that are taken before everyone else on the thread has a turn.
const BURST: usize = 256;

/// How long the browser may take to name its tabs before those that are known have to do.
const PATIENCE: Duration = Duration::from_secs(2);

/// Workers in workers in frames that are looked for at once when a browser is taken over. Deeper ones follow.
const NESTED: usize = 4;

/// Records a browser of a session until its link is closed.
pub(crate) fn follow(observer: &Arc<Observer>, session: Weak<Session>, browser: &Browser) {
    let recording = observer.recording();
    let events = browser.events(filter(recording), QUEUE);
    {
        let mut state = observer.state();
        state.watched.clear();
        state.children.clear();
        state.link_is_up();
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

struct Recorder {
    observer: Arc<Observer>,
    /// Weak, because the session outlives its browsers, and not the other way round.
    session: Weak<Session>,
    browser: Browser,
    recording: Recording,
    events: Events,
    bodies: Fetcher,
    /// The gap that lies between the one who had the browser before and us: over before we could hear of it.
    before: Option<Arc<Gap>>,
    /// A gap that is over, and whose replay waits in the queue.
    ended: Option<Arc<Gap>>,
    /// Tabs that are being asked for what they have kept, after the gap that it belongs to.
    late: JoinSet<TargetId>,
    asking: HashSet<TargetId>,
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
        }
    }

    /// Switches recording on in the tabs that are there, and closes the gap that the daemon before
    /// or the browser before has left.
    async fn begin(&mut self) {
        self.observer.loaded().await;
        if let Some(gap) = self.before.take() {
            self.observer.tell_gap(&gap);
            self.observer.doubt(&gap);
        }
        let tabs = self.tabs_as_the_browser_says().await;
        let known = self.known_targets();
        let same = known.is_empty() || tabs.iter().any(|tab| known.contains(tab.target_id()));
        // The link tells us what the tabs have kept when we switch recording on, and nothing before.
        let mut late = self.watch_all(tabs).await;
        for _ in 0..NESTED {
            let children = self.observer.children_due(&self.browser);
            if children.is_empty() {
                break;
            }
            late.extend(self.watch_all(children).await);
        }
        let orphans = self.observer.orphans(&self.browser, &late);
        late.extend(self.watch_all(orphans).await);
        late.retain(|target| self.is_late(target));
        while let Some(notice) = self.events.try_next() {
            self.take(notice);
        }
        if self.observer.state().gap_is_over() && self.ended.is_none() {
            let epoch = self.browser.status().health.epoch.0;
            self.close_gap(Ending::taken_over(epoch, same, late));
        } else {
            self.observer.set_merging(false);
        }
    }

    /// Switches recording on in several; returns those that have not answered.
    async fn watch_all(&mut self, tabs: Vec<Tab>) -> Vec<TargetId> {
        let watching = tabs.iter().map(|tab| self.observer.watch_soon(tab));
        let watched = futures_util::future::join_all(watching).await;
        let mut late = Vec::new();
        for (tab, watching) in tabs.iter().zip(watched) {
            let target = tab.target_id().clone();
            match watching {
                Watching::Done => continue,
                // A dialog is open, say: what it has kept comes with its end.
                Watching::Failed => {}
                Watching::Goes(task) => {
                    let id = target.clone();
                    self.asking.insert(id.clone());
                    self.late.spawn(async move {
                        drop(task.await);
                        id
                    });
                }
            }
            late.push(target);
        }
        late
    }

    /// Whether a target that has not answered may still have something to tell.
    fn is_late(&self, target: &TargetId) -> bool {
        match self.observer.state().children.kind(target) {
            None => true,
            Some(kind) => kind == Kind::Frame && self.asking.contains(target),
        }
    }

    /// The tabs that have entries.
    fn known_targets(&self) -> HashSet<TargetId> {
        self.observer.read(|buffers| {
            Stream::ALL
                .into_iter()
                .flat_map(|stream| buffers.select(stream, &Filter::default()))
                .filter_map(|entry| entry.target.as_deref().map(TargetId::from))
                .collect()
        })
    }

    /// The tabs that are to be recorded.
    fn tabs(&self) -> Vec<Tab> {
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

    /// The tabs that are to be recorded, also those that the link has not heard of yet: a keeper's
    /// browser tells of its tabs once, and has done so to the daemon before.
    async fn tabs_as_the_browser_says(&self) -> Vec<Tab> {
        let asked = GetTargets::default();
        let answer = timeout(PATIENCE, self.browser.call(&asked)).await;
        let (Ok(Ok(answer)), Some(session)) = (answer, self.session.upgrade()) else {
            return self.tabs();
        };
        if self.recording.is_none() {
            return Vec::new();
        }
        session.adopt_popups_now();
        for info in &answer.target_infos {
            self.observer.learn_child(info, None);
        }
        answer
            .target_infos
            .into_iter()
            .filter(|info| session.records(&info.type_, info.target_id.as_ref(), &info.url))
            .map(|info| self.browser.tab(info.target_id.to_string()))
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

    fn take(&mut self, notice: Notice) {
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
            TargetChange::Condition(id, Condition::Fine) => self.answers_again(id),
            TargetChange::Gone(info, _) => {
                let epoch = self.browser.status().health.epoch.0;
                let mut state = self.observer.state();
                let why = "what it asked for: it ended before it was listened to";
                self.observer.say_beginning(&mut state, info, epoch, why);
                state.children.forget(&info.id);
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
    fn close_gap(&self, ending: Ending) {
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
                state.buffers.restored(&ending.restored(tabs, unknown));
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
