//! The entries of one session, and who may touch them when.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use keeptab_browser::TargetId;
use keeptab_buffers::{Bodies, Buffers, Entry, Filter, Limits, Loss, Stream, Wall};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::archive::Archive;
use super::children::Children;
use super::hub::Hub;
use crate::api::Recording;

/// What stands in gaps that the end of a daemon makes.
const RESTARTED: &str = "the daemon was restarted";

/// How long the last save of an ending daemon may take.
const LAST_SAVE: Duration = Duration::from_secs(3);

/// Records one session. Lives as long as the session, across browsers and connections.
pub(crate) struct Observer {
    pub(super) session: String,
    pub(super) archive: Arc<Archive>,
    pub(super) hub: Arc<Hub>,
    state: Mutex<State>,
    progress: watch::Sender<Progress>,
    /// A tab was claimed.
    pub(super) claimed: Notify,
    /// Told whenever one that was to be recorded has answered.
    pub(super) started: watch::Sender<()>,
}

/// Locked for moments only, never across an await.
pub(super) struct State {
    pub(super) recording: Recording,
    pub(super) buffers: Buffers,
    /// Opened when the first body comes.
    pub(super) bodies: Option<Arc<Mutex<Bodies>>>,
    /// The tabs and their children in which recording was switched on, and since when.
    pub(super) watched: HashMap<TargetId, Wall>,
    pub(super) children: Children,
    /// Those of them that have not answered yet, and whether somebody went on without waiting for it.
    pub(super) starting: HashMap<TargetId, bool>,
    /// Those of them that are not heard at present, and since when.
    pub(super) away: HashMap<TargetId, Wall>,
    /// Counts losses, so that the end of one is not taken for that of the next.
    pub(super) losses: u64,
    /// The link has lost its connection and has no new one.
    down: bool,
    /// The connection over which the last event came.
    heard: u32,
    /// Methods of the commands whose outcome was lost in the gap that is open.
    pub(super) in_doubt: Vec<String>,
    /// Addresses of documents that were born in it without their init scripts.
    pub(super) plain_documents: Vec<String>,
    /// Until when the daemon before was there.
    pub(super) left_at: Option<SystemTime>,
    /// Somebody says that we are there.
    pub(super) marking: bool,
    /// Somebody is about to save.
    pub(super) saving: bool,
    /// The store knows the session.
    pub(super) in_store: bool,
    /// The session is closed: nothing is kept any more.
    pub(super) over: bool,
}

/// Whether readers should wait a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Progress {
    /// The entries of the daemon before are being read.
    loading: bool,
    /// The connection is back, and what the browser replays is being merged.
    merging: bool,
}

