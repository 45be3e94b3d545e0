//! A loss of the link as the buffers know it.

use std::time::{Instant, SystemTime};

use keeptab_browser::{Gap, State as LinkState, TargetId};
use keeptab_buffers::{Restored, TargetAfter, Wall};

/// Why the connection is lost, if this state says so.
pub(super) fn loss(state: &LinkState) -> Option<String> {
    match state {
        LinkState::Reconnecting { cause, .. } => Some(format!("connection lost ({cause})")),
        LinkState::Disconnected { cause } => Some(format!("disconnected ({cause})")),
        _ => None,
    }
}

/// A moment of the monotonic clock by the clock on the wall.
pub(super) fn wall(moment: Instant) -> Wall {
    let ago = tokio::time::Instant::now()
        .into_std()
        .saturating_duration_since(moment);
    let now = SystemTime::now();
    Wall::from(now.checked_sub(ago).unwrap_or(now))
}

/// How a gap ended.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    at: Wall,
    from: Option<Wall>,
    epoch: u32,
    same_browser: bool,
    unknown: Vec<String>,
    /// Tabs that had not answered yet: what they replay comes later.
    pub(super) late: Vec<TargetId>,
    /// Tabs that were not asked for their messages.
    mute: Vec<TargetId>,
}

impl Ending {
    /// From the link's record. `None` when the link gave up.
    pub(super) fn of(gap: &Gap) -> Option<Self> {
        let mute = gap
            .not_restored
            .iter()
            .filter(|failed| matches!(&*failed.method, "Runtime.enable" | "Log.enable"))
            .filter_map(|failed| failed.target.clone());
        Some(Ending {
            at: wall(gap.ended),
            from: Some(wall(gap.lost_earliest)),
            epoch: gap.to?.0,
            same_browser: gap.same_browser(),
            unknown: gap
                .unknown
                .iter()
                .map(|unknown| unknown.method.to_string())
                .collect(),
            late: gap.unanswered.clone(),
            mute: mute.collect(),
        })
    }

    /// Of a gap between two daemons, or two browsers.
    pub(super) fn taken_over(epoch: u32, same_browser: bool, late: Vec<TargetId>) -> Self {
        Ending {
            at: Wall::from(SystemTime::now()),
            from: None,
            epoch,
            same_browser,
            unknown: Vec::new(),
            late,
            mute: Vec::new(),
        }
    }

    /// For the buffers: with the tabs there are now, and the document that each of them shows.
    pub(super) fn restored(&self, tabs: Vec<(TargetId, Option<String>)>) -> Restored {
        let targets = tabs
            .into_iter()
            .map(|(id, loader_id)| TargetAfter {
                replayed: !self.late.contains(&id) && !self.mute.contains(&id),
                target: id.to_string(),
                loader_id,
            })
            .collect();
        Restored {
            at: self.at,
            from: self.from,
            epoch: self.epoch,
            same_browser: self.same_browser,
            targets,
            unknown: self.unknown.clone(),
        }
    }
}
