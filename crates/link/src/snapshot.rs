//! What a link knows, written down for the process that comes after ours.
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::ledger::{Held, KeptEntry, Ledger};
use crate::link::{Link, Wire};
use crate::recovery::Recovery;
use crate::targets::Target;
use crate::{Cause, Condition, Dialog, Epoch, State, Str, TargetEnd, TargetId, TargetInfo};

/// The form in which this build writes snapshots. Fields are only ever added with a default; a
/// change of meaning takes the next number.
const VERSION: u32 = 1;

/// Everything of a link that has to outlive its process: made by [`Link::snapshot`], taken by
/// [`Link::resume`]. It holds parameters of calls as they were given, and so may hold secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    version: u32,
    epoch: u32,
    connection: Option<String>,
    pub(crate) browser: Vec<KeptEntry>,
    pub(crate) targets: Vec<KeptTarget>,
    /// The browser was started anew, see [`Snapshot::moved`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    moved: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptTarget {
    pub(crate) id: String,
    kind: String,
    url: String,
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opener: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    /// The CDP session on this target, worth something only over the same connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    #[serde(default)]
    wanted: bool,
    #[serde(default)]
    announced: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ledger: Vec<KeptEntry>,
    #[serde(default)]
    held: Held,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    documents: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dialog: Option<KeptDialog>,
    /// Status and code of a crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crashed: Option<(String, i64)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct KeptDialog {
    kind: String,
    message: String,
    default_prompt: String,
    url: String,
    answerable: bool,
}

/// Why a snapshot cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// A newer build wrote it.
    #[error("the snapshot is of version {found}, this build knows {VERSION}")]
    Newer {
        /// Its version.
        found: u32,
    },
    /// It is damaged.
    #[error("the snapshot cannot be read: {0}")]
    Damaged(#[from] serde_json::Error),
}

impl Snapshot {
    /// Reads what [`Snapshot::to_bytes`] wrote.
    ///
    /// # Errors
    /// It is damaged, or of a newer build.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(bytes)?;
        if version > VERSION {
            return Err(SnapshotError::Newer { found: version });
        }
        Ok(serde_json::from_slice(bytes)?)
    }

    /// The snapshot as JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Nothing in it can fail to be written but a parameter that is no JSON, and such a call the
        // browser refuses, so that no ledger has it.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The connection that it was made on.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.epoch)
    }

    /// What the endpoint called that connection, or that run of the browser.
    pub fn connection(&self) -> Option<&str> {
        self.connection.as_deref()
    }

    /// The targets that were known, with their addresses.
    pub fn targets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.targets
            .iter()
            .map(|target| (target.id.as_str(), target.url.as_str()))
    }

    /// The snapshot for a browser that was started in the place of the one that died, where other
    /// targets stand for the old ones: pairs of an old id and the new one. A link that resumes it sets
    /// on the new targets what was set on the old ones, and its gap record says that the browser is
    /// another one. What belongs to no pair is left out.
    #[must_use]
    pub fn moved(mut self, pairs: &[(String, String)]) -> Self {
        self.connection = None;
        self.moved = true;
        self.targets.retain_mut(|target| {
            let Some((_, new)) = pairs.iter().find(|(old, _)| *old == target.id) else {
                return false;
            };
            target.id.clone_from(new);
            target.opener = None;
            target.parent = None;
            target.context = None;
            target.session = None;
            target.held = Held::default();
            target.documents.clear();
            target.dialog = None;
            target.crashed = None;
            true
        });
        self
    }

    /// Whether a new connection of this name is the very one that the snapshot was made on.
    pub(crate) fn is_of(&self, connection: Option<&str>) -> bool {
        connection.is_some() && self.connection.as_deref() == connection
    }
}

impl KeptTarget {
    fn of(target: &Target) -> Self {
        let info = &target.info;
        let text = |id: &TargetId| id.as_str().to_owned();
        let (mut dialog, mut crashed) = (None, None);
        match &info.condition {
            Condition::Dialog(open) => {
                dialog = Some(KeptDialog {
                    kind: open.kind.to_string(),
                    message: open.message.to_string(),
                    default_prompt: open.default_prompt.to_string(),
                    url: open.url.to_string(),
                    answerable: open.answerable,
                });
            }
            Condition::Crashed(TargetEnd::Crashed { status, code }) => {
                crashed = Some((status.to_string(), *code));
            }
            _ => {}
        }
        let mut documents: Vec<(String, String)> = target
            .documents
            .iter()
            .map(|(frame, loader)| (frame.to_string(), loader.to_string()))
            .collect();
        documents.sort_unstable();
        Self {
            id: text(&info.id),
            kind: info.kind.to_string(),
            url: info.url.to_string(),
            title: info.title.to_string(),
            opener: info.opener.as_ref().map(text),
            parent: info.parent.as_ref().map(text),
            context: info.browser_context.as_ref().map(ToString::to_string),
            session: target.session.as_ref().map(ToString::to_string),
            wanted: target.wanted,
            announced: target.announced,
            ledger: target.ledger.keep(),
            held: target.held.clone(),
            documents,
            dialog,
            crashed,
        }
    }

