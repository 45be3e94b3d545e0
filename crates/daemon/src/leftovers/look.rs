//! Finding what was left behind.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use keeptab_keeper::{Found, Life, Listening, STATE_SUFFIX, list};

use super::{files, profiles};
use crate::api::{Fate, Leftover, LeftoverKind};
use crate::paths::Paths;
use crate::registry::Daemon;

/// One thing that no session has.
#[derive(Debug)]
pub(super) enum Thing {
    Keeper(Box<Found>),
    Nameless(Listening),
    Unreadable(PathBuf, String),
    Socket(PathBuf),
    File(PathBuf),
    Profile(PathBuf),
}

/// It, and why it must be left alone, if it must.
#[derive(Debug)]
pub(super) struct Orphan {
    pub(super) thing: Thing,
    pub(super) keep: Option<String>,
}

/// The sessions that left browsers behind which run, by name. Who asks for `mine` holds the turn of that
/// session, which therefore does not count as busy.
pub(crate) async fn browsers(daemon: &Arc<Daemon>, mine: Option<&str>) -> Vec<String> {
    let paths = daemon.paths().clone();
    let found = tokio::task::spawn_blocking(move || alive(&paths)).await;
    unheld(daemon, found.unwrap_or_default(), mine)
}

/// The same, where nothing can be awaited: a few small files are read.
pub(crate) fn names(daemon: &Daemon) -> Vec<String> {
    unheld(daemon, alive(daemon.paths()), None)
}

/// The names and sockets of the keepers that run, whoever has them.
pub(crate) fn alive(paths: &Paths) -> Vec<(String, PathBuf)> {
    list(&paths.keepers())
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .filter(|found| found.life == Life::Alive)
        .map(|found| (name_of(&found.path), found.state.socket))
        .collect()
}

fn unheld(daemon: &Daemon, alive: Vec<(String, PathBuf)>, mine: Option<&str>) -> Vec<String> {
    alive
        .into_iter()
        .filter(|(_, socket)| daemon.holder_of_keeper(socket).is_none())
        .filter(|(name, _)| mine == Some(name) || !daemon.is_busy(name))
        .map(|(name, _)| name)
        .collect()
}

/// Everything that no session has.
pub(super) async fn look(daemon: &Arc<Daemon>) -> Vec<Orphan> {
    let paths = daemon.paths().clone();
    let things = tokio::task::spawn_blocking(move || everything(&paths)).await;
    let things = things.unwrap_or_else(|error| {
        tracing::error!("looking for what was left behind failed: {error}");
        Vec::new()
    });
    things
        .into_iter()
        .filter_map(|thing| orphan(daemon, thing))
        .collect()
}

fn everything(paths: &Paths) -> Vec<Thing> {
    let mut things = Vec::new();
    let mut sockets = Vec::new();
    for found in list(&paths.keepers()).unwrap_or_default() {
        match found {
            Ok(found) => {
                sockets.push(found.state.socket.clone());
                things.push(Thing::Keeper(Box::new(found)));
            }
            Err((path, error)) => {
                sockets.push(paths.keeper_socket(&name_of(&path)));
                things.push(Thing::Unreadable(path, error.to_string()));
            }
        }
    }
    things.extend(files::sockets(paths.run_dir(), &sockets));
    things.extend(files::strays(&paths.keepers()));
    things.extend(profiles::abandoned(&std::env::temp_dir()));
    things
}

/// Nothing when a session has it.
fn orphan(daemon: &Daemon, thing: Thing) -> Option<Orphan> {
    let busy = |name: &str| {
        daemon
            .is_busy(name)
            .then(|| format!("session \"{name}\" is being opened or closed"))
    };
    let keep = match &thing {
        Thing::Keeper(found) => {
            if daemon.holder_of_keeper(&found.state.socket).is_some() {
                return None;
            }
            busy(&name_of(&found.path)).or_else(|| daemon.why_not_sweep(&found.state.socket))
        }
        Thing::Nameless(Listening { socket, .. }) | Thing::Socket(socket) => {
            if daemon.holder_of_keeper(socket).is_some() {
                return None;
            }
            let being_opened = daemon.sessions().into_iter().find(|session| {
                session.is_busy() && daemon.paths().keeper_socket(session.name()) == *socket
            });
            match being_opened {
                Some(session) => busy(session.name()),
                None => daemon.why_not_sweep(socket),
            }
        }
        Thing::Unreadable(_, why) => Some(why.clone()),
        Thing::File(path) => busy(&name_of(path)),
        Thing::Profile(_) => None,
    };
    Some(Orphan { thing, keep })
}

