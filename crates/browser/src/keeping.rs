//! Keeping what a session needs to be resumed by another process.
//!
//! A session with a [`Keeper`] says when its [`crate::Session::snapshot`] changed, and hands over the
//! settlements of calls that changed it: they reach their callers when the [`Kept`] that was told of
//! them is dropped. So who was told that something is set can rely on it also after a crash.
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::driver::Settled;

/// The session's end. Cloning shares it.
#[derive(Clone)]
pub struct Keeper(Arc<Shared>);

/// The end of whoever keeps. When it is dropped, nothing is waited for any more.
#[derive(Debug)]
pub struct Keeping(Keeper);

/// There is a new snapshot. To be dropped when it is kept, or when keeping it takes too long.
#[must_use = "calls wait until it is dropped"]
pub struct Kept(Vec<Waiting>);

struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    changed: bool,
    waiting: Vec<Waiting>,
    /// Nobody keeps any more.
    over: bool,
}

/// A settlement on its way.
struct Waiting(oneshot::Sender<Settled>, Settled);

/// Both ends.
pub fn keeping() -> (Keeper, Keeping) {
    let keeper = Keeper(Arc::new(Shared {
        state: Mutex::default(),
        changed: Notify::new(),
    }));
    (keeper.clone(), Keeping(keeper))
}

impl Keeper {
    /// The snapshot changed.
    pub(crate) fn changed(&self) {
        self.tell(None);
    }

    /// The snapshot changed by a call that settles like this.
    pub(crate) fn settled(&self, caller: oneshot::Sender<Settled>, settled: Settled) {
        self.tell(Some(Waiting(caller, settled)));
    }

    fn tell(&self, waiting: Option<Waiting>) {
        {
            // Every step below leaves it whole.
            let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.over {
                drop(state);
                waiting.into_iter().for_each(Waiting::deliver);
                return;
            }
            state.changed = true;
            state.waiting.extend(waiting);
        }
        self.0.changed.notify_one();
    }
}

impl Keeping {
    /// Waits for a change since the last one. Cancel safe.
    pub async fn changed(&mut self) -> Kept {
        loop {
            {
                let mut state = self.lock();
                if std::mem::take(&mut state.changed) {
                    return Kept(std::mem::take(&mut state.waiting));
                }
            }
            self.0.0.changed.notified().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        let state = &self.0.0.state;
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Whether calls wait for it.
    pub fn is_urgent(&self) -> bool {
        !self.0.is_empty()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.drain(..).for_each(Waiting::deliver);
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.lock();
            state.over = true;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waiting::deliver);
    }
}

impl Waiting {
    fn deliver(self) {
        // A caller that went away needs no answer.
        let _ = self.0.send(self.1);
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kept").field(&self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use keeptab_link::{Epoch, Settlement};
    use keeptab_protocol::Raw;

    use super::*;

    fn settled() -> Settled {
        Settled {
            settlement: Settlement::Reply(Raw::object_empty()),
            epoch: Epoch(1),
        }
    }

    #[tokio::test]
    async fn a_call_settles_when_its_snapshot_is_kept_and_not_before() {
        let (keeper, mut keeping) = keeping();
        let (caller, mut answer) = oneshot::channel();
        keeper.settled(caller, settled());
        let kept = keeping.changed().await;
        assert!(kept.is_urgent());
        assert!(answer.try_recv().is_err());
        drop(kept);
        assert!(answer.try_recv().is_ok());
    }

    #[tokio::test]
    async fn nobody_waits_for_one_who_has_gone() {
        let (keeper, keeping) = keeping();
        let (caller, first) = oneshot::channel();
        keeper.settled(caller, settled());
        drop(keeping);
        assert!(first.await.is_ok());
        let (caller, second) = oneshot::channel();
        keeper.settled(caller, settled());
        assert!(second.await.is_ok());
    }
}
