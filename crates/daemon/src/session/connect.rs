//! Getting a browser: launching one, attaching to one, taking one over from the daemon before.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keeptab_browser::find::{active_port, running_browsers};
use keeptab_browser::{ConnectKind, End, Endpoint, LaunchOptions, Options};
use tokio::time::{Instant, timeout_at};

use super::entry::{Held, Hold, Inner, Missing, Session};
use super::errors::from_connect;
use super::reconnect::host_and_port;
use crate::api::AttachRequest;
use crate::error::{ApiError, Code};
use crate::handover::{LaunchedAs, Place};
use crate::observe;
use crate::registry::Daemon;
use crate::saver::Left;

/// The deadline of a request that names none.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long taking over a browser may take; nobody waits for it.
const RESTORE_PATIENCE: Duration = Duration::from_secs(30);

/// When a request has to be done.
pub(super) fn deadline(timeout_ms: Option<u64>) -> Instant {
    Instant::now() + timeout_ms.map_or(DEFAULT_TIMEOUT, Duration::from_millis)
}

/// The rest of the time.
pub(super) fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

impl Session {
    /// Waits until nobody changes the session's browser; the guard keeps it so.
    ///
    /// # Errors
    /// It took longer than the caller allows.
    pub(super) async fn my_turn(
        &self,
        deadline: Instant,
    ) -> Result<tokio::sync::OwnedMutexGuard<()>, ApiError> {
        timeout_at(deadline, Arc::clone(&self.turn).lock_owned())
            .await
            .map_err(|_| {
                ApiError::new(
                    Code::Deadline,
                    format!("session \"{}\" is still being connected", self.name()),
                )
            })
    }

    /// The same, if nobody changes it now.
    pub(crate) fn try_turn(&self) -> Option<tokio::sync::OwnedMutexGuard<()>> {
        Arc::clone(&self.turn).try_lock_owned().ok()
    }

    /// Whether somebody changes its browser now.
    pub(crate) fn is_busy(&self) -> bool {
        self.turn.try_lock().is_err()
    }

    /// Waits until the browser of the daemon before is taken over, or turned out to be lost; but no
    /// longer than until `deadline`.
    pub(crate) async fn settled(&self, deadline: Instant) {
        if self.with(|inner| matches!(inner.hold, Hold::Missing(_))) {
            drop(timeout_at(deadline, self.turn.lock()).await);
        }
    }

    /// Waits until a browser that is being launched for it is there, or not; but no longer than until `deadline`.
    pub(crate) async fn launched(&self, deadline: Instant) {
        if self.with(|inner| matches!(inner.hold, Hold::Nothing)) {
            drop(timeout_at(deadline, self.turn.lock()).await);
        }
    }

    /// The daemon, if others can find this session there. A browser of one that was closed while its caller waited
    /// for its turn would be nobody's. The caller has the turn.
    ///
    /// # Errors
    /// It was closed meanwhile.
    pub(super) fn registered(&self) -> Result<Arc<Daemon>, ApiError> {
        let daemon = self.daemon()?;
        if daemon.has(self) {
            return Ok(daemon);
        }
        Err(ApiError::new(
            Code::NotSent,
            format!(
                "session \"{}\" was closed while this waited; nothing was done",
                self.name()
            ),
        ))
    }

