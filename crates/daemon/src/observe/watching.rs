//! Switching recording on in a tab, or in a part of one.

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use keeptab_browser::{CallError, CallOptions, Tab, TargetId};
use keeptab_buffers::{Stream, Unheard, Wall};
use keeptab_protocol::{log, network, page, runtime, target};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::children::Kind;
use super::observer::{Observer, State};
use super::starting::Starting;
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
    /// Records a tab, and returns when it has answered; what is sent to it then is recorded from its beginning.
    /// Where somebody else is at it, that is waited for. Returns whether it is recorded.
    pub(crate) async fn watch(&self, tab: &Tab) -> bool {
        let id = tab.target_id();
        let ours = {
            let mut state = self.state();
            if state.over || state.recording.is_none() {
                return false;
            }
            match state.watched.entry(id.clone()) {
                Entry::Occupied(_) => None,
                Entry::Vacant(place) => {
                    place.insert(Wall::from(SystemTime::now()));
                    let starting = Starting::begin(self, &mut state, id);
                    Some((starting, state.recording, state.children.kind(id)))
                }
            }
        };
        let Some((starting, recording, kind)) = ours else {
            return self.is_started(id).await;
        };
        let outcome = switch_on(tab, kind, recording).await;
        let (info, epoch) = (tab.info(), tab.session().status().health.epoch.0);
        match &outcome {
            Ok(_) => starting.answered(epoch),
            Err(_) => {
                self.state().watched.remove(id);
                drop(starting);
            }
        }
        let mut state = self.state();
        match outcome {
            Ok((document, refused)) => {
                if let Some(document) = document {
                    state.buffers.document_unless_told(id.as_str(), &document);
                }
                if let Some(info) = info {
                    let why = "what it asked for before it was listened to";
                    self.say_beginning(&mut state, &info, epoch, why);
                }
                if let Some(error) = refused {
                    self.say_no_children(&mut state, id, epoch, &error);
                }
                true
            }
            Err(error) => {
                tracing::debug!(
                    "session \"{}\": {id} is not recorded: {error}",
                    self.session
                );
                // Of one that is gone, its end says it.
                if let Some(info) = info {
                    let why = format!("it cannot be listened to ({error})");
                    self.say_beginning(&mut state, &info, epoch, &why);
                }
                false
            }
        }
    }

    /// The browser does not let us listen to the parts of a tab.
    fn say_no_children(&self, state: &mut State, id: &TargetId, epoch: u32, error: &CallError) {
        let Some(tab) = state.recorded_as(id) else {
            return;
        };
        let now = Wall::from(SystemTime::now());
        let unheard = Unheard {
            from: now,
            until: now,
            epoch,
            cause: format!("frames of other sites and workers are not recorded ({error})"),
            url: String::new(),
            why: "what they say and ask for".to_owned(),
        };
        for stream in Stream::ALL {
            self.say_unheard(state, stream, &tab, &unheard);
        }
    }

    /// [`Observer::watch`] for a caller who has something better to do than wait for a tab that
    /// hangs.
    pub(crate) async fn watch_soon(self: &Arc<Self>, tab: &Tab) -> Watching {
        let (observer, tab) = (Arc::clone(self), tab.clone());
        let id = tab.target_id().clone();
        // A task of its own: it goes on when the caller goes away.
        let mut watching = tokio::spawn(async move { observer.watch(&tab).await });
        match timeout(PATIENCE, &mut watching).await {
            Ok(Ok(true)) => Watching::Done,
            Ok(_) => Watching::Failed,
            Err(_) => {
                self.goes_on_without(&id);
                Watching::Goes(watching)
            }
        }
    }
}

/// Returns the document that the tab or frame shows, and why its parts cannot be recorded, if so.
///
/// The settings go to the link's ledger, so they are in force again after every loss.
async fn switch_on(
    tab: &Tab,
    kind: Option<Kind>,
    recording: Recording,
) -> Result<(Option<String>, Option<CallError>), CallError> {
    // What a worker says, its page tells.
    let worker = kind == Some(Kind::Worker);
    // A snippet that disables such a domain does not end the recording.
    let standing = CallOptions::new().standing();
    // One burst: each is sent when it is first polled, in this order.
    let console = async {
        if recording.console && !worker {
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
    let parts = async {
        let mut asked = target::SetAutoAttach::new(true, false);
        asked.flatten = Some(true);
        asked.filter = Some(parts(recording));
        Ok(tab.call_with(&asked, standing).await.err())
    };
    let document = async {
        Ok(match worker {
            true => None,
            false => document(tab).await,
        })
    };
    let ((), (), refused, document) = tokio::try_join!(network, console, parts, document)?;
    Ok((document, refused))
}

/// The kinds of targets that are parts of a tab.
fn parts(recording: Recording) -> target::TargetFilter {
    let kinds: &[&str] = match recording.network {
        true => &["iframe", "worker"],
        false => &["iframe"],
    };
    let entry = |kind: &&str| target::FilterEntry {
        exclude: None,
        type_: Some((*kind).to_owned()),
    };
    kinds.iter().map(entry).collect()
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