/// The session that a keeper's file is named after.
pub(super) fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match name.rfind(STATE_SUFFIX) {
        Some(end) => name[..end].to_owned(),
        None => name.into_owned(),
    }
}

impl Orphan {
    /// It as it is told.
    pub(super) fn describe(&self) -> Leftover {
        let mut told = match &self.thing {
            Thing::Keeper(found) => of_keeper(found),
            Thing::Nameless(listening) => Leftover {
                keeper_pid: Some(listening.pid),
                ..plain(
                    LeftoverKind::Nameless,
                    format!(
                        "a keeper without its state file (process {}), and its browser",
                        listening.pid
                    ),
                    &listening.socket,
                )
            },
            Thing::Unreadable(path, _) => Leftover {
                session: Some(name_of(path)),
                ..plain(
                    LeftoverKind::Unreadable,
                    format!("the state file of keeper \"{}\"", name_of(path)),
                    path,
                )
            },
            Thing::Socket(path) => plain(
                LeftoverKind::Socket,
                "a socket at which nobody listens".to_owned(),
                path,
            ),
            Thing::File(path) => Leftover {
                session: Some(name_of(path)),
                ..plain(
                    LeftoverKind::File,
                    format!(
                        "a file of the keeper of \"{}\", which is gone",
                        name_of(path)
                    ),
                    path,
                )
            },
            Thing::Profile(path) => plain(
                LeftoverKind::Profile,
                "a temporary profile of a browser that is gone".to_owned(),
                path,
            ),
        };
        if let Some(why) = &self.keep {
            told.fate = Fate::LeftAlone;
            told.why = Some(why.clone());
        }
        told
    }
}

fn of_keeper(found: &Found) -> Leftover {
    let name = name_of(&found.path);
    let browser = found.browser_runs().then_some(found.state.browser_pid);
    let (kind, what) = match (&found.life, browser) {
        (Life::Alive, _) => (
            LeftoverKind::Browser,
            format!(
                "the browser of session \"{name}\": {} (process {}, keeper {})",
                found.state.version, found.state.browser_pid, found.state.pid
            ),
        ),
        (Life::BrowserExited(how), _) => (
            LeftoverKind::DeadKeeper,
            format!("the files of keeper \"{name}\", whose browser has ended ({how})"),
        ),
        (Life::Dead, Some(pid)) => (
            LeftoverKind::DeadKeeper,
            format!("the browser of session \"{name}\" (process {pid}), whose keeper is dead"),
        ),
        (Life::Dead, None) => (
            LeftoverKind::DeadKeeper,
            format!("the files of keeper \"{name}\", which is dead"),
        ),
    };
    Leftover {
        session: Some(name),
        keeper_pid: found.keeper_runs().then_some(found.state.pid),
        browser_pid: browser,
        ..plain(kind, what, &found.path)
    }
}

fn plain(kind: LeftoverKind, what: String, path: &Path) -> Leftover {
    Leftover {
        kind,
        session: None,
        what,
        path: path.display().to_string(),
        keeper_pid: None,
        browser_pid: None,
        fate: Fate::Found,
        why: None,
    }
}

/// Whether a browser shows a window, by its command line. Without `/proc` nobody can tell; then it has none.
pub(crate) fn has_window(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
        !line
            .split(|byte| *byte == 0)
            .any(|word| word.starts_with(b"--headless"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_the_name_of_its_session() {
        for (path, name) in [
            ("/d/shop.keeper", "shop"),
            ("/d/shop.keeper.log", "shop"),
            ("/d/a.keeper.keeper.stderr", "a.keeper"),
        ] {
            assert_eq!(name_of(Path::new(path)), name);
        }
    }
}
