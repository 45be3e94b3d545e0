//! Times in which a tab was not listened to although there was a connection, as lines of their own.

use std::time::SystemTime;

use keeptab_browser::{Gap, TargetId};
use keeptab_buffers::{Stream, Unheard, Wall};
use keeptab_link::{Lapse, NotRestored};

use super::gaps::wall;
use super::observer::{Observer, State};

/// A snippet took all of a target away from us.
const DETACHED: &str = "Target.detachFromTarget";

/// What a call that switches something on is needed for.
fn needed_for(method: &str) -> &'static [Stream] {
    match method {
        "Network.enable" => &[Stream::Network],
        "Runtime.enable" | "Log.enable" => &[Stream::Console],
        "Target.setAutoAttach" | DETACHED => &Stream::ALL,
        _ => &[],
    }
}

/// What is switched on by a call, for people.
fn named(method: &str) -> &str {
    match method {
        "Target.setAutoAttach" => "listening to frames of other sites and to workers",
        method => method.strip_suffix(".enable").unwrap_or(method),
    }
}

impl Observer {
    /// A snippet switched off what the recording needs.
    pub(super) fn say_lapse(&self, state: &mut State, lapse: &Lapse, epoch: u32) {
        let what = named(&lapse.method);
        let part = state.children.kind(&lapse.target).is_some();
        let (cause, why) = match &lapse.refused {
            None => (
                format!("a snippet switched {what} off, and keeptab on again"),
                "what began in between",
            ),
            Some(_) if &*lapse.method == DETACHED && part => (
                "a snippet detached from a frame or worker".to_owned(),
                "everything of it from then on",
            ),
            Some(_) if &*lapse.method == DETACHED => (
                "a snippet detached from the tab".to_owned(),
                "everything until it is used again",
            ),
            Some(reason) => (
                format!(
                    "a snippet switched {what} off, and it cannot be switched on again ({reason})"
                ),
                "everything from then on",
            ),
        };
        self.say_of(
            state,
            &lapse.target,
            &lapse.method,
            wall(lapse.since),
            epoch,
            &cause,
            why,
        );
        if &*lapse.method == DETACHED {
            // Whoever uses it next has it listened to again.
            state.watched.remove(&lapse.target);
        }
    }

    /// What could not be switched on again after a loss stays off behind the gap.
    pub(super) fn say_not_restored(&self, lost: &[NotRestored], epoch: u32) {
        let mut state = self.state();
        for NotRestored {
            target,
            method,
            reason,
        } in lost
        {
            let Some(target) = target else { continue };
            let cause = format!(
                "{} could not be switched on again ({reason})",
                named(method)
            );
            let now = Wall::from(SystemTime::now());
            let why = "everything from then on";
            self.say_of(&mut state, target, method, now, epoch, &cause, why);
        }
    }

    /// Behind a gap, what has not answered yet is not heard. A keeper's connection was heard all the time.
    pub(super) fn note_unanswered(&self, gap: &Gap) {
        if gap.handover.is_none() {
            let mut state = self.state();
            for target in &gap.unanswered {
                if state.watched.contains_key(target) {
                    state.away.insert(target.clone(), wall(gap.ended));
                }
            }
        }
    }

    /// The browser had let go of a part of a tab, or of a tab, or it did not answer, and is heard again.
    pub(super) fn say_return(&self, state: &mut State, target: &TargetId, epoch: u32) {
        if let Some(from) = state.away.remove(target) {
            let cause = "the tab or a part of it could not be listened to";
            let why = "what began in between";
            self.say_of(state, target, "Network.enable", from, epoch, cause, why);
        }
    }

