//! The ways of losing something, each by its own name: the connection, a tab, the browser, the session.

use keeptab_browser::{Cause, State, TargetInfo};
use keeptab_keeper::{Found, Life};
use keeptab_link::Condition;

use super::entry::{Held, Session};
use super::status::say;
use super::tabs::short;
use crate::error::{ApiError, Code};
use crate::handover::Place;

impl Session {
    /// Why commands cannot reach the browser in this state, now or by themselves later; `None` while they
    /// can or will.
    pub(super) fn loss(&self, held: &Held, state: &State) -> Option<ApiError> {
        let (code, what) = match state {
            State::Disconnected { cause } => self.named(held, cause),
            State::Closed => (Code::Disconnected, "it is closed".to_owned()),
            State::WaitingForHuman { .. } => {
                return Some(
                    ApiError::new(
                        Code::NeedsPerson,
                        format!("session \"{}\": {}", self.name(), say(state)),
                    )
                    .hint("click Allow in the browser, then repeat"),
                );
            }
            _ => return None,
        };
        Some(ApiError::new(
            code,
            format!("session \"{}\": {what}", self.name()),
        ))
    }

    fn named(&self, held: &Held, cause: &Cause) -> (Code, String) {
        let keeper = matches!(held.place, Place::Keeper(_));
        match cause {
            Cause::ProcessExited { status } => (
                Code::BrowserGone,
                format!("its browser has ended ({status}), and its pages with it"),
            ),
            Cause::BrowserClosed => (
                Code::BrowserGone,
                "its browser was closed by a command of this session".to_owned(),
            ),
            Cause::BrowserReplaced => (
                Code::BrowserReplaced,
                format!(
                    "another browser answers at {}, and none of the session's tabs is in it",
                    super::connect::describe(&held.place)
                ),
            ),
            Cause::Gone(_) if keeper => self.what_the_keeper_left(),
            Cause::Gone(reason) => (
                Code::SessionEnded,
                format!("the endpoint has ended it: {reason}"),
            ),
            Cause::Refused { status, reason } if keeper => (
                Code::SessionRefused,
                format!("its keeper refuses us ({status}): {reason}"),
            ),
            Cause::Refused { status, reason } => {
                let code = if is_about_time(*status, reason) {
                    Code::SessionExpired
                } else {
                    Code::SessionRefused
                };
                let verb = match code {
                    Code::SessionExpired => "its time at the endpoint is over",
                    _ => "the endpoint refuses us",
                };
                // A refusal that no code came with, such as an answer that is not HTTP.
                let with = match status {
                    0 => String::new(),
                    status => format!(" (code {status})"),
                };
                let what = format!("{verb}{with} {reason}");
                (code, what.trim_end().to_owned())
            }
            Cause::NotAllowed => (
                Code::NeedsPerson,
                "nobody allowed the connection in the browser".to_owned(),
            ),
            other => (
                Code::Disconnected,
                say(&State::Disconnected {
                    cause: other.clone(),
                }),
            ),
        }
    }

    /// Whether keeper or browser died first, by the state file.
    pub(super) fn what_the_keeper_left(&self) -> (Code, String) {
        let found = self.daemon().ok().and_then(|daemon| {
            let name = format!("{}.keeper", self.keeper_name());
            Found::read(&daemon.paths().keepers().join(name)).ok()
        });
        match found.map(|found| (found.life, found.state.pid)) {
            Some((Life::Dead, pid)) => (
                Code::KeeperDied,
                format!("its keeper died (process {pid}), and its browser with it"),
            ),
            Some((Life::BrowserExited(how), _)) => (
                Code::BrowserGone,
                format!("its browser has ended ({how}), and its pages with it"),
            ),
            _ => (
                Code::BrowserGone,
                "its keeper was told to end, and its browser has ended with it".to_owned(),
            ),
        }
    }
}

/// Whether a refusal means that a lease is over. Services say so in words, and with codes of their own.
fn is_about_time(status: u16, reason: &str) -> bool {
    let reason = reason.to_lowercase();
    // 408 and its like in the private range of WebSocket close codes.
    matches!(status, 408 | 440 | 4408)
        || ["expired", "timed out", "timeout", "time limit"]
            .iter()
            .any(|words| reason.contains(words))
}

/// A tab for people: its address, or its id while it has none.
pub(super) fn place(tab: &TargetInfo) -> String {
    // Chromium says none of a page that a new connection finds hung.
    if tab.url.is_empty() {
        return format!("tab {}", short(tab.id.as_str()));
    }
    tab.url.to_string()
}

/// Why a tab cannot answer; `None` when nothing wrong with it is known.
pub(super) fn of_tab(tab: &TargetInfo) -> Option<ApiError> {
    let place = place(tab);
    match &tab.condition {
        Condition::Crashed(end) => Some(ApiError::new(
            Code::TabCrashed,
            format!("the page of the active tab has crashed: {place} ({end})"),
        )),
        Condition::Hung { .. } => Some(ApiError::new(
            Code::TabHung,
            format!("the page of the active tab does not answer: {place}"),
        )),
        Condition::Dialog(dialog) => {
            let error = ApiError::new(
                Code::DialogOpen,
                format!(
                    "a JavaScript {} blocks {place}: {:?}",
                    dialog.kind, dialog.message
                ),
            );
            Some(if dialog.answerable {
                error
            } else {
                error
                    .hint("keeptab dialog; when it cannot be answered any more: keeptab tab reload")
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hung_page_without_an_address_is_named_by_its_tab() {
        let mut tab = TargetInfo {
            id: "4F2A00000000".into(),
            kind: "page".into(),
            url: "".into(),
            title: "".into(),
            opener: None,
            parent: None,
            browser_context: None,
            attached: true,
            condition: Condition::Hung {
                since: std::time::Instant::now(),
            },
        };
        let said = |tab: &TargetInfo| of_tab(tab).unwrap().message;
        assert!(
            said(&tab).ends_with("answer: tab 4F2A0000"),
            "{}",
            said(&tab)
        );
        tab.url = "http://a/".into();
        assert!(said(&tab).ends_with("answer: http://a/"), "{}", said(&tab));
    }

    #[test]
    fn a_lease_that_is_over_is_told_from_a_refusal() {
        assert!(is_about_time(1008, "Session expired"));
        assert!(is_about_time(4408, ""));
        assert!(is_about_time(4000, "the browser Timed Out"));
        assert!(!is_about_time(1008, "policy"));
        assert!(!is_about_time(401, ""));
    }
}
