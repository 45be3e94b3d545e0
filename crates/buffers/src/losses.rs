//! Losing the connection and getting it back: the gap's entries, and what the
//! browser's replay makes of it.

use std::collections::BTreeSet;
use std::time::SystemTime;

use crate::buffers::{Buffers, Stream};
use crate::console::Tally;
use crate::entry::{Entry, Outcome, What};
use crate::gap::{Gap, Loss, Restored, Unheard, Verdict};
use crate::ring::Ring;
use crate::wall::Wall;

/// A gap that is not over.
pub(crate) struct OpenGap {
    pub(crate) gap: Gap,
    /// Its entry among the console's.
    pub(crate) console: u64,
    /// Its entry among the network's.
    pub(crate) network: u64,
    /// The targets there were before it.
    pub(crate) before: BTreeSet<String>,
}

impl Buffers {
    /// The connection was lost. Both streams show it at once, as an entry; what
    /// comes from now on may be a replay. A second loss before
    /// [`restored`](Buffers::restored) belongs to the same gap.
    pub fn lost(&mut self, loss: Loss) {
        let names = || self.targets.keys().map(|name| name.to_string());
        if let Some(mut open) = self.open.take() {
            open.before = names().chain(open.before).collect();
            open.gap.again(&loss);
            let gaps = [open.gap.clone(), open.gap.clone()];
            self.write_gaps(&mut open, gaps);
            self.open = Some(open);
        } else {
            let before = names().collect();
            let gap = Gap::opened(&loss);
            let what = || What::Gap(Box::new(gap.clone()));
            let console = self.console.push(None, loss.noticed, what(), |_| {});
            let index = &mut self.index;
            let network = self
                .network
                .push(None, loss.noticed, what(), |e| index.evicted(e));
            self.open = Some(OpenGap {
                gap,
                console,
                network,
                before,
            });
        }
        for state in self.targets.values_mut() {
            state.seen.begin_replay();
            state.tally = Tally::default();
        }
        self.doubt_pending();
    }

    /// Whether the connection was lost and is not back.
    pub fn in_gap(&self) -> bool {
        self.open.is_some()
    }

    /// How requests under way ended can no longer be relied on to come.
    fn doubt_pending(&mut self) {
        let is_pending = |entry: &&Entry| match &entry.what {
            What::Network(network) => network.outcome == Outcome::Pending,
            _ => false,
        };
        let pending: Vec<u64> = self
            .network
            .iter()
            .filter(is_pending)
            .map(|e| e.number)
            .collect();
        let index = &mut self.index;
        for number in pending {
            let doubt = |what: &mut What| {
                if let What::Network(network) = what {
                    network.outcome = Outcome::Unknown;
                }
            };
            self.network
                .update(number, doubt, |entry| index.evicted(entry));
        }
    }

    /// The browser may replay the messages of this target from now on. Only
    /// needed where `Runtime.enable` or `Log.enable` is sent again without a
    /// loss; a loss implies it.
    pub fn replay_begins(&mut self, target: &str) {
        let name = self.name_of(target);
        self.targets.entry(name).or_default().seen.begin_replay();
    }

    /// What comes now comes over another connection than what came before it: one
    /// that was lost in the middle of its replay may have brought a part of what
    /// this one replays. Does nothing outside of a gap.
    pub fn replays_anew(&mut self) {
        if self.open.is_none() {
            return;
        }
        for state in self.targets.values_mut() {
            let tally = state.seen.end_replay();
            state.tally.recovered += tally.recovered;
            state.tally.full |= tally.full;
            state.seen.begin_replay();
        }
    }

    /// `Runtime.enable` and `Log.enable` were answered: what this target says
    /// from now on is new. Optional after a loss, and then makes the number of
    /// recovered messages exact.
    pub fn replay_ended(&mut self, target: &str) {
        if let Some(state) = self.targets.get_mut(target) {
            let tally = state.seen.end_replay();
            state.tally.recovered += tally.recovered;
            state.tally.full |= tally.full;
        }
    }

