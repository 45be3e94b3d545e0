//! Switching recording on in a tab.

use std::sync::Arc;
use std::time::Duration;

use keeptab_browser::{CallError, CallOptions, Tab, TargetId};
use keeptab_protocol::{log, network, page, runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::observer::Observer;
use crate::api::Recording;

/// How long a caller waits until a tab is being recorded. A tab that hangs is recorded as soon as it
/// answers.
const PATIENCE: Duration = Duration::from_secs(2);

/// How far [`Observer::watch_soon`] came.
pub(crate) enum Watching {
    /// The tab is recorded.
    Done,
    /// It cannot be at present.
    Failed,
    /// The tab has not answered; the task goes on.
    Goes(JoinHandle<bool>),
}

impl Observer {
    /// Records a tab from now on: commands that are sent to it after this was first polled come
    /// behind. Does nothing when it is recorded already. Returns whether it is
    /// recorded.
    pub(crate) async fn watch(&self, tab: &Tab) -> bool {
        let recording = {
            let mut state = self.state();
            if state.over || state.recording.is_none() {
                return false;
            }
            if !state.watched.insert(tab.target_id().clone()) {
                return true;
            }
            state.recording
        };
        match switch_on(tab, recording).await {
            Ok(document) => {
                if let Some(document) = document {
                    self.state()
                        .buffers
                        .document(tab.target_id().as_str(), &document);
                }
                true
            }
            Err(error) => {
                tracing::debug!(
                    "session \"{}\": {} is not recorded: {error}",
                    self.session,
                    tab.target_id()
                );
                self.state().watched.remove(tab.target_id());
                false
            }
        }
    }

    /// [`Observer::watch`] for a caller who has something better to do than wait for a tab that
    /// hangs.
    pub(crate) async fn watch_soon(self: &Arc<Self>, tab: &Tab) -> Watching {
        let (observer, tab) = (Arc::clone(self), tab.clone());
        // A task of its own: it goes on when the caller goes away.
        let mut watching = tokio::spawn(async move { observer.watch(&tab).await });
        match timeout(PATIENCE, &mut watching).await {
            Ok(Ok(true)) => Watching::Done,
            Ok(_) => Watching::Failed,
            Err(_) => Watching::Goes(watching),
        }
    }
}

/// Returns the document that the tab shows.
///
/// The settings go to the link's ledger, so they are in force again after every loss.
async fn switch_on(tab: &Tab, recording: Recording) -> Result<Option<String>, CallError> {
    // A snippet that disables such a domain does not end the recording.
    let standing = CallOptions::new().standing();
    // One burst: each is sent when it is first polled, in this order.
    let console = async {
        if recording.console {
            let (runtime, log) = (runtime::Enable::default(), log::Enable::default());
            tokio::try_join!(
                tab.call_with(&runtime, standing),
                tab.call_with(&log, standing)
            )?;
        }
        Ok(())
    };
    let network = async {
        if recording.network {
            let network = network::Enable::default();
            tab.call_with(&network, standing).await?;
        }
        Ok(())
    };
    let ((), (), document) = tokio::try_join!(console, network, async { Ok(document(tab).await) })?;
    Ok(document)
}

/// The document of a tab's main frame, if it says so in time.
pub(super) async fn document(tab: &Tab) -> Option<String> {
    let asked = page::GetFrameTree::default();
    let tree = timeout(PATIENCE, tab.call(&asked)).await.ok()?.ok()?;
    Some(tree.frame_tree.frame.loader_id.to_string())
}

/// The documents of several tabs, asked at once.
pub(super) async fn documents(tabs: Vec<Tab>) -> Vec<(TargetId, Option<String>)> {
    let asked = tabs
        .iter()
        .map(|tab| async { (tab.target_id().clone(), document(tab).await) });
    futures_util::future::join_all(asked).await
}
