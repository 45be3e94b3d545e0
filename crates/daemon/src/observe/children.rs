//! Frames of other sites and workers: targets of their own to the browser, parts of a tab to people.
//!
//! The browser attaches us to them through their tab, and does not make them wait for us: a page that stands still because
//! keeptab was killed would be worse than a request unseen. So what a part asks for before it is listened to is missed, and
//! that is a line of its own. What a frame says until then comes from the browser's store; what a worker says, its page tells.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use keeptab_browser::{EventMsg, Session as Browser, Tab, TargetId, TargetInfo};
use keeptab_buffers::{Stream, Unheard, Wall};
use keeptab_protocol::target;
use serde::Deserialize;

use super::observer::{Observer, State};

/// Frames in frames in frames: more than this is no page that anybody reads.
const DEPTH: usize = 32;

/// As many as the link knows targets.
const MAX: usize = 4096;

/// What a child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Frame,
    Worker,
}

impl Kind {
    fn of(kind: &str) -> Option<Self> {
        match kind {
            "iframe" => Some(Kind::Frame),
            "worker" => Some(Kind::Worker),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Frame => "frame",
            Kind::Worker => "worker",
        }
    }
}

#[derive(Debug)]
struct Child {
    parent: TargetId,
    kind: Kind,
    /// When it was heard of.
    born: Wall,
    /// What was missed of it was said, if anything was.
    said: bool,
}

/// The children that are there.
#[derive(Debug, Default)]
pub(super) struct Children(HashMap<TargetId, Child>);

impl Children {
    /// Remembers a target that has a parent.
    fn learn(&mut self, id: TargetId, kind: &str, parent: TargetId, born: Wall) {
        let Some(kind) = Kind::of(kind) else { return };
        if let Some(known) = self.0.get_mut(&id) {
            known.parent = parent;
        } else if self.0.len() < MAX {
            let child = Child {
                parent,
                kind,
                born,
                said: false,
            };
            self.0.insert(id, child);
        }
    }

    /// A child is gone for good.
    pub(super) fn forget(&mut self, id: &TargetId) {
        self.0.remove(id);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn kind(&self, id: &TargetId) -> Option<Kind> {
        self.0.get(id).map(|child| child.kind)
    }

    /// The tab that a child belongs to; `None` for what is no child.
    fn tab_of(&self, id: &TargetId) -> Option<&TargetId> {
        let mut above = &self.0.get(id)?.parent;
        for _ in 0..DEPTH {
            match self.0.get(above) {
                Some(child) => above = &child.parent,
                None => return Some(above),
            }
        }
        None
    }
}

impl State {
    /// The tab under which events of a target are recorded, if they are.
    pub(super) fn recorded_as(&self, target: &TargetId) -> Option<TargetId> {
        let known = self.watched.contains_key(target);
        known.then(|| self.children.tab_of(target).unwrap_or(target).clone())
    }

    /// Whether a target that is recorded has a console of its own.
    pub(super) fn has_console(&self, target: &TargetId) -> bool {
        self.watched.contains_key(target) && self.children.kind(target) != Some(Kind::Worker)
    }

    /// The children of recorded tabs that are not recorded themselves.
    fn unwatched(&self) -> HashSet<TargetId> {
        let due = |id: &&TargetId| {
            let tab = self.children.tab_of(id);
            !self.watched.contains_key(*id) && tab.is_some_and(|tab| self.watched.contains_key(tab))
        };
        self.children.0.keys().filter(due).cloned().collect()
    }
}

impl Observer {
    /// A target was created: remembers it if it is part of a tab.
    pub(super) fn child_created(&self, event: &EventMsg) {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Created {
            target_info: target::TargetInfo,
        }
        if let Ok(Created { target_info }) = event.params.parse() {
            let born = Wall::from(SystemTime::now());
            self.learn_child(&target_info, born);
        }
    }

    /// As the browser says it.
    pub(super) fn learn_child(&self, info: &target::TargetInfo, born: Wall) {
        if let Some(parent) = &info.parent_id {
            let (id, parent) = (info.target_id.as_ref(), parent.as_ref());
            let (id, parent) = (TargetId::from(id), TargetId::from(parent));
            self.state().children.learn(id, &info.type_, parent, born);
        }
    }

