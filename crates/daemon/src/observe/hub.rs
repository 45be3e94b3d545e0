//! Programs that follow events, each with a bounded queue of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::error::{ApiError, Code};

/// Programs that may follow at once.
const MAX_FOLLOWERS: usize = 64;
/// Lines that one follower may leave unread.
const MAX_LINES: usize = 4096;
/// Bytes that one follower may leave unread.
const MAX_BYTES: usize = 4 << 20;
/// Lines are handed over in pieces of about so many bytes.
const PIECE: usize = 64 << 10;

/// What a follower hears of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Channels {
    /// The link's state, gaps, sessions that end.
    pub(crate) state: bool,
    /// Tabs that come, go, crash, hang, or ask something.
    pub(crate) tabs: bool,
    pub(crate) console: bool,
    pub(crate) network: bool,
}

impl Channels {
    /// Reads `state,tabs,console,network` or some of them.
    ///
    /// # Errors
    /// Another word is among them.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut channels = Channels::default();
        for word in text.split(',') {
            match word.trim() {
                "state" => channels.state = true,
                "tabs" => channels.tabs = true,
                "console" => channels.console = true,
                "network" => channels.network = true,
                other => {
                    return Err(ApiError::new(
                        Code::Invalid,
                        format!("there is no stream {other:?}"),
                    )
                    .hint("streams=state,tabs,console,network or some of them"));
                }
            }
        }
        Ok(channels)
    }

    fn has(self, wanted: Channels) -> bool {
        (self.state && wanted.state)
            || (self.tabs && wanted.tabs)
            || (self.console && wanted.console)
            || (self.network && wanted.network)
    }
}

/// One channel.
pub(super) const STATE: Channels = Channels {
    state: true,
    tabs: false,
    console: false,
    network: false,
};
/// One channel.
pub(super) const TABS: Channels = Channels {
    state: false,
    tabs: true,
    console: false,
    network: false,
};
/// One channel.
pub(super) const CONSOLE: Channels = Channels {
    state: false,
    tabs: false,
    console: true,
    network: false,
};
/// One channel.
pub(super) const NETWORK: Channels = Channels {
    state: false,
    tabs: false,
    console: false,
    network: true,
};

/// Where events are handed in.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    followers: Mutex<Vec<Arc<Mailbox>>>,
}

#[derive(Debug)]
struct Mailbox {
    channels: Channels,
    session: Option<String>,
    queue: Mutex<Queue>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<Bytes>,
    bytes: usize,
    /// Dropped since the last line that was queued.
    dropped: u64,
}

/// One who follows. Dropping it ends that.
#[derive(Debug)]
pub(crate) struct Follower {
    hub: Arc<Hub>,
    mailbox: Arc<Mailbox>,
}

impl Hub {
    fn followers(&self) -> MutexGuard<'_, Vec<Arc<Mailbox>>> {
        self.followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to follow.
    ///
    /// # Errors
    /// Too many do so already.
    pub(crate) fn follow(
        self: &Arc<Self>,
        channels: Channels,
        session: Option<String>,
    ) -> Result<Follower, ApiError> {
        let mut followers = self.followers();
        if followers.len() >= MAX_FOLLOWERS {
            return Err(ApiError::new(
                Code::Busy,
                format!("{MAX_FOLLOWERS} programs follow events already"),
            ));
        }
        let mailbox = Arc::new(Mailbox {
            channels,
            session,
            queue: Mutex::default(),
            filled: Notify::new(),
        });
        followers.push(Arc::clone(&mailbox));
        Ok(Follower {
            hub: Arc::clone(self),
            mailbox,
        })
    }

    /// Tells an event to those who want to hear of it. It is made only if there is one.
    pub(super) fn tell(&self, channel: Channels, session: &str, event: impl FnOnce() -> Value) {
        let followers = self.followers();
        let mut wanting = followers
            .iter()
            .filter(|mailbox| mailbox.wants(channel, session))
            .peekable();
        if wanting.peek().is_none() {
            return;
        }
        let line = line(&event());
        for mailbox in wanting {
            mailbox.put(line.clone());
        }
    }

    /// How many follow.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.followers().len()
    }
}

fn line(event: &Value) -> Bytes {
    let mut text = event.to_string();
    text.push('\n');
    Bytes::from(text)
}

impl Mailbox {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wants(&self, channel: Channels, session: &str) -> bool {
        self.channels.has(channel) && self.session.as_deref().is_none_or(|only| only == session)
    }

