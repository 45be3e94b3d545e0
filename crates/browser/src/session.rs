//! A session: the durable hold on one browser.
use std::sync::Arc;
use std::time::Duration;

use keeptab_link::{Cause, Gap, Route, Snapshot, State, TargetId, TargetInfo};
use keeptab_protocol::{Command, Event, Raw, browser, target};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::call::{self, Reply};
use crate::dial::Dialer;
use crate::driver::{Driver, Shared};
use crate::events::{EventFilter, Events, Notice};
use crate::launch::{self, LaunchOptions, LaunchedBrowser, Started};
use crate::owner::{Owned, Owner};
use crate::{CallError, CallOptions, ConnectError, Endpoint, Kind, Options, Resume, Status, Tab};

/// A hold on one browser that outlives its connections.
///
/// Cloning is cheap; all clones are the same session. When the last one is dropped the link ends, and
/// with it a browser that this session started (unless [`LaunchOptions::keep`] says otherwise); a browser
/// that was attached to stays as it is.
///
/// Every method is cancel safe: dropping a future that has not completed takes back a command that was
/// not sent yet, and leaves alone what was sent already.
#[derive(Clone)]
pub struct Session(Arc<Owner>);

/// What becomes of the browser when a session is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is closed.
    Browser,
    /// It goes on. A browser that was started by pipe cannot, and is closed.
    Detach,
}

impl Session {
    /// Connects to a running browser.
    ///
    /// Must be called within a tokio runtime with time and I/O enabled. The session's task runs there;
    /// on a current-thread runtime a call needs no change of thread.
    ///
    /// # Errors
    /// When the browser is not there, refuses, or does not answer within [`Options::connect_timeout`]. The
    /// first failure is final unless [`keeptab_link::Config::retry_first`] says otherwise.
    pub async fn connect(endpoint: Endpoint, options: Options) -> Result<Self, ConnectError> {
        endpoint.check()?;
        let name = endpoint.to_string();
        let dialer = Dialer::owned(endpoint, options.owner_epoch);
        Self::open(dialer, None, options, &name).await
    }

    /// Starts a browser and connects to it.
    ///
    /// # Errors
    /// When no browser is installed, the profile is in use or a default one, or the browser ends or is
    /// silent while it starts; the message then ends with its last words.
    pub async fn launch(launch: LaunchOptions, options: Options) -> Result<Self, ConnectError> {
        let Started {
            process,
            dialer,
            about,
            keep,
        } = launch::start(&launch).await?;
        let owned = Owned {
            process: Arc::clone(&process),
            about,
            keep,
        };
        let mut options = options;
        // Starting takes longer than dialing, and has its own limit.
        options.link.dial_patience = launch.start_timeout;
        match Self::open(dialer, Some(owned), options, "the started browser").await {
            Ok(session) => Ok(session),
            Err(error) => {
                process.kill().await;
                Err(error.of_start(&process.last_words().await))
            }
        }
    }

    async fn open(
        dialer: Dialer,
        owned: Option<Owned>,
        options: Options,
        name: &str,
    ) -> Result<Self, ConnectError> {
        let now = crate::driver::now();
        let shared = Arc::new(Shared::new(
            options.link,
            options.keeping,
            options.name,
            now,
        ));
        if let Some(Resume { snapshot, silent }) = options.resume {
            shared.input(|link, now| link.resume(now, snapshot, silent));
        }
        let driver = Driver::new(Arc::clone(&shared), dialer);
        let session = Self(Arc::new(Owner::start(shared, driver, owned)));
        session.shared().input(|link, now| link.open(now));
        let ready = session.until_ready(name);
        match options.connect_timeout {
            None => ready.await?,
            Some(limit) => timeout(limit, ready).await.unwrap_or_else(|_| {
                let asks = matches!(*session.state().borrow(), State::WaitingForHuman { .. });
                Err(ConnectError::timeout(name, limit, asks))
            })?,
        }
        Ok(session)
    }

