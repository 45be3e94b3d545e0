//! What a caller may choose.
use std::time::Duration;

use keeptab_link::Config;
use keeptab_protocol::Class;

/// How a session keeps its link.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// Timings, limits and policies of the link; see [`Config`].
    pub link: Config,
    /// How long opening the session may take altogether, a person's click included. `None`: as long
    /// as one dial, or [`Config::human_patience`] where a person is asked.
    pub connect_timeout: Option<Duration>,
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
            connect_timeout: None,
        }
    }

    /// Sets [`Options::link`].
    #[must_use]
    pub fn with_link(mut self, config: Config) -> Self {
        self.link = config;
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
}
