//! What a session is, what it owns, and what the next daemon needs of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keeptab_protocol::browser::GetVersion;
use keeptab_script::Repl;
use tokio::sync::Mutex as Turn;

use super::succession::Succession;
use crate::api::Policies;
use crate::error::{ApiError, Code};
use crate::handover::{ActiveTab, LaunchedAs, Place, Record};
use crate::observe::Observer;
use crate::registry::Daemon;

/// A named hold on a browser.
pub(crate) struct Session {
    name: String,
    /// Itself, for tasks that must not keep it alive.
    me: Weak<Session>,
    daemon: Weak<Daemon>,
    created: SystemTime,
    /// Held by whoever changes which browser this is about; one at a time.
    pub(super) turn: Arc<Turn<()>>,
    inner: Mutex<Inner>,
    pub(super) repl: OnceLock<Repl>,
    pub(super) succession: Succession,
    /// What its tabs say and ask for.
    pub(super) observer: Arc<Observer>,
}

/// What changes about a session. Locked for moments only.
#[derive(Default)]
pub(super) struct Inner {
    pub(super) hold: Hold,
    pub(super) active: Option<ActiveTab>,
    /// Target ids of tabs that belong to this session alone.
    pub(super) claimed: BTreeSet<String>,
    pub(super) policies: Policies,
    pub(super) launched_as: LaunchedAs,
    /// The name under which the keeper of its browser was started, when it is not the session's.
    pub(super) keeper: Option<String>,
    /// Tabs that ended with a browser, and those that were opened in their place.
    pub(super) replaced: BTreeMap<String, String>,
    /// What was done by a policy, the newest last.
    pub(super) done: VecDeque<Done>,
}

impl Inner {
    /// Without its browser it has no tabs.
    pub(super) fn forget_tabs(&mut self) {
        self.active = None;
        self.claimed.clear();
    }
}

/// Something that a policy did.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) at: SystemTime,
    pub(super) text: String,
}

/// The browser of a session.
#[derive(Default)]
pub(super) enum Hold {
    /// None yet; snippets run, but reach no page.
    #[default]
    Nothing,
    /// This one.
    Held(Held),
    /// The one at this place, which could not be taken over from the daemon before.
    Missing(Missing),
}

/// A browser that is held.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) browser: keeptab_browser::Session,
    pub(super) place: Place,
    /// The profile, if the browser was launched by us and so ends with the session.
    pub(super) profile: Option<PathBuf>,
    /// Product and version, once it was asked.
    pub(super) product: Arc<OnceLock<String>>,
}

impl Held {
    pub(super) fn new(
        browser: keeptab_browser::Session,
        place: Place,
        profile: Option<PathBuf>,
    ) -> Self {
        Held {
            browser,
            place,
            profile,
            product: Arc::default(),
        }
    }

    /// Asks the browser which one it is, for `status`. It does not matter if it does not say.
    pub(super) async fn learn_product(&self) {
        if self.product.get().is_none()
            && let Ok(version) = self.browser.call(&GetVersion::default()).await
        {
            let _ = self.product.set(version.product.to_string());
        }
    }
}

/// A browser that ought to be held.
#[derive(Clone)]
pub(super) struct Missing {
    pub(super) place: Place,
    pub(super) profile: Option<PathBuf>,
    pub(super) why: ApiError,
}