    pub(crate) fn condition(&self) -> Condition {
        if let Some((status, code)) = &self.crashed {
            return Condition::Crashed(TargetEnd::Crashed {
                status: Str::from(status.as_str()),
                code: *code,
            });
        }
        match &self.dialog {
            None => Condition::Fine,
            Some(dialog) => Condition::Dialog(Dialog {
                kind: Str::from(dialog.kind.as_str()),
                message: Str::from(dialog.message.as_str()),
                default_prompt: Str::from(dialog.default_prompt.as_str()),
                url: Str::from(dialog.url.as_str()),
                answerable: dialog.answerable,
            }),
        }
    }

    fn info(&self) -> TargetInfo {
        let id = |text: &String| TargetId::from(text.as_str());
        TargetInfo {
            id: id(&self.id),
            kind: Str::from(self.kind.as_str()),
            url: Str::from(self.url.as_str()),
            title: Str::from(self.title.as_str()),
            opener: self.opener.as_ref().map(id),
            parent: self.parent.as_ref().map(id),
            browser_context: self.context.as_deref().map(Str::from),
            attached: false,
            condition: self.condition(),
        }
    }
}

impl Link {
    /// What the next process needs to go on where this one is. Costs a copy of all settings; ask
    /// [`Link::revision`] first whether anything changed.
    pub fn snapshot(&self) -> Snapshot {
        // Between two transports it is the connection that may live on at a keeper that counts.
        if let (Some(left), false) = (&self.left, matches!(self.wire, Wire::Open { .. })) {
            return left.clone();
        }
        Snapshot {
            version: VERSION,
            epoch: self.epoch.0,
            connection: self.browser.identity.clone(),
            browser: self.browser.ledger.keep(),
            targets: self.targets.iter().map(KeptTarget::of).collect(),
            moved: false,
        }
    }

    /// Counts the changes to what a snapshot holds. A title, an address or a frame that changed is
    /// not counted: a link that resumes asks for those anew.
    pub fn revision(&self) -> u64 {
        self.revision + self.targets.revision()
    }

    /// Becomes the link that made the snapshot, `silent` ago at most. To be called before
    /// [`Link::open`]; later it is ignored.
    ///
    /// Where the connection turns out to be the same one (a keeper held it), nothing is set again: ids
    /// stay valid, and the epoch stays. Everywhere else this is a loss like any other.
    pub fn resume(&mut self, now: Instant, snapshot: Snapshot, silent: Duration) {
        if self.state != State::Idle || self.recovery.is_some() || snapshot.epoch == 0 {
            return;
        }
        self.epoch = Epoch(snapshot.epoch);
        self.browser.identity = snapshot.connection.clone();
        self.browser.ledger = Ledger::from_kept(snapshot.browser.clone());
        for kept in &snapshot.targets {
            let target = self.targets.insert(kept.info());
            target.wanted = kept.wanted;
            target.announced = kept.announced;
            target.present = false;
            target.ledger = Ledger::from_kept(kept.ledger.clone());
            target.held = kept.held.clone();
            target.documents = kept
                .documents
                .iter()
                .map(|(frame, loader)| (Str::from(frame.as_str()), Str::from(loader.as_str())))
                .collect();
        }
        let earliest = now.checked_sub(silent).unwrap_or(now);
        let cause = if snapshot.moved {
            Cause::BrowserReplaced
        } else {
            Cause::OwnerEnded
        };
        let mut recovery = Recovery::new(self.epoch, earliest, now, cause.clone());
        recovery.moved = snapshot.moved;
        self.note_known(&mut recovery);
        self.declare_fragile(&mut recovery);
        self.recovery = Some(recovery);
        self.last_loss = Some(cause);
        self.left = Some(snapshot);
        // What cannot be answered over a new connection is answerable again over the old one.
        self.targets.disconnected();
    }
}