    /// The connection is back and the replay is over. The gap's entries say
    /// from now on what became of it; returns what they say, for the console
    /// and for the network. None when there was no gap.
    pub fn restored(&mut self, restored: &Restored) -> Option<(Verdict, Verdict)> {
        let mut open = self.open.take()?;
        let console = self.console_verdict(restored, &open.before);
        let network = Verdict::Unknown {
            why: "the browser does not replay requests".into(),
        };
        let [mut for_console, mut for_network] = [open.gap.clone(), open.gap.clone()];
        for_console.close(restored, console.clone(), &open.before);
        for_network.close(restored, network.clone(), &open.before);
        self.write_gaps(&mut open, [for_console, for_network]);
        for after in &restored.targets {
            if let Some(loader) = &after.loader_id {
                self.document(&after.target, loader);
            }
        }
        Some((console, network))
    }

    fn console_verdict(&mut self, restored: &Restored, before: &BTreeSet<String>) -> Verdict {
        let mut recovered = 0;
        let mut doubts: Vec<String> = Vec::new();
        for (name, state) in &mut self.targets {
            let last = state.seen.end_replay();
            let tally = std::mem::take(&mut state.tally);
            recovered += tally.recovered + last.recovered;
            let Some(after) = restored
                .targets
                .iter()
                .find(|after| *after.target == **name)
            else {
                doubts.push("a target is gone".into());
                continue;
            };
            if tally.full || last.full {
                doubts.push("the browser keeps only the latest 1,000 messages of a page".into());
            }
            if !after.replayed {
                doubts.push("a target was not asked for its messages".into());
            } else if !before.contains(&after.target) {
                doubts.push("a target is new".into());
            } else {
                match (&state.loader_id, &after.loader_id) {
                    (Some(was), Some(is)) if was == is => {}
                    (Some(_), Some(_)) => doubts.push("a page navigated".into()),
                    _ => doubts.push("a page may have navigated".into()),
                }
            }
        }
        if restored
            .targets
            .iter()
            .any(|after| !self.targets.contains_key(&*after.target))
        {
            doubts.push("a target is new".into());
        }
        if !restored.same_browser {
            return Verdict::Unknown {
                why: "it is another browser".into(),
            };
        }
        doubts.sort_unstable();
        doubts.dedup();
        if doubts.is_empty() {
            Verdict::Complete { recovered }
        } else {
            Verdict::Partial {
                recovered,
                why: doubts.join("; "),
            }
        }
    }

    /// Rewrites the two entries of a gap; one that was dropped or cleared in
    /// the meantime is made anew, so that every reader meets it.
    fn write_gaps(&mut self, open: &mut OpenGap, [console, network]: [Gap; 2]) {
        let index = &mut self.index;
        let at = open.gap.noticed;
        let mut write = |ring: &mut Ring, number: &mut u64, gap: Gap| {
            let what = What::Gap(Box::new(gap));
            if ring.get(*number).is_some() {
                ring.update(*number, |old| *old = what, |entry| index.evicted(entry));
            } else {
                *number = ring.push(None, at, what, |entry| index.evicted(entry));
            }
        };
        write(&mut self.console, &mut open.console, console);
        write(&mut self.network, &mut open.network, network);
    }

    /// One tab could not be listened to for a while: a stream shows it, among
    /// the entries of that tab. Returns the number of the entry.
    pub fn unheard(&mut self, stream: Stream, target: &str, unheard: &Unheard) -> u64 {
        let name = self.name_of(target);
        let what = What::Gap(Box::new(Gap::unheard(unheard)));
        match stream {
            Stream::Console => self.console.push(Some(name), unheard.until, what, |_| {}),
            Stream::Network => {
                let index = &mut self.index;
                self.network
                    .push(Some(name), unheard.until, what, |e| index.evicted(e))
            }
        }
    }

    /// Events were thrown away before they got here, because they came faster
    /// than they were read. Both streams show it; where nothing else came in
    /// between, the entry that says so grows.
    pub fn missed(&mut self, events: u64, epoch: u32, wall: SystemTime) {
        let at = Wall::from(wall);
        let index = &mut self.index;
        let mut show = |ring: &mut Ring| {
            let last = ring.iter().next_back().map(|entry| entry.number);
            let grew = last.and_then(|number| {
                let grow = |what: &mut What| match what {
                    What::Gap(gap) => gap.overflow_again(at, epoch, events),
                    _ => false,
                };
                ring.update(number, grow, |entry| index.evicted(entry))
            });
            if grew != Some(true) {
                let gap = Gap::overflow(at, epoch, events);
                ring.push(None, at, What::Gap(Box::new(gap)), |entry| {
                    index.evicted(entry);
                });
            }
        };
        show(&mut self.console);
        show(&mut self.network);
    }
}
