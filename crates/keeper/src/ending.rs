//! How it begins and how it ends: the browser's first answer, its end at
//! someone's request, by itself, or because nobody wants it any more.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use crate::keeper::Keeper;
use crate::memory::let_go_of_the_start;
use crate::passing::OWN_ID;
use crate::run::{BROWSER_DIED, FAILED, announce};
use crate::state::with_suffix;
use crate::wire::quoted;

/// How long the browser may take after `Browser.close`.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take after SIGINT.
const INTERRUPT_PATIENCE: Duration = Duration::from_secs(5);
/// How long SIGKILL may take.
const KILL_PATIENCE: Duration = Duration::from_secs(5);
/// How long the last words to an owner who asked for the end may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long a keeper waits for someone to ask why its browser is gone.
const OBITUARY: Duration = Duration::from_secs(60);

/// Where in its life the keeper is.
pub(crate) enum Phase {
    /// The browser has not answered yet; nobody is let in.
    Starting {
        until: Instant,
    },
    Serving,
    /// Someone asked for the end.
    Ending {
        step: Step,
        until: Instant,
    },
    /// The browser is gone.
    Gone {
        asked: bool,
        status: String,
        until: Instant,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Close,
    Interrupt,
    Kill,
}

impl Phase {
    pub(crate) fn until(&self) -> Option<Instant> {
        match self {
            Self::Serving => None,
            Self::Starting { until } | Self::Ending { until, .. } | Self::Gone { until, .. } => {
                Some(*until)
            }
        }
    }
}

impl Keeper {
    pub(crate) fn ask_version(&mut self) {
        self.own_command("Browser.getVersion");
    }

    fn own_command(&mut self, method: &str) {
        self.send_up(format!("{{\"id\":{OWN_ID},\"method\":\"{method}\"}}\0").as_bytes());
    }

    /// The browser answered us. The first answer says that it runs.
    pub(crate) fn on_own_reply(&mut self, reply: &[u8], now: Instant) {
        if !matches!(self.phase, Phase::Starting { .. }) {
            return;
        }
        self.state.version = product(reply).unwrap_or_default();
        if let Err(error) = self.state.write(&self.state_path) {
            let path = self.state_path.display();
            return self.fail_start(&format!("cannot write {path}: {error}"));
        }
        announce(&format!(
            "ready {{\"pid\":{},\"browserPid\":{},\"version\":{}}}",
            self.state.pid,
            self.state.browser_pid,
            quoted(&self.state.version)
        ));
        self.phase = Phase::Serving;
        self.alone_since = Some(now);
        let_go_of_the_start();
    }

    /// Ends the browser: politely, or at once when `kill` or when asked again.
    pub(crate) fn end(&mut self, kill: bool, now: Instant) {
        match &mut self.phase {
            Phase::Gone { asked, until, .. } => {
                *asked = true;
                *until = (*until).min(now + FAREWELL);
            }
            Phase::Ending { .. } if !kill => {}
            _ => self.step(if kill { Step::Kill } else { Step::Close }, now),
        }
    }

    /// SIGTERM, SIGINT or SIGHUP: a second one is meant.
    pub(crate) fn on_signal(&mut self, now: Instant) {
        self.end(matches!(self.phase, Phase::Ending { .. }), now);
    }

    fn step(&mut self, step: Step, now: Instant) {
        let patience = match step {
            Step::Close => {
                self.own_command("Browser.close");
                CLOSE_PATIENCE
            }
            Step::Interrupt => {
                self.browser.interrupt();
                INTERRUPT_PATIENCE
            }
            Step::Kill => {
                self.browser.kill();
                KILL_PATIENCE
            }
        };
        self.phase = Phase::Ending {
            step,
            until: now + patience,
        };
    }

    /// Does what time alone makes due.
    pub(crate) fn on_time(&mut self, now: Instant) {
        if self
            .owner
            .as_mut()
            .and_then(|owner| owner.stall_ends(now))
            .is_some_and(|at| at <= now)
        {
            self.lose_owner(now);
        }
        if self.orphan_ends().is_some_and(|at| at <= now) {
            self.end(false, now);
        }
        let due = self.phase.until().is_some_and(|until| until <= now);
        match &self.phase {
            Phase::Starting { .. } if due => {
                self.browser.kill();
                self.fail_start("the browser did not answer in time");
            }
            Phase::Ending {
                step: Step::Close, ..
            } if due => self.step(Step::Interrupt, now),
            Phase::Ending {
                step: Step::Interrupt,
                ..
            } if due => self.step(Step::Kill, now),
            Phase::Ending {
                step: Step::Kill, ..
            } if due => {
                complain("the browser survives SIGKILL");
                self.done = Some(FAILED);
            }
            Phase::Gone { asked, .. } => {
                let told = self.owner.as_ref().is_none_or(|owner| owner.out.is_empty());
                if due || (*asked && told) {
                    self.finish();
                }
            }
            _ => {}
        }
    }

