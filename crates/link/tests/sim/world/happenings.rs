//! What happens to link and browser, when, and how often.

use std::time::Duration;

use keeptab_link::TargetId;
use keeptab_testkit::{ConnectionId, DialogKind};
use serde_json::json;

use super::{SECOND, World};

const LOSS_EVERY: Duration = Duration::from_secs(600);
const CRASH_EVERY: Duration = Duration::from_secs(3600);
const COMMAND_EVERY: Duration = Duration::from_secs(20);
/// Tabs that are opened; popups make twice as many at most.
pub(super) const TABS: usize = 5;

/// Something that will happen.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Command,
    Loss,
    Crash,
    Mischief,
    /// The dial under way ends.
    Dialed,
    /// A silent hole ends before anybody gave up on it.
    HoleEnds,
    Reap(ConnectionId),
    AnswerDialog(String),
    Unhang(String),
    NetworkBack,
}

impl World {
    /// What goes on for the whole run begins.
    pub(super) fn begin(&mut self) {
        self.later(COMMAND_EVERY, Happening::Command);
        self.by_chance(LOSS_EVERY, Happening::Loss);
        self.by_chance(CRASH_EVERY, Happening::Crash);
        self.by_chance(LOSS_EVERY, Happening::Mischief);
    }

    pub(super) fn happens(&mut self, happening: Happening) {
        if !matches!(happening, Happening::Command) {
            self.tell(|| format!("happens  {happening:?}"));
        }
        match happening {
            Happening::Command => {
                self.user_acts();
                self.by_chance(COMMAND_EVERY, Happening::Command);
            }
            Happening::Loss => {
                self.lose();
                self.by_chance(LOSS_EVERY, Happening::Loss);
            }
            Happening::Crash => {
                if let Some(tab) = self.some_tab() {
                    self.browser.crash_tab(&tab);
                }
                self.by_chance(CRASH_EVERY, Happening::Crash);
            }
            Happening::Mischief => {
                self.mischief();
                self.by_chance(LOSS_EVERY, Happening::Mischief);
            }
            Happening::Dialed => self.dialed(),
            Happening::HoleEnds => {
                if let Some(wire) = &mut self.wire {
                    wire.hole = false;
                }
            }
            Happening::Reap(connection) => self.browser.disconnect(connection),
            Happening::AnswerDialog(tab) => {
                let accept = json!({"accept": true});
                let target = Some(TargetId::from(tab));
                let command = self.command("Page.handleJavaScriptDialog", accept, target);
                self.link.submit(self.now, command);
            }
            Happening::Unhang(tab) => self.browser.hang_tab(&tab, false),
            Happening::NetworkBack => self.network_down = false,
        }
        self.carry_to_link();
    }

    fn mischief(&mut self) {
        let Some(tab) = self.some_tab() else { return };
        match self.chance.below(6) {
            0 => {
                self.browser
                    .open_dialog(&tab, DialogKind::Alert, "look here");
                let lasts = self.chance.between(SECOND, SECOND * 20);
                self.later(lasts, Happening::AnswerDialog(tab));
            }
            1 => {
                self.browser.hang_tab(&tab, true);
                let lasts = self.chance.between(SECOND, SECOND * 60);
                self.later(lasts, Happening::Unhang(tab));
            }
            2 if self.browser.tabs().len() > 2 => {
                self.browser.close_tab(&tab);
                self.promises.forget(&TargetId::from(tab));
            }
            3 if self.browser.tabs().len() < TABS * 2 => {
                self.browser.open_tab("about:blank#popup", Some(tab));
            }
            4 => {
                // The machine sleeps: the clock on the wall goes on, ours does not.
                self.wall += Duration::from_secs(7200);
                self.link.wall_clock(self.now, self.wall);
            }
            _ => self.link.reconnect(self.now),
        }
    }

    pub(super) fn some_tab(&mut self) -> Option<String> {
        let tabs = self.browser.tabs();
        self.chance.pick(&tabs).cloned()
    }
}