    /// Up to now.
    #[allow(
        clippy::too_many_arguments,
        reason = "two of them are words for people"
    )]
    fn say_of(
        &self,
        state: &mut State,
        target: &TargetId,
        method: &str,
        from: Wall,
        epoch: u32,
        cause: &str,
        why: &str,
    ) {
        let Some(tab) = state.recorded_as(target) else {
            return;
        };
        let unheard = Unheard {
            from,
            until: Wall::from(SystemTime::now()),
            epoch,
            cause: cause.to_owned(),
            url: String::new(),
            why: why.to_owned(),
        };
        for stream in needed_for(method) {
            self.say_unheard(state, *stream, &tab, &unheard);
        }
    }

    /// Says in line what a stream has not heard of a tab.
    pub(super) fn say_unheard(
        &self,
        state: &mut State,
        stream: Stream,
        tab: &TargetId,
        unheard: &Unheard,
    ) {
        let recorded = match stream {
            Stream::Console => state.recording.console,
            Stream::Network => state.recording.network,
        };
        if !recorded || state.over {
            return;
        }
        let number = state.buffers.unheard(stream, tab.as_str(), unheard);
        if let Some(entry) = state.buffers.get(stream, number) {
            self.tell_entry(stream, entry, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use keeptab_buffers::{Filter, Shape, line};

    use super::super::archive::Archive;
    use super::*;

    /// One that records a tab.
    fn observer(recording: &str) -> Arc<Observer> {
        // Nothing is written there.
        let archive = Arc::new(Archive::new(std::path::Path::new("nowhere")));
        let observer = Observer::new("s", archive, Arc::default());
        observer.set_recording(recording.parse().unwrap());
        let tab = TargetId::from("T");
        observer.state().watched.insert(tab, Wall::default());
        observer
    }

    fn lapse(target: &str, method: &'static str, refused: Option<&str>) -> Lapse {
        Lapse {
            target: TargetId::from(target),
            method: method.into(),
            since: Instant::now(),
            refused: refused.map(str::to_owned),
        }
    }

    fn lines(observer: &Observer, stream: Stream) -> Vec<String> {
        observer.read(|buffers| {
            let all = buffers.select(stream, &Filter::default());
            all.into_iter()
                .map(|entry| line(entry, Shape::default()))
                .collect()
        })
    }

    #[test]
    fn a_domain_that_was_off_for_a_moment_is_a_line_of_its_stream() {
        let observer = observer("console,network");
        let told = lapse("T", "Network.enable", None);
        observer.say_lapse(&mut observer.state(), &told, 1);
        let said = lines(&observer, Stream::Network);
        assert!(
            said.len() == 1
                && said[0].contains("-- GAP [")
                && said[0].contains("a snippet switched Network off, and keeptab on again"),
            "{said:?}"
        );
        assert_eq!(lines(&observer, Stream::Console).len(), 0);
    }

    #[test]
    fn a_domain_that_stays_off_is_a_line_of_its_stream() {
        for (method, stream) in [
            ("Network.enable", Stream::Network),
            ("Runtime.enable", Stream::Console),
        ] {
            let observer = observer("console,network");
            let told = lapse("T", method, Some("no"));
            observer.say_lapse(&mut observer.state(), &told, 1);
            let said = lines(&observer, stream);
            assert!(
                said.len() == 1 && said[0].contains("cannot be switched on again (no)"),
                "{method}: {said:?}"
            );
            let lost = NotRestored {
                target: Some(TargetId::from("T")),
                method: method.into(),
                reason: "no more".into(),
            };
            observer.say_not_restored(&[lost], 2);
            let said = lines(&observer, stream);
            assert!(
                said.len() == 2 && said[1].contains("could not be switched on again (no more)"),
                "{method}: {said:?}"
            );
        }
    }

    #[test]
    fn what_is_not_recorded_has_no_lines() {
        let observer = observer("console");
        for told in [
            lapse("T", "Network.enable", None),
            lapse("elsewhere", "Runtime.enable", Some("no")),
            lapse("T", "DOM.enable", Some("no")),
        ] {
            observer.say_lapse(&mut observer.state(), &told, 1);
        }
        for stream in Stream::ALL {
            assert_eq!(lines(&observer, stream).len(), 0);
        }
    }

    #[test]
    fn a_tab_that_was_let_go_of_is_a_line_when_it_is_back() {
        let observer = observer("console,network");
        let tab = TargetId::from("T");
        let mut state = observer.state();
        observer.say_return(&mut state, &tab, 1);
        state
            .away
            .insert(tab.clone(), Wall::from(SystemTime::now()));
        observer.say_return(&mut state, &tab, 1);
        observer.say_return(&mut state, &tab, 1);
        drop(state);
        let said = lines(&observer, Stream::Network);
        assert!(
            said.len() == 1 && said[0].contains("could not be listened to"),
            "{said:?}"
        );
    }
}
