//! Entries to the store, and back.

use std::sync::Arc;
use std::time::Duration;

use keeptab_buffers::{Buffers, Limits, load};
use keeptab_store::{Batch, Change, StoreError};
use tokio::time::sleep;

use super::observer::Observer;

/// How long after a change it is saved, so that what comes together is written together.
const DELAY: Duration = Duration::from_millis(300);

/// How long to wait after a write that failed, at first and at most.
const RETRY: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_secs(60);

/// Entries of each stream in one transaction.
const BATCH: usize = 500;

impl Observer {
    /// Something changed: sees to it that it is saved soon. Costs nothing while nothing changes.
    pub(super) fn touch(self: &Arc<Self>) {
        self.keep_marking();
        {
            let mut state = self.state();
            if state.saving || state.over || !state.buffers.has_unsaved() {
                return;
            }
            state.saving = true;
        }
        let observer = Arc::clone(self);
        tokio::spawn(async move {
            let mut pause = DELAY;
            let mut retry = RETRY;
            loop {
                sleep(pause).await;
                if observer.save().await {
                    (pause, retry) = (DELAY, RETRY);
                } else {
                    pause = retry;
                    retry = (retry * 2).min(RETRY_MAX);
                }
                let mut state = observer.state();
                if state.over || !state.buffers.has_unsaved() {
                    state.saving = false;
                    return;
                }
            }
        });
    }

    /// Saves what changed. Returns whether it was saved; if not, it is still to be saved.
    pub(super) async fn save(&self) -> bool {
        loop {
            let changes = {
                let mut state = self.state();
                if state.over || !state.buffers.has_unsaved() {
                    return true;
                }
                state.buffers.unsaved(&self.session, BATCH)
            };
            let outcome = self.commit(Batch::of(changes.iter().cloned())).await;
            let saved = outcome.is_ok();
            {
                let mut state = self.state();
                if saved {
                    state.in_store = true;
                } else {
                    state.buffers.not_saved(&changes);
                }
            }
            self.archive.note(outcome.map_err(|error| {
                format!("console and network entries are kept in memory only: {error}")
            }));
            if !saved {
                return false;
            }
        }
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.archive.store().await?.commit(batch).await
    }

    /// The entries as they were last saved; `None` when there are none or they cannot be had.
    pub(super) async fn read_back(&self) -> Option<Buffers> {
        let store = match self.archive.store().await {
            Ok(store) => store,
            Err(error) => {
                self.archive
                    .note(Err(format!("earlier entries cannot be read: {error}")));
                return None;
            }
        };
        let known = store.session(&self.session).await;
        if !known.is_ok_and(|known| known.is_some()) {
            return None;
        }
        match load(&*store, &self.session, Limits::default()).await {
            Ok(buffers) => Some(buffers),
            Err(error) => {
                self.archive.note(Err(format!("{error}: {}", error.cause)));
                None
            }
        }
    }

    pub(super) async fn forget_stored(&self) {
        let forget = Change::ForgetSession {
            session: self.session.clone(),
        };
        if let Err(error) = self.commit(Batch::of([forget])).await {
            tracing::warn!(
                "session \"{}\": its entries are still stored: {error}",
                self.session
            );
        }
    }
}
