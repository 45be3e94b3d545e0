//! The daemon's own state: its sessions by name, who owns which tab, and its end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use keeptab_script::{Limits, Pool, Program};
use tokio::sync::watch;

use crate::api::{CloseRequest, Health, StopRequest, Stopped};
use crate::error::{ApiError, Code};
use crate::leftovers;
use crate::observe::{Archive, Hub};
use crate::paths::Paths;
use crate::run::Config;
use crate::saver::{self, Saver};
use crate::session::Session;
use crate::version::Build;

/// Sessions at once. Each costs some memory and, in use, a worker process.
const MAX_SESSIONS: usize = 64;

/// How long the end of the daemon waits for browsers that are being launched.
const LAUNCH_PATIENCE: Duration = Duration::from_secs(5);

/// What all doors share.
#[derive(Debug)]
pub(crate) struct Daemon {
    paths: Paths,
    build: Build,
    program: PathBuf,
    /// The sandbox processes of all sessions.
    pool: Pool,
    started: Instant,
    sessions: Mutex<BTreeMap<String, Arc<Session>>>,
    stop: watch::Sender<bool>,
    archive: Arc<Archive>,
    hub: Arc<Hub>,
    saver: Saver,
}

impl Daemon {
    pub(crate) fn new(config: &Config) -> Arc<Self> {
        Arc::new(Daemon {
            paths: config.paths.clone(),
            build: config.build.clone(),
            pool: Pool::new(
                Program::new(&config.program, ["js-worker"]),
                Limits::default(),
            ),
            program: config.program.clone(),
            started: Instant::now(),
            sessions: Mutex::default(),
            stop: watch::Sender::new(false),
            archive: Arc::new(Archive::new(config.paths.data_dir())),
            hub: Arc::default(),
            saver: Saver::new(),
        })
    }

    pub(crate) fn build(&self) -> &Build {
        &self.build
    }

    pub(crate) fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The program whose hidden commands are our worker and keeper.
    pub(crate) fn program(&self) -> &PathBuf {
        &self.program
    }

    /// The sandbox processes of all sessions.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Where entries are kept.
    pub(crate) fn archive(&self) -> &Arc<Archive> {
        &self.archive
    }