    /// The children that we are attached to and that are not recorded yet.
    pub(super) fn children_due(&self, browser: &Browser) -> Vec<Tab> {
        let attached = browser.targets().into_iter().filter(|info| info.attached);
        let attached: Vec<TargetInfo> = attached.collect();
        let born = Wall::from(SystemTime::now());
        let mut state = self.state();
        if state.over || state.recording.is_none() {
            return Vec::new();
        }
        for info in &attached {
            // The frame that the browser calls the parent may be part of its page.
            if let Some(parent) = &info.parent {
                let (id, parent) = (info.id.clone(), parent.clone());
                state.children.learn(id, &info.kind, parent, born);
            }
        }
        let due = state.unwatched();
        let due = attached.into_iter().filter(|info| due.contains(&info.id));
        due.map(|info| browser.tab(info.id)).collect()
    }

    /// The frames that came while no daemon was there to be told how to reach them: they can be attached to as tabs are.
    /// Workers cannot, so that is said. A tab that is late may bring its own.
    pub(super) fn orphans(&self, browser: &Browser, late: &[TargetId]) -> Vec<Tab> {
        let epoch = browser.status().health.epoch.0;
        let mut state = self.state();
        let of_late = |id: &TargetId| {
            let tab = state.children.tab_of(id);
            tab.is_some_and(|tab| late.contains(tab))
        };
        let (frames, workers): (Vec<_>, Vec<_>) = state
            .unwatched()
            .into_iter()
            .filter(|id| !of_late(id))
            .partition(|id| state.children.kind(id) == Some(Kind::Frame));
        for id in workers {
            let now = Wall::from(SystemTime::now());
            let unheard = Unheard {
                from: now,
                until: now,
                epoch,
                cause: "a worker began while no daemon was there".to_owned(),
                url: String::new(),
                why: "what it asks for is not recorded".to_owned(),
            };
            if let Some(tab) = state.children.tab_of(&id).cloned() {
                self.say_unheard(&mut state, Stream::Network, &tab, &unheard);
            }
            state.children.forget(&id);
        }
        frames.into_iter().map(|id| browser.tab(id)).collect()
    }

    /// Says, once, what was missed of a child because it was there before it was listened to.
    pub(super) fn say_beginning(
        &self,
        state: &mut State,
        info: &TargetInfo,
        epoch: u32,
        why: &str,
    ) {
        let Some(child) = state.children.0.get_mut(&info.id) else {
            return;
        };
        let (kind, born) = (child.kind, child.born);
        if std::mem::replace(&mut child.said, true) {
            return;
        }
        let Some(tab) = state.children.tab_of(&info.id).cloned() else {
            return;
        };
        // What was there before its tab was listened to is not promised.
        let Some(since) = state.watched.get(&tab).copied() else {
            return;
        };
        if born > since {
            let unheard = Unheard {
                from: born,
                until: Wall::from(SystemTime::now()),
                epoch,
                cause: kind.name().to_owned(),
                url: info.url.to_string(),
                why: why.to_owned(),
            };
            self.say_unheard(state, Stream::Network, &tab, &unheard);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(children: &mut Children, id: &str, kind: &str, parent: &str) {
        children.learn(
            TargetId::from(id),
            kind,
            TargetId::from(parent),
            Wall::default(),
        );
    }

    fn tab_of(children: &Children, id: &str) -> Option<String> {
        let tab = children.tab_of(&TargetId::from(id));
        tab.map(|tab| tab.as_str().to_owned())
    }

    #[test]
    fn a_part_of_a_part_belongs_to_the_tab() {
        let mut children = Children::default();
        learn(&mut children, "F1", "iframe", "T");
        learn(&mut children, "F2", "iframe", "F1");
        learn(&mut children, "W", "worker", "F2");
        learn(&mut children, "P", "page", "T");
        learn(&mut children, "S", "service_worker", "T");
        for id in ["F1", "F2", "W"] {
            assert_eq!(tab_of(&children, id).as_deref(), Some("T"), "{id}");
        }
        for id in ["T", "P", "S"] {
            assert_eq!(tab_of(&children, id), None, "{id}");
        }
    }

    #[test]
    fn a_circle_belongs_to_nobody() {
        let mut children = Children::default();
        learn(&mut children, "A", "iframe", "B");
        learn(&mut children, "B", "iframe", "A");
        assert_eq!(tab_of(&children, "A"), None);
    }

    #[test]
    fn there_is_an_end_to_those_that_are_remembered() {
        let mut children = Children::default();
        for n in 0..MAX + 10 {
            learn(&mut children, &format!("W{n}"), "worker", "T");
        }
        assert_eq!(children.0.len(), MAX);
    }
}
