//! Losses on purpose, seen through the library: how long until they are noticed, and until everything works again.

use super::install::Kit;
use super::plan::Plan;
use crate::stage::Stage;
use crate::steps::{Failed, target};
use serde::Deserialize;
use std::process::Command;

/// What `keeptab-losses` writes; all times in milliseconds.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Losses {
    /// From the reset to the change of state, to the new connection, and to an answer from each of five tabs with seven
    /// settings each.
    pub(super) reset: Vec<Reset>,
    /// The same reconnect and settings by hand, over the floor: the browser's own part.
    pub(super) by_hand_ms: Vec<f64>,
    /// From the black hole to the change of state, with the default timings.
    pub(super) hole_default_ms: Option<f64>,
    /// The same with the fast timings.
    pub(super) hole_fast_ms: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct Reset {
    pub(super) noticed_ms: f64,
    pub(super) connected_ms: f64,
    pub(super) usable_ms: f64,
}

pub(super) fn measure(plan: &Plan, kit: &Kit) -> Result<Losses, Failed> {
    let stage = Stage::start(&kit.stage)?;
    let mut command = Command::new(target().join("release").join("keeptab-losses"));
    command
        .arg(stage.said("direct")?)
        .arg(if plan.quick { "4" } else { "40" });
    let output = command
        .output()
        .map_err(|error| Failed::new(format!("keeptab-losses: {error}")))?;
    if !output.status.success() {
        return Err(Failed::new(format!(
            "keeptab-losses: {}",
            String::from_utf8_lossy(&output.stderr)
        )));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failed::new(format!("keeptab-losses: {error}")))
}