    /// Never waits: what does not fit is counted.
    fn put(&self, line: Bytes) {
        let mut queue = self.queue();
        if queue.lines.len() >= MAX_LINES || queue.bytes + line.len() > MAX_BYTES {
            queue.dropped += 1;
            return;
        }
        if queue.dropped > 0 {
            let dropped = queue.take_dropped();
            queue.push(dropped);
        }
        queue.push(line);
        drop(queue);
        self.filled.notify_one();
    }

    fn take(&self) -> Option<Bytes> {
        let mut queue = self.queue();
        if queue.lines.is_empty() && queue.dropped > 0 {
            return Some(queue.take_dropped());
        }
        if queue.lines.len() == 1 {
            queue.bytes = 0;
            return queue.lines.pop_front();
        }
        let mut piece = BytesMut::new();
        while piece.len() < PIECE
            && let Some(line) = queue.lines.pop_front()
        {
            queue.bytes -= line.len();
            piece.extend_from_slice(&line);
        }
        (!piece.is_empty()).then(|| piece.freeze())
    }
}

impl Queue {
    fn push(&mut self, line: Bytes) {
        self.bytes += line.len();
        self.lines.push_back(line);
    }

    fn take_dropped(&mut self) -> Bytes {
        let count = std::mem::take(&mut self.dropped);
        line(&json!({"event": "dropped", "count": count}))
    }
}

impl Follower {
    /// Puts an event before all that is told from now on.
    pub(crate) fn begin_with(&self, event: &Value) {
        self.mailbox.put(line(event));
    }

    /// The next lines, each with its line end. Cancel safe.
    pub(crate) async fn next(&mut self) -> Bytes {
        loop {
            if let Some(lines) = self.mailbox.take() {
                return lines;
            }
            self.mailbox.filled.notified().await;
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.hub
            .followers()
            .retain(|mailbox| !Arc::ptr_eq(mailbox, &self.mailbox));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> Arc<Hub> {
        Arc::default()
    }

    fn text(lines: &Bytes) -> String {
        String::from_utf8_lossy(lines).into_owned()
    }

    #[tokio::test]
    async fn each_hears_what_it_asked_for() {
        let hub = hub();
        let mut all = hub
            .follow(Channels::parse("state,tabs,console,network").unwrap(), None)
            .unwrap();
        let mut one = hub.follow(STATE, Some("a".into())).unwrap();
        hub.tell(CONSOLE, "a", || json!({"n": 1}));
        hub.tell(STATE, "b", || json!({"n": 2}));
        hub.tell(STATE, "a", || json!({"n": 3}));
        assert_eq!(text(&all.next().await), "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
        assert_eq!(text(&one.next().await), "{\"n\":3}\n");
        drop((all, one));
        assert_eq!(hub.len(), 0);
        hub.tell(STATE, "a", || panic!("nobody wants it"));
    }

    #[tokio::test]
    async fn a_slow_one_loses_lines_is_told_where_and_holds_up_nobody() {
        let hub = hub();
        let mut slow = hub.follow(CONSOLE, None).unwrap();
        for n in 0..MAX_LINES + 10 {
            hub.tell(CONSOLE, "a", || json!({ "n": n }));
        }
        let mut said = text(&slow.next().await);
        hub.tell(CONSOLE, "a", || json!({"n": "after"}));
        while !said.contains("after") {
            said.push_str(&text(&slow.next().await));
        }
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), MAX_LINES + 2);
        assert_eq!(lines[MAX_LINES], r#"{"count":10,"event":"dropped"}"#);
        assert_eq!(lines[MAX_LINES + 1], r#"{"n":"after"}"#);
    }

    #[tokio::test]
    async fn bytes_are_bounded_too() {
        let hub = hub();
        let slow = hub.follow(CONSOLE, None).unwrap();
        for _ in 0..100 {
            hub.tell(CONSOLE, "a", || json!({ "text": "x".repeat(100_000) }));
        }
        let queue = slow.mailbox.queue();
        assert!(
            queue.bytes <= MAX_BYTES && queue.dropped > 50,
            "{}",
            queue.bytes
        );
    }

    #[test]
    fn there_is_an_end_to_those_who_follow() {
        let hub = hub();
        let all: Vec<_> = (0..MAX_FOLLOWERS)
            .map(|_| hub.follow(STATE, None).unwrap())
            .collect();
        assert_eq!(hub.follow(STATE, None).unwrap_err().code, Code::Busy);
        drop(all);
        assert!(hub.follow(STATE, None).is_ok());
        assert!(Channels::parse("state,nonsense").is_err());
    }
}
