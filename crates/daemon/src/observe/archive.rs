//! The store, its key and the directories of bodies, opened when they are first needed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use keeptab_store::{SqliteOptions, SqliteStore, Store, StoreError};
use tokio::sync::OnceCell;

use crate::seal::Seal;

/// Where entries are kept.
pub(crate) struct Archive {
    data: PathBuf,
    store: OnceCell<Arc<SqliteStore>>,
    seal: OnceCell<Seal>,
    /// Why it cannot be used, while that is so.
    trouble: Mutex<Option<String>>,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").finish_non_exhaustive()
    }
}

impl Archive {
    /// An archive below a data directory. Touches no file.
    pub(crate) fn new(data: &Path) -> Self {
        Archive {
            data: data.to_owned(),
            store: OnceCell::new(),
            seal: OnceCell::new(),
            trouble: Mutex::default(),
        }
    }

    /// The store.
    ///
    /// # Errors
    /// It cannot be opened; the next call tries again.
    pub(crate) async fn store(&self) -> Result<Arc<dyn Store>, StoreError> {
        let path = self.data.join("store.db");
        let opened = self.store.get_or_try_init(|| async {
            let open = move || SqliteStore::open(SqliteOptions::new(path)).map(Arc::new);
            match tokio::task::spawn_blocking(open).await {
                Ok(opened) => opened,
                // Only when the runtime ends.
                Err(error) => Err(StoreError::Invalid {
                    what: error.to_string(),
                }),
            }
        });
        let store = opened.await?;
        Ok(Arc::clone(store) as Arc<dyn Store>)
    }

    /// What secrets in the store are sealed with. The store was opened before, which makes the
    /// directory.
    ///
    /// # Errors
    /// The key cannot be read or made; the next call tries again.
    pub(crate) async fn seal(&self) -> Result<&Seal, StoreError> {
        self.seal
            .get_or_try_init(|| async {
                Seal::load(&self.data).map_err(|cause| StoreError::Open {
                    path: self.data.join("key"),
                    cause: Arc::new(cause),
                })
            })
            .await
    }

    /// The directory of a session's bodies. Names of sessions are safe in paths.
    pub(super) fn bodies_of(&self, session: &str) -> PathBuf {
        self.data.join("bodies").join(session)
    }

    /// The file whose time says until when a session was looked after.
    pub(super) fn mark_of(&self, session: &str) -> PathBuf {
        self.data.join("alive").join(session)
    }

    /// Remembers how the last write went; says it once.
    pub(super) fn note(&self, outcome: Result<(), String>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(()) => *trouble = None,
            Err(what) => {
                if trouble.is_none() {
                    tracing::warn!("{what}");
                }
                *trouble = Some(what);
            }
        }
    }

    /// What is not as it should be, for the daemon's health.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
