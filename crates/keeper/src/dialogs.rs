//! The dialogs that are open. A browser tells of each of them once, and never again: an owner that
//! missed it would take the page for hung. So they are remembered for the next one.

use crate::wire::{HEAD, last_session};

/// Dialogs that are remembered; the oldest is forgotten first.
const MAX_DIALOGS: usize = 32;
/// Longest event that is remembered, in bytes.
pub(crate) const MAX_EVENT: usize = 16 * 1024;

/// How the events about dialogs begin, as far as the head of a message goes.
const ABOUT: &[u8; HEAD] = b"{\"method\":\"Page.javascriptDialog";
const OPENING: &[u8] = b"Opening\"";
const CLOSED: &[u8] = b"Closed\"";

/// Whether a message with this head tells of a dialog.
pub(crate) fn is_about(head: &[u8]) -> bool {
    head == ABOUT
}

/// What is open, in the order in which it opened.
#[derive(Debug, Default)]
pub(crate) struct Dialogs(Vec<Open>);

#[derive(Debug)]
struct Open {
    session: Box<[u8]>,
    event: Box<[u8]>,
}

impl Dialogs {
    /// Learns from an event of which [`is_about`] is true.
    pub(crate) fn heard(&mut self, event: &[u8]) {
        let (Some(what), Some(session)) = (event.get(ABOUT.len()..), last_session(event)) else {
            return;
        };
        if !what.starts_with(OPENING) && !what.starts_with(CLOSED) {
            return;
        }
        self.0.retain(|open| *open.session != *session);
        if what.starts_with(OPENING) {
            if self.0.len() == MAX_DIALOGS {
                self.0.remove(0);
            }
            self.0.push(Open {
                session: session.into(),
                event: event.into(),
            });
        }
    }

    /// The events as a JSON array.
    pub(crate) fn to_json(&self) -> String {
        let events: Vec<_> = self
            .0
            .iter()
            .map(|open| String::from_utf8_lossy(&open.event))
            .collect();
        format!("[{}]", events.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(session: &str, message: &str) -> Vec<u8> {
        format!(
            "{{\"method\":\"Page.javascriptDialogOpening\",\"params\":{{\"message\":\"{message}\"}},\"sessionId\":\"{session}\"}}"
        )
        .into_bytes()
    }

    fn closed(session: &str) -> Vec<u8> {
        format!(
            "{{\"method\":\"Page.javascriptDialogClosed\",\"params\":{{\"result\":true}},\"sessionId\":\"{session}\"}}"
        )
        .into_bytes()
    }

    fn open(dialogs: &Dialogs) -> Vec<String> {
        let list: Vec<serde_json::Value> =
            serde_json::from_str(&dialogs.to_json()).expect("a JSON array");
        list.iter()
            .map(|event| event["params"]["message"].to_string())
            .collect()
    }

    #[test]
    fn a_dialog_is_known_from_its_opening_to_its_end() {
        assert!(is_about(&opening("A", "x")[..HEAD]));
        assert!(!is_about(
            &br#"{"method":"Page.javascriptOther","params":{}}"#[..HEAD]
        ));
        let mut dialogs = Dialogs::default();
        assert_eq!(dialogs.to_json(), "[]");
        dialogs.heard(&opening("A1", "one"));
        dialogs.heard(&opening("B2", "two"));
        assert_eq!(open(&dialogs), ["\"one\"", "\"two\""]);
        dialogs.heard(&closed("A1"));
        assert_eq!(open(&dialogs), ["\"two\""]);
        dialogs.heard(&opening("B2", "three"));
        assert_eq!(open(&dialogs), ["\"three\""]);
    }

    #[test]
    fn a_page_cannot_name_another_session() {
        let mut dialogs = Dialogs::default();
        dialogs.heard(&opening("A1", "one"));
        dialogs.heard(&opening("B2", "\\\"},\\\"sessionId\\\":\\\"A1\\\"}"));
        assert_eq!(open(&dialogs).len(), 2);
        // Without a session it is about nothing.
        dialogs.heard(br#"{"method":"Page.javascriptDialogOpening","params":{}}"#);
        assert_eq!(open(&dialogs).len(), 2);
    }

    #[test]
    fn memory_is_bounded() {
        let mut dialogs = Dialogs::default();
        for session in 0..3 * MAX_DIALOGS {
            dialogs.heard(&opening(&session.to_string(), "x"));
        }
        assert_eq!(open(&dialogs).len(), MAX_DIALOGS);
    }
}
