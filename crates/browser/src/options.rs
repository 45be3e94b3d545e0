//! What a caller may choose.
use std::sync::Arc;
use std::time::Duration;

use keeptab_link::{Config, Snapshot};
use keeptab_protocol::Class;

use crate::keeping::Keeper;

/// How a session keeps its link.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// Timings, limits and policies of the link; see [`Config`].
    pub link: Config,
    /// How long opening the session may take altogether, a person's click included. `None`: as long
    /// as one dial, or [`Config::human_patience`] where a person is asked.
    pub connect_timeout: Option<Duration>,
    /// What the process before left of this session, see [`Options::with_resume`].
    pub resume: Option<Resume>,
    /// Who keeps snapshots, see [`Options::with_keeping`].
    pub keeping: Option<Keeper>,
    /// The fencing number at a keeper, see [`Options::with_owner_epoch`].
    pub owner_epoch: Option<u64>,
    /// Whose connection it is, see [`Options::with_name`].
    pub name: Option<Arc<str>>,
}

/// What the process before left of a session.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Resume {
    /// Its last snapshot.
    pub snapshot: Snapshot,
    /// How long ago it was in charge for certain; events may be missing since then.
    pub silent: Duration,
}

impl Options {
    /// The default timings: a silent connection is probed after 5 s and given up after 10 s.
    pub fn new() -> Self {
        Self::default()
    }

    /// Quick timings: probed after 1 s, given up after 3 s.
    pub fn fast() -> Self {
        Self {
            link: Config::fast(),
            ..Self::default()
        }
    }

    /// Sets [`Options::link`].
    #[must_use]
    pub fn with_link(mut self, config: Config) -> Self {
        self.link = config;
        self
    }

    /// Goes on with a session of which a process before left this [`crate::Session::snapshot`]. Where
    /// the connection has lived on at a keeper, nothing is set again, ids stay valid and open dialogs
    /// can be answered; elsewhere what was set is set again as after any loss.
    #[must_use]
    pub fn with_resume(mut self, snapshot: Snapshot, silent: Duration) -> Self {
        self.resume = Some(Resume { snapshot, silent });
        self
    }

    /// Tells this keeper when there is a new snapshot to keep, see [`crate::keeping`].
    #[must_use]
    pub fn with_keeping(mut self, keeper: Keeper) -> Self {
        self.keeping = Some(keeper);
        self
    }

    /// The number by which a keeper process knows who owns its browser now: it refuses owners with a
    /// lower one. `None`: milliseconds since 1970.
    #[must_use]
    pub fn with_owner_epoch(mut self, epoch: u64) -> Self {
        self.owner_epoch = Some(epoch);
        self
    }

    /// A name for the lines that the session writes to the log: a program may have several.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets [`Options::connect_timeout`].
    #[must_use]
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }
}

/// What one call may choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallOptions {
    /// Deadline of the call, waiting for a connection included. `None`: 30 s, or what
    /// [`Config::default_timeout`] says.
    pub timeout: Option<Duration>,
    /// What repeating this call would do, where the caller knows better than the table of methods:
    /// an expression known to be a read may be [`Class::R`], and is then repeated after a loss.
    pub class: Option<Class>,
    /// For `X.enable`: nobody else's `X.disable` takes the events of the domain away; it is switched
    /// on again right behind that.
    pub standing: bool,
}

impl CallOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// A deadline of its own.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// A class of its own.
    #[must_use]
    pub fn class(mut self, class: Class) -> Self {
        self.class = Some(class);
        self
    }

    /// Sets [`CallOptions::standing`].
    #[must_use]
    pub fn standing(mut self) -> Self {
        self.standing = true;
        self
    }
}