impl Session {
    pub(crate) fn new(name: &str, daemon: &Arc<Daemon>) -> Arc<Self> {
        Arc::new_cyclic(|me| Session {
            name: name.to_owned(),
            me: me.clone(),
            daemon: Arc::downgrade(daemon),
            created: SystemTime::now(),
            turn: Arc::default(),
            inner: Mutex::default(),
            repl: OnceLock::new(),
            succession: Succession::default(),
            observer: Observer::new(name, Arc::clone(daemon.archive()), Arc::clone(daemon.hub())),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Itself, for tasks that must not keep it alive.
    pub(super) fn weak(&self) -> Weak<Session> {
        self.me.clone()
    }

    /// The daemon, which outlives all requests.
    ///
    /// # Errors
    /// It is ending right now.
    pub(super) fn daemon(&self) -> Result<Arc<Daemon>, ApiError> {
        self.daemon
            .upgrade()
            .ok_or_else(|| ApiError::new(Code::Stopping, "the daemon is ending"))
    }

    /// Looks at what changes about it, or changes it. The guard never gets out, so no expression can hold
    /// it while it asks for it again; `f` itself must not call methods of this session.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut Inner) -> R) -> R {
        f(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The id of the active tab.
    pub(super) fn active_id(&self) -> Option<String> {
        self.with(|inner| inner.active.as_ref().map(|tab| tab.id.clone()))
    }

    /// Has no browser from now on; the one it had is for the caller to end.
    pub(super) fn take_hold(&self) -> Hold {
        self.with(|inner| std::mem::take(&mut inner.hold))
    }

    pub(super) fn age(&self) -> Duration {
        self.created.elapsed().unwrap_or_default()
    }

    /// The browser, whatever its state.
    ///
    /// # Errors
    /// There is none, or the one there was could not be taken over.
    pub(super) fn held(&self) -> Result<Held, ApiError> {
        self.with(|inner| match &inner.hold {
            Hold::Held(held) => Ok(held.clone()),
            Hold::Missing(missing) => Err(missing.why.clone()),
            Hold::Nothing => Err(ApiError::new(
                Code::NoSuchSession,
                format!("session \"{}\" has no browser", self.name),
            )
            .hint("keeptab open URL, or to one that is running: keeptab attach")),
        })
    }

    /// Whether a tab belongs to this session.
    pub(crate) fn owns(&self, target: &str) -> bool {
        self.with(|inner| inner.claimed.contains(target))
    }

    /// Whether the browser was launched by us for this session.
    pub(crate) fn is_launched(&self) -> bool {
        self.with(|inner| match &inner.hold {
            Hold::Held(held) => held.profile.is_some(),
            Hold::Missing(missing) => missing.profile.is_some(),
            Hold::Nothing => false,
        })
    }

    /// Whether the browser of the daemon before could not be taken over.
    pub(super) fn is_missing(&self) -> bool {
        self.with(|inner| matches!(inner.hold, Hold::Missing(_)))
    }

    /// The socket of the keeper of its browser.
    pub(crate) fn keeper_socket(&self) -> Option<PathBuf> {
        let place = self.with(|inner| match &inner.hold {
            Hold::Held(held) => Some(held.place.clone()),
            Hold::Missing(missing) => Some(missing.place.clone()),
            Hold::Nothing => None,
        })?;
        match place {
            Place::Keeper(socket) => Some(socket),
            _ => None,
        }
    }

    /// Whether it has neither a browser nor a scope.
    pub(crate) fn is_unused(&self) -> bool {
        // Whoever has the turn may be about to give it a browser.
        let idle = self.turn.try_lock().is_ok();
        idle && self.repl.get().is_none() && self.with(|inner| matches!(inner.hold, Hold::Nothing))
    }

    /// Whether the browser would end with this process.
    pub(crate) fn needs_this_process(&self) -> bool {
        self.with(|inner| {
            matches!(&inner.hold, Hold::Held(Held { place: Place::Pipe, browser, .. })
                if !browser.state().borrow().is_final())
        })
    }

    /// What the next daemon needs; nothing when there is no browser to take over.
    pub(crate) fn record(&self) -> Option<Record> {
        let created = self.created.duration_since(UNIX_EPOCH);
        self.with(|inner| {
            let (place, profile) = match &inner.hold {
                Hold::Nothing => return None,
                Hold::Held(held) => (&held.place, &held.profile),
                Hold::Missing(missing) => (&missing.place, &missing.profile),
            };
            Some(Record {
                name: self.name.clone(),
                created: created.map_or(0, |since| since.as_secs()),
                place: place.clone(),
                profile: profile.clone(),
                active: inner.active.clone(),
                claimed: inner.claimed.iter().cloned().collect(),
                owner: self.succession.owner(),
                recording: self.observer.recording(),
                policies: inner.policies,
                launched_as: inner.launched_as.clone(),
                keeper: inner.keeper.clone(),
                replaced: inner.replaced.clone(),
            })
        })
    }

    /// Writes down what changed, for the next daemon.
    pub(super) fn save(&self) {
        if let Ok(daemon) = self.daemon() {
            daemon.save();
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::paths::Paths;
    use crate::run::Config;
    use crate::version::Build;

    /// With lock guards in hand, one expression that asked twice once stopped the whole daemon.
    #[test]
    fn two_looks_in_one_expression_do_not_wait_for_each_other() {
        let home = tempfile::tempdir().unwrap();
        let daemon = Daemon::new(&Config {
            paths: Paths::below(home.path()),
            build: Build::current("0.0.0", "test"),
            program: "keeptab".into(),
            background: true,
            allowed_uid: None,
        });
        let session = Session::new("twice", &daemon);
        let (done, both) = mpsc::channel();
        std::thread::spawn(move || {
            session.with(|inner| inner.claimed.insert("A".to_owned()));
            let seen = (
                session.with(|inner| inner.claimed.len()),
                session.with(|inner| inner.claimed.len()),
                match session.with(|inner| inner.active.is_none()) {
                    true => session.active_id(),
                    false => None,
                },
            );
            done.send(seen).unwrap();
        });
        let seen = both.recv_timeout(Duration::from_secs(60));
        assert_eq!(seen, Ok((1, 1, None)), "they waited for each other");
    }
}