    /// Launches a browser for this session, with the profile that belongs to its name. Returns whether
    /// it still ran, with tabs that somebody left in it.
    ///
    /// # Errors
    /// No browser is installed, it does not start, or not in time; another session has adopted it; or this one was
    /// closed.
    pub(super) async fn launch(
        &self,
        headful: bool,
        program: Option<&str>,
        deadline: Instant,
    ) -> Result<bool, ApiError> {
        let daemon = self.registered()?;
        let socket = daemon.paths().keeper_socket(self.name());
        if let Some(other) = daemon.holder_of_keeper(&socket) {
            return Err(super::adopt::taken(self.name(), &other));
        }
        let profile = daemon.paths().profiles().join(self.name());
        let mut launch = LaunchOptions::new()
            .profile_dir(&profile)
            .headless(!headful)
            .start_timeout(remaining(deadline));
        launch.executable = program.map(PathBuf::from);
        let options = self.options();
        let started = super::launch::start(&daemon, self.name(), launch, options, deadline).await?;
        if !started.found {
            tracing::info!("session \"{}\": launched a browser", self.name());
        }
        self.with(|inner| {
            inner.keeper = None;
            inner.launched_as = LaunchedAs {
                headful,
                program: program.map(str::to_owned),
            };
        });
        self.hold(Held::new(started.browser, started.place, Some(profile)))
            .await;
        Ok(started.found)
    }

    /// Attaches to a running browser, in place of one that was attached to before.
    ///
    /// # Errors
    /// The session has a browser of its own or was closed, or there is none at the place named.
    pub(super) async fn attach_to(
        &self,
        request: &AttachRequest,
        deadline: Instant,
    ) -> Result<(), ApiError> {
        self.registered()?;
        let mut refusal = None;
        for place in places(request).await? {
            match connect(&place, self.options(), deadline).await {
                Ok(browser) => {
                    self.let_go_of_the_old().await;
                    tracing::info!(
                        "session \"{}\": attached to {}",
                        self.name(),
                        describe(&place)
                    );
                    self.hold(Held::new(browser, place, None)).await;
                    return Ok(());
                }
                // What a browser that is gone left behind; there may be another one.
                Err(error) if error.kind() == ConnectKind::Unreachable => {
                    let error = from_connect(&error);
                    refusal.get_or_insert(if says_no_port(&place) {
                        error.hint("keeptab attach --port N, or see which say it: keeptab browsers")
                    } else {
                        error
                    });
                }
                Err(error) => return Err(from_connect(&error)),
            }
        }
        Err(refusal
            .unwrap_or_else(|| ApiError::new(Code::NotFound, "no running browser was found")))
    }

    /// Detaches from an attached browser; one of our own is never given away.
    async fn let_go_of_the_old(&self) {
        if let Hold::Held(held) = self.take_hold() {
            held.browser.close(End::Detach).await;
        }
        self.with(Inner::forget_tabs);
    }

    pub(super) async fn hold(&self, held: Held) {
        let browser = held.browser.clone();
        self.keep_up(&held);
        self.with(|inner| inner.hold = Hold::Held(held));
        self.save();
        observe::follow(&self.observer, self.weak(), &browser);
        super::guard::watch(self.weak(), &browser);
    }

    /// Becomes what the record of the daemon before says, and connects in the background. Requests
    /// that need the browser wait for it.
    pub(crate) fn restore(self: &Arc<Self>, left: Left) {
        let Left { record, link } = left;
        self.succession.inherit(record.owner, link);
        let why = ApiError::new(
            Code::Disconnected,
            format!("session \"{}\" is being taken over", self.name()),
        );
        self.observer.set_recording(record.recording);
        self.observer.load();
        self.with(|inner| {
            inner.active = record.active;
            inner.claimed = record.claimed.into_iter().collect();
            inner.policies = record.policies;
            inner.launched_as = record.launched_as;
            inner.keeper = record.keeper;
            inner.replaced = record.replaced;
            inner.hold = Hold::Missing(Missing {
                place: record.place,
                profile: record.profile,
                why,
            });
        });
        let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() else {
            return;
        };
        let session = Arc::clone(self);
        tokio::spawn(async move {
            let outcome = session.take_over(Instant::now() + RESTORE_PATIENCE).await;
            if let Err(error) = outcome {
                tracing::warn!("session \"{}\": {error}", session.name());
            }
            drop(turn);
        });
    }

