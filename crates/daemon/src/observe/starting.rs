//! Targets in which recording is being switched on: whoever wants to be behind it waits until they have answered.
//!
//! Being sent first is not enough. A navigation may begin in the browser before the page's process has heard of the
//! recording, and then the new page's first requests are not seen.

use std::time::SystemTime;

use keeptab_browser::TargetId;
use keeptab_buffers::{Stream, Unheard, Wall};

use super::observer::{Observer, State};

/// One that has not answered. Dropped, it is not waited for any more.
pub(super) struct Starting<'a> {
    observer: &'a Observer,
    id: &'a TargetId,
    since: Wall,
}

impl<'a> Starting<'a> {
    /// In the same moment in which it is counted among those that are recorded.
    pub(super) fn begin(observer: &'a Observer, state: &mut State, id: &'a TargetId) -> Self {
        state.starting.insert(id.clone(), false);
        Starting {
            observer,
            id,
            since: Wall::from(SystemTime::now()),
        }
    }

    /// It has answered. What began meanwhile, because somebody did not wait, is said in line.
    pub(super) fn answered(self, epoch: u32) {
        let mut state = self.observer.state();
        let went_on = state.starting.get(self.id) == Some(&true);
        if let Some(tab) = state.recorded_as(self.id).filter(|_| went_on) {
            let unheard = Unheard {
                from: self.since,
                until: Wall::from(SystemTime::now()),
                epoch,
                cause: "the tab did not answer when it was to be listened to".to_owned(),
                url: String::new(),
                why: "what began in between".to_owned(),
            };
            self.observer
                .say_unheard(&mut state, Stream::Network, &tab, &unheard);
        }
    }
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        self.observer.state().starting.remove(self.id);
        self.observer.started.send_replace(());
    }
}

impl Observer {
    /// Waits for one that somebody else is switching on. Returns whether it is recorded.
    pub(super) async fn is_started(&self, id: &TargetId) -> bool {
        let mut changes = self.started.subscribe();
        let answered = changes.wait_for(|()| !self.state().starting.contains_key(id));
        // The sender is ours, so it cannot be gone.
        drop(answered.await);
        self.state().watched.contains_key(id)
    }

    /// Somebody goes on who wanted to be behind the recording.
    pub(super) fn goes_on_without(&self, id: &TargetId) {
        if let Some(went_on) = self.state().starting.get_mut(id) {
            *went_on = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use keeptab_buffers::Filter;

    use super::super::archive::Archive;
    use super::super::hub::Hub;
    use super::*;

    fn lines(observer: &Observer) -> usize {
        let count =
            |b: &keeptab_buffers::Buffers| b.select(Stream::Network, &Filter::default()).len();
        observer.read(count)
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_second_waits_for_the_answer_and_who_does_not_wait_is_a_line() {
        let archive = Arc::new(Archive::new(Path::new("never touched")));
        let observer = Observer::new("shop", archive, Arc::new(Hub::default()));
        let id = TargetId::from("T");
        let now = Wall::from(SystemTime::now());
        observer.state().watched.insert(id.clone(), now);

        let starting = Starting::begin(&observer, &mut observer.state(), &id);
        let second = tokio::time::timeout(Duration::from_secs(1), observer.is_started(&id));
        assert!(second.await.is_err(), "it has not answered");
        starting.answered(1);
        assert!(observer.is_started(&id).await);
        assert_eq!(lines(&observer), 0);

        let starting = Starting::begin(&observer, &mut observer.state(), &id);
        observer.goes_on_without(&id);
        starting.answered(1);
        assert_eq!(lines(&observer), 1);

        // The task that switched it on was ended.
        let starting = Starting::begin(&observer, &mut observer.state(), &id);
        drop(starting);
        assert!(observer.is_started(&id).await);
    }
}