impl Observer {
    pub(crate) fn new(session: &str, archive: Arc<Archive>, hub: Arc<Hub>) -> Arc<Self> {
        Arc::new(Observer {
            session: session.to_owned(),
            archive,
            hub,
            state: Mutex::new(State {
                recording: Recording::default(),
                buffers: Buffers::new(Limits::default()),
                bodies: None,
                watched: HashMap::new(),
                children: Children::default(),
                starting: HashMap::new(),
                away: HashMap::new(),
                losses: 0,
                down: false,
                heard: 0,
                in_doubt: Vec::new(),
                plain_documents: Vec::new(),
                left_at: None,
                marking: false,
                saving: false,
                in_store: false,
                over: false,
            }),
            progress: watch::Sender::default(),
            claimed: Notify::new(),
            started: watch::Sender::default(),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A panic half-way leaves at worst one entry unfinished.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is recorded.
    pub(crate) fn recording(&self) -> Recording {
        self.state().recording
    }

    /// Says what to record. To be called before there is a browser.
    pub(crate) fn set_recording(&self, recording: Recording) {
        self.state().recording = recording;
    }

    /// A tab was claimed: it may have to be watched from now on.
    pub(crate) fn tab_claimed(&self) {
        self.claimed.notify_one();
    }

    /// Reads what the daemon before kept, in the background, and marks where it ended.
    pub(crate) fn load(self: &Arc<Self>) {
        self.read_mark();
        self.progress
            .send_modify(|progress| progress.loading = true);
        let observer = Arc::clone(self);
        tokio::spawn(async move {
            let loaded = observer.read_back().await;
            {
                let mut state = observer.state();
                if let Some(buffers) = loaded {
                    state.buffers = buffers;
                    state.in_store = true;
                }
                if !state.recording.is_none() {
                    let alive = state.left_at.map(Wall::from);
                    let from = state.buffers.last_time().max(alive);
                    state.lose(RESTARTED, 0, from);
                }
            }
            observer
                .progress
                .send_modify(|progress| progress.loading = false);
            observer.touch();
        });
    }

    /// Returns when the entries of the daemon before are here.
    pub(super) async fn loaded(&self) {
        let mut progress = self.progress.subscribe();
        // The sender is ours, so it cannot be gone.
        drop(progress.wait_for(|progress| !progress.loading).await);
    }

    pub(super) fn set_merging(&self, merging: bool) {
        self.progress
            .send_modify(|progress| progress.merging = merging);
    }

    /// Returns when what a reader sees will not change by itself any more, or patience is over.
    pub(crate) async fn settled(&self, patience: Duration) {
        let mut progress = self.progress.subscribe();
        let settled = progress.wait_for(|progress| *progress == Progress::default());
        // Who is impatient sees what there is.
        drop(timeout(patience, settled).await);
    }

    /// Looks at the entries.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Buffers) -> T) -> T {
        look(&self.state().buffers)
    }

    /// One entry.
    pub(crate) fn entry(&self, stream: Stream, number: u64) -> Option<Entry> {
        self.state().buffers.get(stream, number).cloned()
    }

    /// The first and the last number of a stream.
    pub(crate) fn numbers(&self, stream: Stream) -> Option<(u64, u64)> {
        let state = self.state();
        let all = state.buffers.select(stream, &Filter::default());
        Some((all.first()?.number, all.last()?.number))
    }

    /// Removes the entries of a stream; returns how many there were.
    pub(crate) async fn clear(self: &Arc<Self>, stream: Stream) -> usize {
        let (count, bodies) = {
            let mut state = self.state();
            let count = state.buffers.len(stream);
            state.buffers.clear(stream);
            (count, state.bodies.clone())
        };
        if stream == Stream::Network {
            self.clear_bodies(bodies).await;
        }
        // Before this is answered, so that nothing comes back should the daemon be killed.
        if !self.save().await {
            self.touch();
        }
        count
    }

    /// The daemon ends, and the session goes on with the next one: what happens until then is
    /// declared, and everything is saved.
    pub(crate) async fn leave(&self) {
        {
            let mut state = self.state();
            if state.over || (state.recording.is_none() && !state.in_store) {
                return;
            }
            if !state.recording.is_none() && !state.buffers.in_gap() {
                state.lose(RESTARTED, 0, Some(Wall::from(SystemTime::now())));
            }
        }
        if timeout(LAST_SAVE, self.save()).await.is_err() {
            tracing::warn!(
                "session \"{}\": its last entries were not saved in time",
                self.session
            );
        }
    }

    /// The session is over: everything of it is forgotten.
    pub(crate) async fn forget(&self) {
        let (was_in_store, bodies) = {
            let mut state = self.state();
            state.over = true;
            (state.in_store, state.bodies.take())
        };
        if was_in_store {
            self.forget_stored().await;
        }
        self.forget_mark();
        self.remove_bodies(bodies).await;
    }
}

impl State {
    /// The link says that it has no connection, which it does again at every attempt. One that is lost before the gap
    /// of the last loss was closed is a loss like any other: the browser will replay once more.
    pub(super) fn link_is_down(&mut self, cause: &str, epoch: u32, from: Option<Wall>) {
        if !std::mem::replace(&mut self.down, true) {
            self.lose(cause, epoch, from);
        }
    }

    /// An event came over this connection.
    pub(super) fn hears(&mut self, epoch: u32) {
        if std::mem::replace(&mut self.heard, epoch) != epoch {
            self.buffers.replays_anew();
        }
    }

    pub(super) fn link_is_up(&mut self) {
        self.down = false;
    }

    /// Whether there is a gap to be closed.
    pub(super) fn gap_is_over(&self) -> bool {
        self.buffers.in_gap() && !self.down
    }

    /// Whether a gap goes on, although one loss in it is over.
    pub(super) fn is_down(&self) -> bool {
        self.down
    }

    /// The connection is lost from this moment on.
    pub(super) fn lose(&mut self, cause: &str, epoch: u32, from: Option<Wall>) {
        let noticed = Wall::from(SystemTime::now());
        self.losses += 1;
        self.buffers.lost(Loss {
            from: from.map_or(noticed, |from| from.min(noticed)),
            noticed,
            epoch,
            cause: cause.to_owned(),
        });
    }
}
