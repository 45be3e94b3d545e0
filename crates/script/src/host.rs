//! What a REPL needs from whoever owns the session.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use keeptab_browser::Session;
use keeptab_protocol::Raw;
use serde::{Deserialize, Serialize};

use crate::outcome::{ErrorKind, ScriptError};

/// A boxed future, so that the traits here can be used as objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where `session.connect(…)` and `resolveWsUrl(…)` are told to go. Empty: find a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectOptions {
    /// A browser's WebSocket address.
    pub ws_url: Option<String>,
    /// The port of a browser's debugging endpoint.
    pub port: Option<u16>,
    /// The host that `port` is on; 127.0.0.1 when absent.
    pub host: Option<String>,
    /// A profile directory with a `DevToolsActivePort` file.
    pub profile_dir: Option<String>,
    /// Name of a running browser, as `detectBrowsers()` gives it.
    pub browser: Option<String>,
    /// The target to make active once connected.
    pub target_id: Option<String>,
    /// How long opening may take, in milliseconds.
    pub timeout_ms: Option<u64>,
}

/// The owner of the session that a REPL belongs to. Implemented by the daemon, once per session.
pub trait Host: Send + Sync + 'static {
    /// The session's name, for messages.
    fn name(&self) -> String;

    /// The browser session in use now; `None` when none is connected.
    fn session(&self) -> Option<Session>;

    /// Connects this session to a browser, in place of the one it has.
    ///
    /// # Errors
    /// Whatever kept it from connecting; the session then has the browser that it had.
    fn connect(&self, options: ConnectOptions) -> BoxFuture<'_, Result<(), ScriptError>>;

    /// Lets go of the browser without ending it.
    ///
    /// # Errors
    /// Whatever kept it from doing so.
    fn close(&self) -> BoxFuture<'_, Result<(), ScriptError>>;

    /// Handle (`target:<targetId>`) of the tab that commands without a target go to.
    fn active_target(&self) -> Option<String>;

    /// Makes another tab the active one, or none.
    fn set_active_target(&self, handle: Option<String>);

    /// Whether snippets may send this command. `granted`: whoever runs the snippet named the method in
    /// [`crate::EvalRequest::allow`].
    ///
    /// # Errors
    /// [`ErrorKind::Refused`], with the rule that forbids it.
    fn permit(&self, method: &str, params: &Raw, granted: bool) -> Result<(), ScriptError> {
        let _ = (method, params, granted);
        Ok(())
    }

    /// The connection that commands and events use. Only a stand-in for a browser has a reason to
    /// replace this.
    fn connection(&self) -> Option<Arc<dyn Connection>> {
        self.session()
            .map(|session| Arc::new(session) as Arc<dyn Connection>)
    }
}

/// One CDP command on its way out, already checked against the spec.
#[derive(Clone, Debug)]
pub struct Command {
    /// Full name, such as `Page.navigate`.
    pub method: String,
    /// Parameters: a JSON object.
    pub params: Raw,
    /// Handle of the target; `None` is the browser itself.
    pub target: Option<String>,
    /// How long to wait for the answer; `None`: the connection's own default.
    pub timeout: Option<Duration>,
}

/// What a REPL uses of a browser connection.
pub trait Connection: Send + Sync {
    /// Sends a command. Dropping the future does not take the command back.
    fn call(&self, command: Command) -> BoxFuture<'static, Result<Raw, ScriptError>>;

    /// Events from now on, none lost between the call and the first [`Feed::next`]. Changes of the connection
    /// itself always come.
    fn subscribe(&self, wanted: Wanted, capacity: usize) -> Box<dyn Feed>;

    /// Whether commands can go out right now.
    fn is_connected(&self) -> bool;
}

/// Which events a feed brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// None; only changes of the connection.
    #[default]
    Nothing,
    /// These, by full name.
    Methods(Vec<String>),
    /// All.
    Everything,
}

/// Events and changes of a connection, in order.
pub trait Feed: Send {
    /// The next notice; `None` when the connection is gone for good. Cancel-safe.
    fn next(&mut self) -> BoxFuture<'_, Option<Notice>>;
}

/// One thing a feed brings.
#[derive(Clone, Debug)]
pub enum Notice {
    /// An event.
    Event {
        /// Full name, such as `Page.frameNavigated`.
        method: String,
        /// Handle of the target it is about.
        target: Option<String>,
        /// Its parameters.
        params: Raw,
    },
    /// This many events were dropped, because the reader was slow.
    Dropped(u64),
    /// Events may have been missed; what is known about it, as JSON.
    Gap(Raw),
    /// The connection is there (again).
    Connected,
    /// The connection is lost and being restored.
    Reconnecting,
    /// The connection is over, for this reason.
    Over(String),
}

impl ScriptError {
    /// No browser is connected.
    #[must_use]
    pub fn not_connected(what: impl fmt::Display) -> Self {
        Self::new(
            ErrorKind::NotConnected,
            format!("{what} was not sent: no browser is connected"),
        )
        .with_hint("await session.connect()")
    }
}
