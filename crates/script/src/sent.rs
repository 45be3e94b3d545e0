//! What an eval has sent that may have changed something: told when its sandbox is lost, and its result with it.

use std::collections::VecDeque;

use keeptab_protocol::Class;

use crate::outcome::ErrorKind;

/// Commands that are named; of earlier ones the number is enough.
const NAMED: usize = 5;

/// The commands of one eval that are not reads, oldest first: all that wait for an answer, and the last that had one.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    effects: VecDeque<Effect>,
    /// Those that are not kept any more.
    earlier: usize,
}

#[derive(Debug)]
struct Effect {
    call: u32,
    method: String,
    answered: bool,
}

impl Sent {
    /// A command is on its way.
    pub(crate) fn begin(&mut self, call: u32, method: &str) {
        if matches!(Class::of(method), Class::R | Class::R1) {
            return;
        }
        self.effects.push_back(Effect {
            call,
            method: method.to_owned(),
            answered: false,
        });
    }

    /// A command was answered, or failed like this.
    pub(crate) fn settle(&mut self, call: u32, failed: Option<ErrorKind>) {
        let waits = |effect: &Effect| effect.call == call && !effect.answered;
        let Some(at) = self.effects.iter().position(waits) else {
            return;
        };
        if failed.is_some_and(never_left) {
            self.effects.remove(at);
        } else {
            self.effects[at].answered = true;
        }
        while self.effects.len() > NAMED
            && let Some(oldest) = self.effects.iter().position(|effect| effect.answered)
        {
            self.effects.remove(oldest);
            self.earlier += 1;
        }
    }

    /// The last of them by name; `None` when nothing was sent that may have changed something.
    pub(crate) fn named(&self) -> Option<String> {
        let unnamed = self.effects.len().saturating_sub(NAMED);
        let name = |effect: &Effect| match effect.answered {
            true => effect.method.clone(),
            false => format!("{} (not answered)", effect.method),
        };
        let names: Vec<String> = self.effects.iter().skip(unnamed).map(name).collect();
        match (self.earlier + unnamed, names.is_empty()) {
            (0, true) => None,
            (0, false) => Some(names.join(", ")),
            (more, _) => Some(format!("{more} commands, then {}", names.join(", "))),
        }
    }
}

/// Whether a command that failed like this has not reached the browser.
fn never_left(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotSent
            | ErrorKind::NotConnected
            | ErrorKind::Invalid
            | ErrorKind::Refused
            | ErrorKind::StaleHandle
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_what_never_left_are_not_told() {
        let mut sent = Sent::default();
        sent.begin(1, "Page.getFrameTree");
        sent.begin(2, "Page.reload");
        sent.settle(1, None);
        sent.settle(2, Some(ErrorKind::NotSent));
        assert_eq!(sent.named(), None);
        sent.begin(3, "Page.reload");
        sent.settle(3, Some(ErrorKind::OutcomeUnknown));
        assert_eq!(sent.named().as_deref(), Some("Page.reload"));
    }

    #[test]
    fn what_waits_is_kept_and_of_many_the_last_are_named() {
        let mut sent = Sent::default();
        sent.begin(1, "Runtime.evaluate");
        for call in 2..100 {
            sent.begin(call, "Page.reload");
            sent.settle(call, None);
        }
        assert_eq!(sent.effects.len(), NAMED);
        assert_eq!(
            sent.named().as_deref(),
            Some(
                "94 commands, then Runtime.evaluate (not answered), Page.reload, Page.reload, Page.reload, Page.reload"
            )
        );
        for call in 100..110 {
            sent.begin(call, "Page.navigate");
        }
        let named = sent.named().unwrap();
        assert_eq!(named.matches("Page.navigate (not answered)").count(), NAMED);
        assert!(named.starts_with("104 commands, then "), "{named}");
    }
}
