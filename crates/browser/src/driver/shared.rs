//! What handles and the driver share.
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use keeptab_link::{Config, Epoch, Gap, Link, Output, Settlement, State, Submit, Token};
use tokio::sync::{oneshot, watch};

use crate::events::{EventFilter, Events, Notice, Offer, Subscriber};
use crate::keeping::Keeper;

/// The end of a call.
pub(crate) struct Settled {
    pub(crate) settlement: Settlement,
    pub(crate) epoch: Epoch,
}

/// The link and everyone who waits for it.
pub(crate) struct Shared {
    core: Mutex<Core>,
    state: watch::Sender<State>,
    /// Whose link it is, for the log.
    name: Option<Arc<str>>,
}

/// What the lock guards. Nothing in here waits.
pub(crate) struct Core {
    pub(crate) link: Link,
    calls: HashMap<Token, oneshot::Sender<Settled>, BuildHasherDefault<TokenHasher>>,
    next_token: u64,
    subscribers: Vec<Subscriber>,
    /// The newest record of a gap, for those who begin to listen behind it.
    last_gap: Option<Arc<Gap>>,
    /// Notices that readers of events lost by being slow.
    dropped: u64,
    driver: Option<Waker>,
    /// The last handle is gone.
    pub(crate) abandoned: bool,
    /// The driver has ended; nothing settles any more.
    over: bool,
    /// Who keeps snapshots, and up to which change it was told.
    keeper: Option<Keeper>,
    told: u64,
    /// The next settlement is of a call whose effect is to be kept first.
    keep_next: bool,
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        keeper: Option<Keeper>,
        name: Option<Arc<str>>,
        now: Instant,
    ) -> Self {
        let core = Core {
            link: Link::new(config, now),
            calls: HashMap::default(),
            next_token: 0,
            subscribers: Vec::new(),
            last_gap: None,
            dropped: 0,
            driver: None,
            abandoned: false,
            over: false,
            keeper,
            told: 0,
            keep_next: false,
        };
        Self {
            core: Mutex::new(core),
            state: watch::Sender::new(State::Idle),
            name,
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic inside the link would leave it as it was between two inputs; settling what still
        // can be settled is better than panicking everywhere.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the link and lets the driver carry out what follows from it.
    pub(crate) fn input<T>(&self, input: impl FnOnce(&mut Link, Instant) -> T) -> T {
        let mut core = self.lock();
        let result = input(&mut core.link, now());
        core.wake_driver();
        result
    }

    pub(crate) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Tells everyone what the link has to tell; what is for the driver itself comes back.
    pub(super) fn tell(&self, core: &mut Core, output: Output) -> Option<Output> {
        match output {
            Output::Settle {
                token,
                settlement,
                epoch,
            } => {
                let keep = std::mem::take(&mut core.keep_next);
                if let Some(caller) = core.calls.remove(&token) {
                    let settled = Settled { settlement, epoch };
                    match &core.keeper {
                        Some(keeper) if keep => keeper.settled(caller, settled),
                        // A caller that went away needs no answer.
                        _ => drop(caller.send(settled)),
                    }
                }
            }
            Output::Event(event) => core.offer(|subscriber| subscriber.offer(&event)),
            Output::State(change) => {
                match &self.name {
                    Some(name) => tracing::info!(target: "keeptab", "session \"{name}\": {change}"),
                    None => tracing::info!(target: "keeptab", "{change}"),
                }
                self.state.send_replace(change.state.clone());
                let change = Arc::new(change);
                core.offer(|subscriber| subscriber.tell(Notice::State(change.clone())));
            }
            Output::Gap(gap) => {
                let gap = Arc::new(*gap);
                core.last_gap = Some(gap.clone());
                core.offer(|subscriber| subscriber.tell(Notice::Gap(gap.clone())));
            }
            Output::Target(change) => {
                let change = Arc::new(change);
                core.offer(|subscriber| subscriber.tell(Notice::Target(change.clone())));
            }
            Output::Keep => core.keep_next = true,
            other => return Some(other),
        }
        None
    }

    /// After this nothing is told any more: who still waits is let go.
    pub(super) fn end(&self) {
        let mut core = self.lock();
        core.over = true;
        core.calls.clear();
        core.subscribers.clear();
        core.driver = None;
    }
}

impl Core {
    /// Hands a command to the link. `None` when the session is over.
    pub(crate) fn submit(
        &mut self,
        command: impl FnOnce(Token) -> Submit,
    ) -> Option<(Token, oneshot::Receiver<Settled>)> {
        if self.over {
            return None;
        }
        self.next_token += 1;
        let token = Token(self.next_token);
        let (caller, settled) = oneshot::channel();
        self.calls.insert(token, caller);
        self.link.submit(now(), command(token));
        self.wake_driver();
        Some((token, settled))
    }

    /// The caller of a command went away.
    pub(crate) fn cancel(&mut self, token: Token) {
        if self.calls.remove(&token).is_some() {
            self.link.cancel(token);
            self.wake_driver();
        }
    }

    pub(crate) fn subscribe(&mut self, filter: EventFilter, capacity: usize) -> Events {
        let (subscriber, events) = Subscriber::new(filter, capacity);
        if !self.over {
            self.subscribers.push(subscriber);
        }
        events
    }

    /// Tells whoever keeps snapshots, if there is anything new.
    pub(super) fn tell_keeper(&mut self) {
        if let Some(keeper) = &self.keeper {
            let revision = self.link.revision();
            if std::mem::replace(&mut self.told, revision) != revision {
                keeper.changed();
            }
        }
    }

    /// The newest record of a gap.
    pub(crate) fn last_gap(&self) -> Option<Arc<Gap>> {
        self.last_gap.clone()
    }

    /// Notices that readers lost by being slow.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn wake_driver(&self) {
        if let Some(driver) = &self.driver {
            driver.wake_by_ref();
        }
    }

    pub(super) fn set_driver(&mut self, waker: &Waker) {
        match &mut self.driver {
            Some(driver) => driver.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    fn offer(&mut self, mut offer: impl FnMut(&Subscriber) -> Offer) {
        let dropped = &mut self.dropped;
        self.subscribers
            .retain(|subscriber| match offer(subscriber) {
                Offer::Taken => true,
                Offer::Dropped => {
                    *dropped += 1;
                    true
                }
                Offer::Gone => false,
            });
    }
}

/// Tokens are counted by us, so nobody can choose them to collide. Spreads a counter over all bits.
#[derive(Default)]
struct TokenHasher(u64);

impl Hasher for TokenHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// The present, by the clock of tokio, which tests can stop.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