    /// Who follows events.
    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    pub(crate) fn stop_signal(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Takes nothing new from now on.
    pub(crate) fn begin_stop(&self) {
        self.stop.send_replace(true);
    }

    fn map(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All sessions, by name.
    pub(crate) fn sessions(&self) -> Vec<Arc<Session>> {
        self.map().values().cloned().collect()
    }

    /// The session of this name.
    ///
    /// # Errors
    /// There is none; the names that exist are in the hint.
    pub(crate) fn session(&self, name: &str) -> Result<Arc<Session>, ApiError> {
        if let Some(session) = self.map().get(name) {
            return Ok(Arc::clone(session));
        }
        let left_behind = leftovers::names(self).iter().any(|left| left == name);
        let map = self.map();
        map.get(name).cloned().ok_or_else(|| {
            let error = ApiError::new(
                Code::NoSuchSession,
                format!("there is no session \"{name}\""),
            );
            if left_behind {
                error.hint(format!(
                    "its browser was left behind: keeptab --session {name} adopt"
                ))
            } else if map.is_empty() {
                error.hint("keeptab open URL")
            } else {
                let names: Vec<&str> = map.keys().map(String::as_str).take(8).collect();
                error.hint(format!(
                    "keeptab sessions (there are: {})",
                    names.join(", ")
                ))
            }
        })
    }

    /// The session of this name, made if need be.
    ///
    /// # Errors
    /// The name is none, or there are too many sessions.
    pub(crate) fn session_or_new(self: &Arc<Self>, name: &str) -> Result<Arc<Session>, ApiError> {
        check_name(name)?;
        let mut map = self.map();
        if let Some(session) = map.get(name) {
            return Ok(Arc::clone(session));
        }
        if map.len() >= MAX_SESSIONS {
            return Err(ApiError::new(
                Code::Busy,
                format!("there are {MAX_SESSIONS} sessions already"),
            )
            .hint("keeptab sessions, then close one: keeptab --session NAME close"));
        }
        let session = Session::new(name, self);
        map.insert(name.to_owned(), Arc::clone(&session));
        Ok(session)
    }

    /// The session that has the browser of the keeper at this socket, whether it can reach it or not.
    pub(crate) fn holder_of_keeper(&self, socket: &Path) -> Option<String> {
        self.map()
            .values()
            .find(|session| session.keeper_socket().as_deref() == Some(socket))
            .map(|session| session.name().to_owned())
    }

    /// Whether the session of this name is being opened, closed or taken over.
    pub(crate) fn is_busy(&self, name: &str) -> bool {
        self.map()
            .get(name)
            .is_some_and(|session| session.is_busy())
    }

    /// Why the keeper at this socket must be left alone although no session has it.
    pub(crate) fn why_not_sweep(&self, socket: &Path) -> Option<String> {
        self.saver.why_not_sweep(socket)
    }

    /// Whether this very session is the one of its name.
    pub(crate) fn has(&self, session: &Session) -> bool {
        let map = self.map();
        map.get(session.name())
            .is_some_and(|ours| std::ptr::eq(Arc::as_ptr(ours), session))
    }

    /// Forgets a session, unless another took its name meanwhile.
    pub(crate) fn forget(&self, session: &Arc<Session>) {
        {
            let mut map = self.map();
            if map
                .get(session.name())
                .is_some_and(|other| Arc::ptr_eq(other, session))
            {
                map.remove(session.name());
            }
        }
        self.save();
    }

    /// Forgets a session that has nothing: neither a browser nor a scope.
    pub(crate) fn forget_if_unused(&self, session: &Arc<Session>) {
        if session.is_unused() {
            self.forget(session);
        }
    }

    /// The session, other than `asking`, to which a tab belongs.
    pub(crate) fn owner_of(&self, target: &str, asking: &str) -> Option<String> {
        self.map()
            .values()
            .find(|session| session.name() != asking && session.owns(target))
            .map(|session| session.name().to_owned())
    }

    /// Makes the sessions that the daemon before left, and connects them in the background.
    pub(crate) async fn restore(self: &Arc<Self>) {
        for left in self.saver.take_over(&self.archive).await {
            let name = left.record.name.clone();
            match self.session_or_new(&name) {
                Ok(session) => session.restore(left),
                Err(error) => tracing::warn!("session \"{name}\" is not taken over: {error}"),
            }
        }
        saver::start(self);
        for name in leftovers::names(self) {
            tracing::warn!(
                "the browser of session \"{name}\" runs, and no session has it; keeptab adopt {name}, or end it: keeptab sweep"
            );
        }
    }

    /// What writes the registry.
    pub(crate) fn saver(&self) -> &Saver {
        &self.saver
    }

    /// Has the registry written. A failure is a warning of the daemon, not of the command that
    /// changed something: that has happened.
    pub(crate) fn save(&self) {
        self.saver.want();
    }

    pub(crate) fn health(&self) -> Health {
        // Not in the literal: the guard would be held to its end, and the last field asks for it again.
        let sessions = self.map().len();
        Health {
            version: self.build.version.clone(),
            build: self.build.to_string(),
            pid: std::process::id(),
            uptime_s: self.started.elapsed().as_secs(),
            sessions,
            warnings: self
                .saver
                .trouble()
                .into_iter()
                .chain(self.archive.trouble())
                .collect(),
            left_behind: leftovers::names(self),
        }
    }

    /// The sessions whose browser could not live on without this process.
    pub(crate) fn cannot_hand_over(&self) -> Vec<String> {
        let stuck = |session: &Arc<Session>| {
            session
                .needs_this_process()
                .then(|| session.name().to_owned())
        };
        self.sessions().iter().filter_map(stuck).collect()
    }

    /// Ends the daemon, unless sessions would be lost and nobody said that they may.
    ///
    /// # Errors
    /// A session's browser only lives inside this daemon.
    pub(crate) async fn stop(&self, request: &StopRequest) -> Result<Stopped, ApiError> {
        let ours = self.build.to_string();
        if request.build.as_ref().is_some_and(|meant| *meant != ours) {
            return Err(ApiError::new(
                Code::Failed,
                "another daemon was meant; this one is newer",
            ));
        }
        let stuck = self.cannot_hand_over();
        if !stuck.is_empty() && !request.discard {
            return Err(ApiError::new(
                Code::Failed,
                format!(
                    "the daemon goes on, because only it holds the browser of: {}",
                    stuck.join(", ")
                ),
            )
            .hint("keeptab close, or end the browsers as well: keeptab daemon stop --discard"));
        }
        let mut ended = Vec::new();
        if request.discard {
            for session in self.sessions() {
                if session.is_launched() {
                    if let Err(error) = session.close(&CloseRequest::default()).await {
                        tracing::warn!("closing \"{}\": {error}", session.name());
                    }
                    ended.push(session.name().to_owned());
                }
            }
        }
        let records = self
            .sessions()
            .iter()
            .filter_map(|session| session.record())
            .collect::<Vec<_>>();
        let kept = records.into_iter().map(|record| record.name).collect();
        self.begin_stop();
        Ok(Stopped {
            pid: std::process::id(),
            kept,
            ended,
        })
    }

    /// Lets go of all browsers, so that the next daemon can take them.
    pub(crate) async fn let_go(&self) {
        // Else it would run, and be nobody's.
        let until = tokio::time::Instant::now() + LAUNCH_PATIENCE;
        for session in self.sessions() {
            session.launched(until).await;
        }
        self.saver.finish().await;
        for session in self.sessions() {
            session.let_go().await;
        }
    }
}

/// # Errors
/// The name has other characters than those that are safe in a path, or is too long.
fn check_name(name: &str) -> Result<(), ApiError> {
    let fits = !name.is_empty()
        && name.len() <= 64
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if fits {
        return Ok(());
    }
    Err(ApiError::new(
        Code::Invalid,
        format!("{name:?} cannot name a session: letters, digits, '-', '_' and '.', at most 64"),
    )
    .hint("keeptab --session my-shop open URL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_paths_are_refused() {
        for name in ["", ".", "..", "a/b", "a b", ".hidden", "ä", &"x".repeat(65)] {
            assert_eq!(check_name(name).unwrap_err().code, Code::Invalid, "{name}");
        }
        for name in ["default", "shop-1", "a.b_c", &"x".repeat(64)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
    }
}