    async fn until_ready(&self, name: &str) -> Result<(), ConnectError> {
        let mut state = self.state();
        let settled =
            state.wait_for(|state| matches!(state, State::Connected { .. }) || state.is_final());
        match settled.await.as_deref() {
            Ok(State::Connected { .. }) => Ok(()),
            Ok(State::Disconnected { cause }) => Err(ConnectError::from_cause(name, cause)),
            _ => Err(ConnectError::from_cause(name, &Cause::Closed)),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        self.0.shared()
    }

    /// Calls a method of the browser itself, such as those of `Browser` and `Target`.
    ///
    /// # Errors
    /// See [`Kind`].
    pub async fn call<C: Command>(&self, command: &C) -> Result<C::Returns, CallError> {
        call::typed(self.shared(), Route::Browser, command, CallOptions::new()).await
    }

    /// Calls a method by name, with parameters and result as JSON text that is not looked into.
    ///
    /// # Errors
    /// See [`Kind`].
    pub async fn call_raw(
        &self,
        route: Route,
        method: &str,
        params: Raw,
        options: CallOptions,
    ) -> Result<Reply, CallError> {
        call::raw(self.shared(), route, method, params, options).await
    }

    /// A tab (or any other target) by its id. Whether it exists shows at the first call.
    pub fn tab(&self, target: impl Into<TargetId>) -> Tab {
        Tab::new(self.clone(), target.into())
    }

    /// All tabs, as they are known at this moment.
    pub fn tabs(&self) -> Vec<TargetInfo> {
        let mut tabs = self.targets();
        tabs.retain(|target| &*target.kind == "page");
        tabs
    }

    /// All targets: tabs, frames with a process of their own, workers.
    pub fn targets(&self) -> Vec<TargetInfo> {
        self.shared().lock().link.targets().cloned().collect()
    }

    /// Opens a new tab.
    ///
    /// # Errors
    /// See [`Kind`].
    pub async fn new_tab(&self, url: &str) -> Result<Tab, CallError> {
        let made = self.call(&target::CreateTarget::new(url)).await?;
        Ok(self.tab(made.target_id.to_string()))
    }

    /// Subscribes to events, with a queue of at most `capacity` notices. Events that came before are not
    /// repeated. Domains have to be enabled by whoever wants their events.
    pub fn events(&self, filter: EventFilter, capacity: usize) -> Events {
        self.shared().lock().subscribe(filter, capacity)
    }

    /// Waits for one typed event that `wanted` accepts, of any target.
    ///
    /// Subscribe before you do what causes the event: this method subscribes when it is first polled.
    ///
    /// # Errors
    /// [`Kind::Deadline`] after `patience`; [`Kind::Disconnected`] when the session ends;
    /// [`Kind::InvalidReply`] when an event does not have the shape of `E`.
    pub async fn wait_for<E: Event>(
        &self,
        wanted: impl FnMut(&E) -> bool,
        patience: Duration,
    ) -> Result<E, CallError> {
        let events = self.events(EventFilter::of::<E>(), WAIT_CAPACITY);
        wait_in(events, wanted, patience).await
    }

    /// What another process needs to go on with this session: see [`Options::with_resume`]. Holds
    /// what was set, so secrets if there are some in it.
    pub fn snapshot(&self) -> Snapshot {
        self.shared().lock().link.snapshot()
    }

    /// How the session does.
    pub fn status(&self) -> Status {
        Status::of(self.shared())
    }

    /// The record of the newest gap, if there was one. A session that another process left is opened with
    /// one, which stands before everything that [`Session::events`] can tell.
    pub fn last_gap(&self) -> Option<Arc<Gap>> {
        self.shared().lock().last_gap()
    }

    /// The state of the link, and its changes.
    pub fn state(&self) -> watch::Receiver<State> {
        self.shared().state()
    }

    /// The browser that this session started, if it did.
    pub fn launched(&self) -> Option<&LaunchedBrowser> {
        self.0.launched()
    }

    /// Drops the present connection and makes a new one at once; also after the link had given up.
    ///
    /// # Errors
    /// When no connection came about; the link has then given up again.
    pub async fn reconnect(&self) -> Result<(), ConnectError> {
        let mut state = self.state();
        state.mark_unchanged();
        self.shared().input(|link, now| link.reconnect(now));
        // The driver tells about it; until then the state is the old one.
        if state.changed().await.is_err() {
            return Err(ConnectError::from_cause("reconnecting", &Cause::Closed));
        }
        self.until_ready("reconnecting").await
    }

    /// Ends the session, and the browser with it or not. All clones end. Returns when the link is closed and
    /// a browser that was started and must end has ended.
    pub async fn close(&self, end: End) {
        if end == End::Browser && matches!(*self.state().borrow(), State::Connected { .. }) {
            let closing = CallOptions::new().timeout(Duration::from_secs(5));
            let command = browser::Close::default();
            // Whether it answers or just goes, the next step makes sure.
            let _ = call::typed(self.shared(), Route::Browser, &command, closing).await;
        }
        self.0.finish(end).await;
    }
}

/// Events that may arrive in one burst while somebody waits for one of them.
pub(crate) const WAIT_CAPACITY: usize = 1024;

/// Waits for one event in a stream.
pub(crate) async fn wait_in<E: Event>(
    mut events: Events,
    mut wanted: impl FnMut(&E) -> bool,
    patience: Duration,
) -> Result<E, CallError> {
    let waiting = async {
        while let Some(notice) = events.next().await {
            let Notice::Event(event) = notice else {
                continue;
            };
            let event = event.params.parse::<E>();
            let event = event.map_err(|error| CallError::decode(E::METHOD, error))?;
            if wanted(&event) {
                return Ok(event);
            }
        }
        Err(CallError::closed(E::METHOD))
    };
    timeout(patience, waiting).await.unwrap_or_else(|_| {
        let message = format!("no such event within {:.1} s", patience.as_secs_f64());
        Err(CallError::new(Kind::Deadline, E::METHOD, message))
    })
}
