//! The execution contexts of a target. The browser tells of those that are there to whom switches
//! `Runtime` on, once per session; over a link a session has several callers, and each is told.
use keeptab_protocol::Raw;
use serde::Deserialize;

use crate::link::Link;
use crate::table::Cmd;
use crate::{Str, TargetId};

/// Contexts that are remembered for one target; of more, the oldest are not told again.
const KEPT: usize = 1000;

const ENABLE: &str = "Runtime.enable";
const CREATED: &str = "Runtime.executionContextCreated";

/// Those that are there, as the browser told of them.
#[derive(Debug, Default)]
pub(crate) struct Contexts(Vec<(i64, Raw)>);

#[derive(Deserialize)]
struct Created {
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    id: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Destroyed {
    execution_context_id: i64,
}

impl Contexts {
    /// Learns from an event; others than those about contexts are ignored.
    pub(crate) fn learn(&mut self, method: &str, params: &Raw) {
        match method {
            CREATED => {
                let Ok(Created { context }) = params.parse() else {
                    return;
                };
                self.remove(context.id);
                if self.0.len() >= KEPT {
                    self.0.remove(0);
                }
                self.0.push((context.id, params.clone()));
            }
            "Runtime.executionContextDestroyed" => {
                if let Ok(destroyed) = params.parse::<Destroyed>() {
                    self.remove(destroyed.execution_context_id);
                }
            }
            "Runtime.executionContextsCleared" => self.clear(),
            _ => {}
        }
    }

    fn remove(&mut self, id: i64) {
        self.0.retain(|(other, _)| *other != id);
    }

    /// Nothing is known of them any more.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Link {
    /// A call that sets something has succeeded, and the ledger does not know it yet.
    pub(crate) fn about_contexts(&mut self, cmd: &Cmd, id: &TargetId) {
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        match &*cmd.method {
            // The one who needs it all the time does not look at contexts.
            ENABLE if !cmd.standing && target.ledger.get(ENABLE).is_some() => {
                self.tell_contexts(id);
            }
            // From here on nobody says which of them end.
            "Runtime.disable" => target.contexts.clear(),
            _ => {}
        }
    }

    /// Tells of the contexts of a target on which `Runtime` was on already, and the browser silent.
    fn tell_contexts(&mut self, id: &TargetId) {
        let there = self.targets.get(id).map(|target| &target.contexts.0);
        let there: Vec<Raw> = there
            .into_iter()
            .flatten()
            .map(|(_, params)| params.clone())
            .collect();
        for params in there {
            self.tell_event(Str::from_static(CREATED), params, Some(id.clone()));
        }
    }
}