    /// Connects to the browser that the session ought to have. The caller has the turn.
    ///
    /// # Errors
    /// It is gone or does not answer; the session remembers why.
    pub(super) async fn take_over(&self, deadline: Instant) -> Result<(), ApiError> {
        let missing = self.with(|inner| match &inner.hold {
            Hold::Missing(missing) => Some(missing.clone()),
            _ => None,
        });
        let Some(missing) = missing else {
            return Ok(());
        };
        let outcome = match &missing.place {
            Place::Pipe => Err(ApiError::new(
                Code::BrowserGone,
                format!(
                    "the browser of session \"{}\" ended with the daemon that held it",
                    self.name()
                ),
            )),
            place => connect(place, self.options_to_resume(), deadline)
                .await
                .map_err(|error| {
                    let ours = from_connect(&error);
                    if matches!(place, Place::Keeper(_)) && ours.code == Code::BrowserGone {
                        let (code, what) = self.what_the_keeper_left();
                        return ApiError::new(code, format!("session \"{}\": {what}", self.name()));
                    }
                    ApiError::new(
                        ours.code,
                        format!(
                            "the browser of session \"{}\" cannot be taken over: {}",
                            self.name(),
                            ours.message
                        ),
                    )
                }),
        };
        match outcome {
            Ok(browser) => {
                tracing::info!(
                    "session \"{}\": taken over, {}",
                    self.name(),
                    describe(&missing.place)
                );
                self.hold(Held::new(browser, missing.place, missing.profile))
                    .await;
                Ok(())
            }
            Err(why) => {
                self.with(|inner| {
                    if let Hold::Missing(missing) = &mut inner.hold {
                        missing.why = why.clone();
                    }
                });
                Err(why)
            }
        }
    }

    /// Lets go of the browser so that the next daemon can take it.
    pub(crate) async fn let_go(&self) {
        self.observer.leave().await;
        if let Hold::Held(held) = self.take_hold() {
            // A browser on a pipe cannot be handed over, and must not be left running for nobody.
            let end = if held.place == Place::Pipe {
                End::Browser
            } else {
                End::Detach
            };
            held.browser.close(end).await;
        }
    }
}

