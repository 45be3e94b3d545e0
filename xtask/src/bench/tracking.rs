//! What keeping track of commands and settings costs, as a part of a round trip.

use super::install::Kit;
use super::plan::Plan;
use crate::stage::Stage;
use crate::steps::{Failed, target};
use serde::Deserialize;
use std::process::Command;

/// What `keeptab-tracking` writes; in microseconds.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Tracking {
    /// The median of an evaluate on a tab with seven settings.
    pub(super) evaluate_us: f64,
    /// What the link takes of it.
    pub(super) link_us: f64,
}

pub(super) fn measure(plan: &Plan, kit: &Kit) -> Result<Tracking, Failed> {
    let stage = Stage::start(&kit.stage)?;
    let output = Command::new(target().join("release").join("keeptab-tracking"))
        .arg(stage.said("direct")?)
        .arg(if plan.quick { "300" } else { "5000" })
        .output()
        .map_err(|error| Failed::new(format!("keeptab-tracking: {error}")))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(Failed::new(format!("keeptab-tracking: {why}")));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failed::new(format!("keeptab-tracking: {error}")))
}
