//! Switching recording on in a tab.

use std::sync::Arc;
use std::time::Duration;

use keeptab_browser::{CallError, CallOptions, Session as Browser, Tab, TargetId};
use keeptab_protocol::{Raw, log, network, page, runtime};
use serde::Deserialize;
use tokio::time::timeout;

use super::observer::Observer;
use crate::api::Recording;

/// How long a caller waits until a tab is being recorded. A tab that hangs is recorded as soon as it
/// answers.
const PATIENCE: Duration = Duration::from_secs(2);

impl Observer {
    /// Records a tab from now on: commands that are sent to it after this was first polled come
    /// behind. Does nothing when it is recorded already.
    pub(crate) async fn watch(&self, tab: &Tab) {
        let recording = {
            let mut state = self.state();
            if state.over || state.recording.is_none() {
                return;
            }
            if !state.watched.insert(tab.target_id().clone()) {
                return;
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
            }
            Err(error) => {
                tracing::debug!(
                    "session \"{}\": {} is not recorded: {error}",
                    self.session,
                    tab.target_id()
                );
                self.state().watched.remove(tab.target_id());
            }
        }
    }

    /// [`Observer::watch`] for a caller who has something better to do than wait for a tab that
    /// hangs.
    pub(crate) async fn watch_soon(self: &Arc<Self>, tab: &Tab) {
        let (observer, tab) = (Arc::clone(self), tab.clone());
        // A task of its own: it goes on when the caller goes away.
        let watching = tokio::spawn(async move { observer.watch(&tab).await });
        drop(timeout(PATIENCE, watching).await);
    }
}

/// Returns the document that the tab shows.
///
/// The settings go to the link's ledger, so they are in force again after every loss.
async fn switch_on(tab: &Tab, recording: Recording) -> Result<Option<String>, CallError> {
    // One burst: each is sent when it is first polled, in this order.
    let console = async {
        if recording.console {
            let (runtime, log) = (runtime::Enable::default(), log::Enable::default());
            tokio::try_join!(tab.call(&runtime), tab.call(&log))?;
        }
        Ok(())
    };
    let network = async {
        if recording.network {
            tab.call(&network::Enable::default()).await?;
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

/// Switches the console of these tabs off, whoever has switched it on before: the link of the daemon
/// before, over the very same connection, or our link before anybody listened. A browser tells what
/// it has stored only when it is switched on.
pub(super) async fn switch_off(tabs: &[Tab]) {
    let (runtime, log) = (runtime::Disable::default(), log::Disable::default());
    let asking = tabs.iter().map(|tab| {
        timeout(PATIENCE, async {
            tokio::try_join!(tab.call(&runtime), tab.call(&log))
        })
    });
    // A tab that hangs says nothing, and the gap says so.
    drop(futures_util::future::join_all(asking).await);
}

/// Undoes [`switch_off`]: the tabs tell what they have stored. Bindings, which went off as well, are
/// set again.
pub(super) async fn switch_on_again(tabs: &[Tab], bindings: &[(String, Raw)]) {
    let (runtime, log) = (runtime::Enable::default(), log::Enable::default());
    let asking = tabs.iter().map(|tab| {
        let of_tab = bindings
            .iter()
            .filter(|(target, _)| target == tab.target_id().as_str());
        let again = of_tab.map(|(_, params)| {
            tab.call_raw("Runtime.addBinding", params.clone(), CallOptions::new())
        });
        let again = futures_util::future::try_join_all(again);
        // Sent in this order, without waiting for each other.
        timeout(PATIENCE, async {
            tokio::try_join!(tab.call(&runtime), tab.call(&log), again)
        })
    });
    drop(futures_util::future::join_all(asking).await);
}

/// The bindings that are set, each with its tab and parameters.
pub(super) fn bindings(browser: &Browser) -> Vec<(String, Raw)> {
    #[derive(Deserialize)]
    struct Settings {
        targets: Vec<OfTarget>,
    }
    #[derive(Deserialize)]
    struct OfTarget {
        id: String,
        #[serde(default)]
        ledger: Vec<Setting>,
    }
    #[derive(Deserialize)]
    struct Setting {
        method: String,
        params: Raw,
    }
    let Ok(settings) = serde_json::from_slice::<Settings>(&browser.snapshot().to_bytes()) else {
        return Vec::new();
    };
    let of_target = |target: OfTarget| {
        let id = target.id;
        target
            .ledger
            .into_iter()
            .filter(|setting| setting.method == "Runtime.addBinding")
            .map(move |setting| (id.clone(), setting.params))
    };
    settings.targets.into_iter().flat_map(of_target).collect()
}