/// Whether this is a profile whose browser, if it runs, does not say there at which port.
fn says_no_port(place: &Place) -> bool {
    let Place::Profile(dir) = place else {
        return false;
    };
    active_port(dir).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

pub(super) async fn connect(
    place: &Place,
    options: Options,
    deadline: Instant,
) -> Result<keeptab_browser::Session, keeptab_browser::ConnectError> {
    let endpoint = match place {
        Place::Ws(url) => Endpoint::Ws(url.clone()),
        Place::Port { host, port } => Endpoint::Port {
            host: host.clone(),
            port: *port,
        },
        Place::Profile(dir) => Endpoint::Profile(dir.clone()),
        // A pipe ends with its daemon; callers have said so already.
        Place::Keeper(path) => Endpoint::Keeper(path.clone()),
        Place::Pipe => Endpoint::Auto,
    };
    let mut options = options.with_connect_timeout(remaining(deadline));
    if is_remote(place) {
        options.link.backoff.max_attempts = 0;
    }
    keeptab_browser::Session::connect(endpoint, options).await
}

/// Where to look for the browser that is meant, in order.
///
/// # Errors
/// No running browser has the name.
pub(super) async fn places(request: &AttachRequest) -> Result<Vec<Place>, ApiError> {
    let local = || "127.0.0.1".to_owned();
    if let Some(url) = &request.ws {
        return Ok(vec![Place::Ws(url.clone())]);
    }
    if let Some(port) = request.port {
        let host = request.host.clone().unwrap_or_else(local);
        return Ok(vec![Place::Port { host, port }]);
    }
    if let Some(dir) = &request.profile {
        return Ok(vec![Place::Profile(dir.into())]);
    }
    let running = running_browsers().await;
    if running.is_empty() {
        return Err(ApiError::new(
            Code::NotFound,
            "no running browser says that it allows remote debugging",
        )
        .hint(
            "one with a fixed port: keeptab attach --port N; in Chrome, open chrome://inspect/#remote-debugging and \
             tick the box; or a browser of its own: keeptab open URL",
        ));
    }
    let Some(name) = &request.browser else {
        return Ok(running
            .into_iter()
            .map(|browser| Place::Profile(browser.profile_dir))
            .collect());
    };
    let wanted = name.to_lowercase();
    let names: Vec<String> = running.iter().map(|browser| browser.name.clone()).collect();
    let fitting: Vec<Place> = running
        .into_iter()
        .filter(|browser| browser.name.to_lowercase().contains(&wanted))
        .map(|browser| Place::Profile(browser.profile_dir))
        .collect();
    if fitting.is_empty() {
        return Err(ApiError::new(
            Code::NotFound,
            format!(
                "no running browser is called \"{name}\"; there are: {}",
                names.join(", ")
            ),
        )
        .hint("keeptab browsers"));
    }
    Ok(fitting)
}

/// A place for people and logs: what may be secret in an address is left out.
pub(super) fn describe(place: &Place) -> String {
    match place {
        Place::Ws(url) => Endpoint::Ws(url.clone()).to_string(),
        Place::Port { host, port } => format!("{host}:{port}"),
        Place::Profile(dir) => format!("profile {}", dir.display()),
        Place::Keeper(_) => "keeper".to_owned(),
        Place::Pipe => "pipe".to_owned(),
    }
}

/// Whether the browser is on another machine, where a long outage is no reason to give up.
pub(super) fn is_remote(place: &Place) -> bool {
    let host = match place {
        Place::Port { host, .. } => host.clone(),
        Place::Ws(url) => match host_and_port(url) {
            Some((host, _)) => host,
            None => return false,
        },
        _ => return false,
    };
    !(host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::Paths;
    use crate::run::Config;
    use crate::version::Build;

    /// An `open` that waited while the session was closed once launched a browser that no session had.
    #[tokio::test]
    async fn a_session_that_was_closed_meanwhile_gets_no_browser() {
        let home = tempfile::tempdir().unwrap();
        let daemon = Daemon::new(&Config {
            paths: Paths::below(home.path()),
            build: Build::current("0.0.0", "test"),
            program: "keeptab".into(),
            background: true,
            allowed_uid: None,
        });
        let session = daemon.session_or_new("late").unwrap();
        let closing = session.my_turn(deadline(None)).await.unwrap();
        let opening = tokio::spawn({
            let session = Arc::clone(&session);
            async move { session.open(Default::default()).await }
        });
        let attaching = tokio::spawn({
            let session = Arc::clone(&session);
            let request = AttachRequest {
                port: Some(1),
                ..AttachRequest::default()
            };
            async move { session.attach(request).await }
        });
        tokio::task::yield_now().await;
        daemon.forget(&session);
        // Another one of this name does not stand in for it.
        daemon.session_or_new("late").unwrap();
        drop(closing);
        let codes = (
            opening.await.unwrap().map_err(|error| error.code).err(),
            attaching.await.unwrap().map_err(|error| error.code).err(),
        );
        assert_eq!(codes, (Some(Code::NotSent), Some(Code::NotSent)));
    }

    #[test]
    fn only_other_machines_are_remote() {
        let ws = |url: &str| is_remote(&Place::Ws(url.into()));
        assert!(!ws("ws://127.0.0.1:9222/devtools/browser/x"));
        assert!(!ws("ws://localhost/x"));
        assert!(!ws("ws://[::1]:9222/x"));
        assert!(ws("wss://user:key@cloud.example/x?token=127.0.0.1"));
        assert!(ws("ws://localhost.example:9222"));
        assert!(!is_remote(&Place::Keeper("/k".into())));
        assert!(is_remote(&Place::Port {
            host: "10.0.0.1".into(),
            port: 1
        }));
    }
}
