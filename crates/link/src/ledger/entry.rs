//! One entry of a ledger: a call that is in force, and what follows from it.
use keeptab_protocol::Raw;
use serde_json::Value;

use super::rules::{self, Phase};
use crate::{Str, Stream};

/// Something that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) method: Str,
    /// As the caller gave them.
    pub(crate) params: Raw,
    /// Submission order of the call, by which the last one wins.
    pub(super) seq: u64,
    /// Place among the others when they are set again.
    pub(super) order: u64,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Set,
    Fragile,
    /// `shown` is the id that the caller knows, `real` the one of the present connection.
    Added {
        field: &'static str,
        shown: String,
        real: String,
    },
}

impl Entry {
    /// Where it comes when everything is set again.
    pub(super) fn place(&self) -> (Phase, bool, u64) {
        (
            rules::phase(&self.method),
            !self.method.ends_with(".enable"),
            self.order,
        )
    }

    /// Whether it can only be set when what hands out an id has been.
    pub(super) fn needs_id(&self) -> bool {
        !matches!(self.kind, Kind::Added { .. })
            && rules::id_field(&self.method).is_some_and(|field| self.id_in_params(field).is_some())
    }

    pub(super) fn id_in_params(&self, field: &str) -> Option<String> {
        Some(
            self.params
                .parse::<Value>()
                .ok()?
                .get(field)?
                .as_str()?
                .to_owned(),
        )
    }

    /// The stream of events that it switches on.
    pub(super) fn stream(&self) -> Option<Stream> {
        Some(match &*self.method {
            "Runtime.enable" | "Log.enable" | "Console.enable" => Stream::Console,
            "Network.enable" => Stream::Network,
            "Fetch.enable" => Stream::Interception,
            "Page.enable" | "Page.setLifecycleEventsEnabled" => Stream::Page,
            "Page.startScreencast" => Stream::Screencast,
            "Target.setDiscoverTargets" | "Target.setAutoAttach" => Stream::Targets,
            "Browser.setDownloadBehavior" => Stream::Downloads,
            // These send no events of their own.
            "Inspector.enable" | "WebAuthn.enable" | "Security.enable" => return None,
            method if method.ends_with(".enable") => Stream::Other,
            _ => return None,
        })
    }
}
