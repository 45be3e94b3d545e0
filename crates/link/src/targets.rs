//! The targets of the browser, and the sessions that lead to them.
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Instant;

use serde::Deserialize;

use crate::contexts::Contexts;
use crate::ledger::{Held, Ledger};
use crate::quick::QuickMap;
use crate::replay::Told;
use crate::table::Key;
use crate::{Condition, Str, TargetId, TargetInfo};

/// How far a target is on its way to being usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No session.
    Detached,
    /// Asked for one.
    Attaching,
    /// What was set is being set again.
    Setup,
    /// Commands may pass.
    Ready,
}

/// What became of the messages of an adopted console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replay {
    /// Nobody in this process listens yet: told to the first who switches it on, and until then the
    /// browser keeps also what is new.
    Due,
    /// Being told; who switched it on is answered behind it.
    Running,
    /// Told, or nothing to tell.
    Done,
}

/// One target.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) info: TargetInfo,
    pub(crate) session: Option<Str>,
    pub(crate) phase: Phase,
    /// Whether to attach to it after a reconnect.
    pub(crate) wanted: bool,
    /// Whether callers have seen it being attached.
    pub(crate) announced: bool,
    /// Whether the browser listed it on this connection.
    pub(crate) present: bool,
    pub(crate) queue: VecDeque<Key>,
    pub(crate) ledger: Ledger,
    pub(crate) held: Held,
    /// Answers to come until it is prepared, and whether the second part of it has begun.
    pub(crate) left: usize,
    pub(crate) dependent: bool,
    /// The document of each frame.
    pub(crate) documents: HashMap<Str, Str>,
    /// When the dialog opened.
    pub(crate) dialog_since: Option<Instant>,
    /// A dialog that a lost connection left behind has proved to be still there.
    pub(crate) blocked: bool,
    /// When it was asked for a sign of life.
    pub(crate) asked: Option<Instant>,
    /// Settings that a leftover of our old socket blocks, and since when.
    pub(crate) retry: Vec<String>,
    pub(crate) retry_since: Option<Instant>,
    /// What was set and does not read back so far.
    pub(crate) unread: Vec<(String, String)>,
    /// Whether it was read back a second time.
    pub(crate) read_twice: bool,
    /// Preparing it was cut short by a crash.
    pub(crate) again: bool,
    /// What its console has kept is to be asked for.
    pub(crate) replay: Replay,
    /// What was told of it, while our session may say the same.
    pub(crate) told: Option<Box<Told>>,
    /// It was adopted with its session, and has not answered over it yet.
    pub(crate) unverified: bool,
    /// What `Runtime` has told over its session.
    pub(crate) contexts: Contexts,
}

impl Target {
    fn new(info: TargetInfo) -> Self {
        Self {
            info,
            session: None,
            phase: Phase::Detached,
            wanted: false,
            announced: false,
            present: true,
            queue: VecDeque::new(),
            ledger: Ledger::default(),
            held: Held::default(),
            left: 0,
            dependent: false,
            documents: HashMap::new(),
            dialog_since: None,
            blocked: false,
            asked: None,
            retry: Vec::new(),
            retry_since: None,
            unread: Vec::new(),
            read_twice: false,
            again: false,
            replay: Replay::Done,
            told: None,
            unverified: false,
            contexts: Contexts::default(),
        }
    }

    pub(crate) fn has_pages(&self) -> bool {
        matches!(
            &*self.info.kind,
            "page" | "iframe" | "webview" | "background_page" | "browser_ui"
        )
    }

