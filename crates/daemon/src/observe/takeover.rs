//! The beginning of recording a browser: the tabs that are there, and what the daemon or the browser before has left.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use keeptab_browser::{Tab, TargetId};
use keeptab_buffers::{Filter, Stream, Wall};
use keeptab_protocol::target::GetTargets;
use tokio::time::timeout;

use super::children::Kind;
use super::gaps::Ending;
use super::recorder::Recorder;
use super::watching::Watching;

/// How long the browser may take to name its tabs before those that are known have to do.
const PATIENCE: Duration = Duration::from_secs(2);

/// Workers in workers in frames that are looked for at once. Deeper ones follow.
const NESTED: usize = 4;

impl Recorder {
    /// Switches recording on in the tabs that are there, and closes the gap that the daemon before
    /// or the browser before has left.
    pub(super) async fn begin(&mut self) {
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

    /// The tabs that are to be recorded, also those that the link has not heard of yet: a keeper's
    /// browser tells of its tabs once, and has done so to the daemon before.
    async fn tabs_as_the_browser_says(&self) -> Vec<Tab> {
        let asked = GetTargets::default();
        // A tab may be listened to already: then what it has got since is told as new.
        let now = Wall::from(SystemTime::now());
        let answer = timeout(PATIENCE, self.browser.call(&asked)).await;
        let (Ok(Ok(answer)), Some(session)) = (answer, self.session.upgrade()) else {
            return self.tabs();
        };
        if self.recording.is_none() {
            return Vec::new();
        }
        session.adopt_popups_now();
        for info in &answer.target_infos {
            self.observer.learn_child(info, now);
        }
        answer
            .target_infos
            .into_iter()
            .filter(|info| session.records(&info.type_, info.target_id.as_ref(), &info.url))
            .map(|info| self.browser.tab(info.target_id.to_string()))
            .collect()
    }
}
