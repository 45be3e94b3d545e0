//! What the next daemon needs of a session's link, and what this one got of the one before.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use keeptab_browser::keeping::{Keeping, Kept, keeping};
use keeptab_browser::{Options, Snapshot, State as LinkState};
use keeptab_store::Tab;

use super::entry::{Held, Hold, Session};
use crate::handover;

/// Changes that nobody waits for are written together.
const TOGETHER: Duration = Duration::from_millis(50);

/// Locked for moments only.
#[derive(Debug, Default)]
pub(super) struct Succession(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Our fencing number at the keeper.
    owner: u64,
    /// The link of the daemon before, and when it was written down.
    left: Option<(Snapshot, SystemTime)>,
    /// Of the browser that is being connected.
    keeping: Option<Keeping>,
    /// The link has changed since it was last written.
    changed: bool,
}

impl Succession {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn owner(&self) -> u64 {
        self.state().owner
    }

    /// Becomes what the daemon before left.
    pub(super) fn inherit(&self, owner: u64, link: Option<(Snapshot, SystemTime)>) {
        let mut state = self.state();
        state.owner = owner;
        state.left = link;
    }
}

impl Session {
    /// How to connect to a browser that is new to this session.
    pub(super) fn options(&self) -> Options {
        let mut state = self.succession.state();
        state.left = None;
        state.owner = handover::next_owner(state.owner);
        kept(&mut state).with_name(self.name())
    }

    /// How to connect to the browser that the daemon before had.
    pub(super) fn options_to_resume(&self) -> Options {
        let mut state = self.succession.state();
        let options = kept(&mut state).with_name(self.name());
        // It lived on after it had last written, with nothing to write.
        let alive = self.observer.left_at();
        match state.left.clone() {
            Some((snapshot, at)) => {
                let at = alive.map_or(at, |alive| alive.max(at));
                options.with_resume(snapshot, at.elapsed().unwrap_or_default())
            }
            None => options,
        }
    }

    /// Sees to it that what changes about the link is written down.
    pub(super) fn keep_up(&self, held: &Held) {
        let keeping = {
            let mut state = self.succession.state();
            state.left = None;
            state.changed = true;
            state.keeping.take()
        };
        let Some(mut keeping) = keeping else { return };
        let session = self.weak();
        let mut link = held.browser.state();
        tokio::spawn(async move {
            loop {
                let changed = tokio::select! {
                    changed = keeping.changed() => changed,
                    _ = link.wait_for(|state| matches!(state, LinkState::Closed)) => return,
                };
                if !changed.is_urgent() {
                    tokio::time::sleep(TOGETHER).await;
                }
                let Some(session) = session.upgrade() else {
                    return;
                };
                session.write_down(changed).await;
            }
        });
    }

    async fn write_down(&self, changed: Kept) {
        if let Ok(daemon) = self.daemon() {
            self.snapshot_changed();
            daemon.save();
            daemon.saver().saved().await;
        }
        // Now the calls that changed something are answered.
        drop(changed);
    }

    /// The link has to be written down.
    pub(crate) fn snapshot_changed(&self) {
        self.succession.state().changed = true;
    }

    /// The link, if it has changed since this was last asked.
    pub(crate) fn changed_snapshot(&self) -> Option<Snapshot> {
        let browser = self.with(|inner| match &inner.hold {
            Hold::Held(held) => Some(held.browser.clone()),
            _ => None,
        })?;
        if !std::mem::take(&mut self.succession.state().changed) {
            return None;
        }
        Some(browser.snapshot())
    }

    /// The session's own tabs, with what they show at this moment.
    pub(crate) fn stored_tabs(&self) -> Vec<Tab> {
        let (claimed, known) = self.with(|inner| {
            let known = match &inner.hold {
                Hold::Held(held) => held.browser.tabs(),
                _ => Vec::new(),
            };
            (inner.claimed.clone(), known)
        });
        (0..)
            .zip(&claimed)
            .map(|(position, id)| {
                let seen = known.iter().find(|tab| tab.id.as_str() == id);
                let text = |of: fn(&keeptab_browser::TargetInfo) -> String| {
                    seen.map(of).unwrap_or_default()
                };
                Tab {
                    session: self.name().to_owned(),
                    target_id: id.clone(),
                    url: text(|tab| tab.url.to_string()),
                    title: text(|tab| tab.title.to_string()),
                    opener: seen
                        .and_then(|tab| tab.opener.as_ref())
                        .map(|opener| opener.as_str().to_owned()),
                    position,
                }
            })
            .collect()
    }
}

fn kept(state: &mut State) -> Options {
    let (keeper, keeping) = keeping();
    state.keeping = Some(keeping);
    Options::new()
        .with_owner_epoch(state.owner)
        .with_keeping(keeper)
}