    /// When a keeper without an owner gives up, if it ever does.
    pub(crate) fn orphan_ends(&self) -> Option<Instant> {
        if !matches!(self.phase, Phase::Serving) {
            return None;
        }
        Some(self.alone_since? + self.orphan_after?)
    }

    /// The browser closed its end of the pipe without having ended: it cannot
    /// be driven any more, and it must not stay behind.
    pub(crate) fn on_pipe_closed(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Serving) {
            self.ended_by_itself = true;
            self.phase = Phase::Ending {
                step: Step::Close,
                until: now + FAREWELL,
            };
        }
    }

    pub(crate) fn look_for_exit(&mut self, now: Instant) {
        let Some(status) = self.browser.exited() else {
            return;
        };
        // What it wrote before its end is still in the pipe.
        while self.read_browser(now) {}
        self.cut_message(now);
        self.browser.listen();
        self.browser.ended = None;
        self.browser.output = None;
        self.up.clear();
        let asked = match self.phase {
            Phase::Starting { .. } => {
                return self.fail_start(&format!("the browser ended at once ({status})"));
            }
            Phase::Ending { .. } => !self.ended_by_itself,
            _ => false,
        };
        let said = quoted(&status);
        if asked {
            self.browser.clear_group();
            self.tell(&format!("{{\"keeper\":\"ended\",\"status\":{said}}}"), now);
        } else {
            // Nothing is left for its children to save, and the owner waits.
            self.browser.kill();
            let file = with_suffix(&self.state_path, ".stderr");
            let _ = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&file)
                .and_then(|mut file| file.write_all(self.browser.last_words()));
            self.state.exited = Some(status.clone());
            if let Err(error) = self.state.write(&self.state_path) {
                complain(&format!(
                    "cannot write {}: {error}",
                    self.state_path.display()
                ));
            }
            let file = quoted(&file.to_string_lossy());
            let line =
                format!("{{\"keeper\":\"browser_exited\",\"status\":{said},\"stderr\":{file}}}");
            self.tell(&line, now);
        }
        let until = Instant::now() + if asked { FAREWELL } else { OBITUARY };
        self.phase = Phase::Gone {
            asked,
            status,
            until,
        };
    }

    /// An owner left. One that knew of the browser's end needs us no more.
    pub(crate) fn on_owner_left(&mut self, knew_all: bool) {
        if knew_all && matches!(self.phase, Phase::Gone { .. }) {
            self.finish();
        }
    }

    /// Nothing is left to be done: tidies up. A browser that died by itself
    /// leaves its state file behind, for whoever looks for it next.
    fn finish(&mut self) {
        let _ = fs::remove_file(&self.state.socket);
        match &self.state.exited {
            None => {
                let _ = fs::remove_file(&self.state_path);
                self.done = Some(0);
            }
            Some(status) => {
                complain(&format!("the browser ended by itself ({status})"));
                self.done = Some(BROWSER_DIED);
            }
        }
    }

    fn fail_start(&mut self, why: &str) {
        self.browser.kill();
        self.browser.listen();
        let words = String::from_utf8_lossy(self.browser.last_words()).into_owned();
        // Before it is said: whoever hears it may start another keeper in the same place.
        let _ = fs::remove_file(&self.state.socket);
        let _ = fs::remove_file(&self.state_path);
        announce(&format!("error {why}\n{words}"));
        self.done = Some(FAILED);
    }
}

fn complain(what: &str) {
    let _ = writeln!(std::io::stderr(), "keeptab keeper: {what}");
}

/// The browser's name and version in its answer to `Browser.getVersion`.
fn product(reply: &[u8]) -> Option<String> {
    let key = b"\"product\":\"";
    let rest = &reply[memchr::memmem::find(reply, key)? + key.len()..];
    let end = memchr::memchr(b'"', rest)?.min(100);
    Some(String::from_utf8_lossy(&rest[..end]).into_owned())
}
