//! A loss of the link as the buffers know it.

use std::time::{Instant, SystemTime};

use keeptab_browser::{Gap, State as LinkState, TargetId};
use keeptab_buffers::{Restored, TargetAfter, Wall};

use super::observer::Observer;

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

impl Observer {
    /// What this gap has lost the outcome of is named when its entry is closed.
    pub(super) fn doubt(&self, gap: &Gap) {
        let mut state = self.state();
        if state.buffers.in_gap() {
            let methods = gap.unknown.iter().map(|unknown| unknown.method.to_string());
            state.in_doubt.extend(methods);
            let born = gap.without_init_scripts.iter();
            let born = born.map(|document| document.url.to_string());
            state.plain_documents.extend(born);
        }
    }
}

/// How a gap ended.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    at: Wall,
    from: Option<Wall>,
    epoch: u32,
    same_browser: bool,
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
            late,
            mute: Vec::new(),
        }
    }

    /// For the buffers: with the tabs there are now and the document that each of them shows, the
    /// methods of the commands that are in doubt, and the addresses of documents without their init scripts.
    pub(super) fn restored(
        &self,
        tabs: Vec<(TargetId, Option<String>)>,
        unknown: Vec<String>,
        without_init_scripts: Vec<String>,
    ) -> Restored {
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
            unknown,
            without_init_scripts,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use keeptab_browser::{Cause, Epoch, TargetId};
    use keeptab_link::{Identity, UnknownOutcome};

    use super::super::archive::Archive;
    use super::super::hub::Hub;
    use super::super::observer::State;
    use super::*;
    use keeptab_buffers::Taken;

    fn gap(methods: &[&'static str]) -> Gap {
        let now = Instant::now();
        let unknown = methods.iter().map(|method| UnknownOutcome {
            token: None,
            method: (*method).into(),
            target: Some(TargetId::from("T1")),
        });
        Gap {
            from: Epoch(1),
            to: Some(Epoch(1)),
            lost_earliest: now,
            lost_latest: now,
            ended: now,
            losses: 1,
            cause: Cause::OwnerEnded,
            identity: Identity::KnownTarget,
            zombie: false,
            streams: Vec::new(),
            unknown: unknown.collect(),
            repeated: 0,
            gone: Vec::new(),
            new: Vec::new(),
            without_init_scripts: Vec::new(),
            not_restored: Vec::new(),
            unanswered: Vec::new(),
            handover: None,
        }
    }

    #[test]
    fn what_is_in_doubt_waits_for_the_end_of_its_gap() {
        let archive = Arc::new(Archive::new(Path::new("never touched")));
        let observer = Observer::new("shop", archive, Arc::new(Hub::default()));
        observer.doubt(&gap(&["Page.close"]));
        assert!(observer.state().in_doubt.is_empty(), "there is no entry");
        observer.state().lose("the daemon was restarted", 0, None);
        observer.doubt(&gap(&["Page.navigate"]));
        // Lost again before its entry was closed: still the same gap.
        observer.doubt(&gap(&["Runtime.evaluate"]));
        assert_eq!(
            observer.state().in_doubt,
            ["Page.navigate", "Runtime.evaluate"]
        );
    }

    #[test]
    fn a_loss_before_the_gap_of_the_last_was_closed_lets_the_browser_replay_again() {
        let archive = Arc::new(Archive::new(Path::new("never touched")));
        let observer = Observer::new("shop", archive, Arc::new(Hub::default()));
        let mut state = observer.state();
        let said =
            r#"{"entry":{"source":"network","level":"error","text":"404","timestamp":1000.5}}"#;
        let take = |state: &mut State| {
            let taken = state
                .buffers
                .event("T1", "Log.entryAdded", said, SystemTime::now());
            taken.expect("an entry")
        };
        assert!(matches!(take(&mut state), Taken::Added(..)));
        for losses in 1..4 {
            // It says so again at every attempt.
            state.link_is_down("reset", 1, None);
            state.link_is_down("reset", 1, None);
            assert_eq!(state.losses, losses);
            assert!(state.is_down() && state.buffers.in_gap());
            assert_eq!(take(&mut state), Taken::Duplicate);
            state.link_is_up();
            // As when the replay is in, and before the tabs have said which documents they show.
            state.buffers.replay_ended("T1");
        }
    }

    #[test]
    fn a_connection_that_is_lost_in_its_replay_may_replay_the_same_again() {
        let archive = Arc::new(Archive::new(Path::new("never touched")));
        let observer = Observer::new("shop", archive, Arc::new(Hub::default()));
        let mut state = observer.state();
        let take = |state: &mut State, epoch, time| {
            state.hears(epoch);
            let said = format!(
                r#"{{"entry":{{"source":"network","level":"error","text":"404","timestamp":{time}}}}}"#
            );
            let event = "Log.entryAdded";
            let taken = state.buffers.event("T1", event, &said, SystemTime::now());
            taken.expect("an entry")
        };
        assert!(matches!(take(&mut state, 1, 1), Taken::Added(..)));
        state.link_is_down("reset", 1, None);
        for (epoch, last) in [(2, 2), (3, 2), (4, 3)] {
            assert_eq!(take(&mut state, epoch, 1), Taken::Duplicate);
            let second = take(&mut state, epoch, 2);
            assert_eq!(second == Taken::Duplicate, epoch > 2);
            if last > 2 {
                assert!(matches!(take(&mut state, epoch, 3), Taken::Added(..)));
            }
        }
        let tally = state.buffers.restored(&Restored {
            at: Wall::from(SystemTime::now()),
            from: None,
            epoch: 4,
            same_browser: true,
            targets: Vec::new(),
            unknown: Vec::new(),
            without_init_scripts: Vec::new(),
        });
        let (console, _) = tally.expect("a gap");
        assert!(
            format!("{console:?}").contains("recovered: 2"),
            "{console:?}"
        );
    }
}