    /// The socket is gone, and with it everything that was about it.
    pub(crate) fn disconnected(&mut self) {
        self.session = None;
        self.phase = Phase::Detached;
        self.info.attached = false;
        self.present = false;
        self.left = 0;
        self.asked = None;
        self.retry.clear();
        self.retry_since = None;
        self.again = false;
        self.blocked = false;
        self.unverified = false;
        self.replay = Replay::Done;
        self.told = None;
        self.contexts.clear();
        if let Condition::Dialog(dialog) = &mut self.info.condition {
            dialog.answerable = false;
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    by_id: QuickMap<TargetId, Target>,
    order: Vec<TargetId>,
    sessions: QuickMap<Str, TargetId>,
    /// Second sessions on a target, which are being given back.
    extra: HashSet<Str>,
    /// Second sessions that are to tell what a target has kept.
    replays: HashMap<Str, TargetId>,
    /// Targets on which such a session was asked for.
    asked: HashSet<TargetId>,
    /// Counts targets that came or went, and sessions.
    revision: u64,
}

impl Targets {
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn get(&self, id: &TargetId) -> Option<&Target> {
        self.by_id.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &TargetId) -> Option<&mut Target> {
        self.by_id.get_mut(id)
    }

    pub(crate) fn ids(&self) -> Vec<TargetId> {
        self.order.clone()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Target> {
        self.order.iter().filter_map(|id| self.by_id.get(id))
    }

    pub(crate) fn children(&self, parent: &TargetId) -> Vec<TargetId> {
        self.iter()
            .filter(|target| target.info.parent.as_ref() == Some(parent))
            .map(|target| target.info.id.clone())
            .collect()
    }

    pub(crate) fn insert(&mut self, info: TargetInfo) -> &mut Target {
        self.revision += 1;
        let id = info.id.clone();
        self.order.push(id.clone());
        self.by_id.entry(id).or_insert_with(|| Target::new(info))
    }

    pub(crate) fn remove(&mut self, id: &TargetId) -> Option<Target> {
        let target = self.by_id.remove(id)?;
        self.revision += 1;
        self.order.retain(|other| other != id);
        if let Some(session) = &target.session {
            self.sessions.remove(session);
        }
        Some(target)
    }

    pub(crate) fn of_session(&self, session: &str) -> Option<&TargetId> {
        self.sessions.get(session)
    }

    pub(crate) fn bind(&mut self, session: Str, id: &TargetId) {
        self.revision += 1;
        if let Some(target) = self.by_id.get_mut(id) {
            target.session = Some(session.clone());
            self.sessions.insert(session, id.clone());
        }
    }

    pub(crate) fn unbind(&mut self, session: &str) -> Option<TargetId> {
        let id = self.sessions.remove(session)?;
        self.revision += 1;
        if let Some(target) = self.by_id.get_mut(&id) {
            target.session = None;
            target.phase = Phase::Detached;
            target.info.attached = false;
            target.asked = None;
            target.contexts.clear();
        }
        Some(id)
    }

    pub(crate) fn expect_replay(&mut self, id: TargetId, expected: bool) {
        if expected {
            self.asked.insert(id);
        } else {
            self.asked.remove(&id);
        }
    }

    pub(crate) fn expects_replay(&self, id: &TargetId) -> bool {
        self.asked.contains(id)
    }

    pub(crate) fn add_replay(&mut self, session: Str, id: TargetId) {
        self.extra.insert(session.clone());
        self.replays.insert(session, id);
    }

    pub(crate) fn of_replay(&self, session: &str) -> Option<&TargetId> {
        self.replays.get(session)
    }

    /// Whether it was there, and is to be given back.
    pub(crate) fn end_replay(&mut self, session: &str) -> bool {
        self.replays.remove(session).is_some()
    }

    pub(crate) fn add_extra(&mut self, session: Str) {
        self.extra.insert(session);
    }

    pub(crate) fn is_extra(&self, session: &str) -> bool {
        self.extra.contains(session)
    }

    pub(crate) fn drop_extra(&mut self, session: &str) -> bool {
        self.replays.remove(session);
        self.extra.remove(session)
    }

    pub(crate) fn disconnected(&mut self) {
        self.sessions.clear();
        self.extra.clear();
        self.replays.clear();
        self.asked.clear();
        for target in self.by_id.values_mut() {
            target.disconnected();
        }
    }
}

/// `Target.TargetInfo`, as much of it as a link needs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireInfo {
    target_id: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    url: String,
    opener_id: Option<String>,
    browser_context_id: Option<String>,
}

impl WireInfo {
    pub(crate) fn id(&self) -> TargetId {
        TargetId::from(self.target_id.as_str())
    }

    pub(crate) fn into_info(self) -> TargetInfo {
        TargetInfo {
            id: TargetId::from(self.target_id),
            kind: self.kind.into(),
            url: self.url.into(),
            title: self.title.into(),
            opener: self.opener_id.map(TargetId::from),
            parent: None,
            browser_context: self.browser_context_id.map(Str::from),
            attached: false,
            condition: Condition::Fine,
        }
    }

    /// Takes over what changes in the life of a target. Its kind does not, although Chromium says
    /// so of its own windows while it ends.
    pub(crate) fn update(self, info: &mut TargetInfo) {
        if info.kind.is_empty() {
            info.kind = self.kind.into();
        }
        info.url = self.url.into();
        info.title = self.title.into();
        info.opener = self.opener_id.map(TargetId::from).or(info.opener.take());
        info.browser_context = self
            .browser_context_id
            .map(Str::from)
            .or(info.browser_context.take());
    }
}

/// What is known of a target that only a caller has named.
pub(crate) fn unknown(id: &TargetId) -> TargetInfo {
    TargetInfo {
        id: id.clone(),
        kind: Str::new(),
        url: Str::new(),
        title: Str::new(),
        opener: None,
        parent: None,
        browser_context: None,
        attached: false,
        condition: Condition::Fine,
    }
}
