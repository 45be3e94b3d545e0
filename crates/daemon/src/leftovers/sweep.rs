//! Ending and removing what was left behind.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use keeptab_keeper::{Found, Life, Listening};
use tokio::time::Instant;

use super::look::{Orphan, Thing, look, name_of};
use crate::api::{Fate, Leftover, SweepRequest, Swept};
use crate::error::ApiError;
use crate::registry::Daemon;
use crate::session::end_keeper;

/// How long a keeper that is known by its socket only may take to end.
const END_PATIENCE: Duration = Duration::from_secs(22);

/// `sweep`: ends what runs and removes what is dead, of everything that no session has.
pub(crate) async fn sweep(daemon: &Arc<Daemon>, request: &SweepRequest) -> Swept {
    let orphans = look(daemon).await;
    // A browser may take its time to end; one need not wait for another.
    let leftovers = join_all(orphans.into_iter().map(|orphan| async move {
        let told = orphan.describe();
        if request.dry_run || orphan.keep.is_some() {
            return told;
        }
        let outcome = dispose(daemon, &orphan).await;
        let told = with_outcome(told, outcome);
        tracing::info!("sweep: {}: {:?}", told.what, told.fate);
        told
    }));
    Swept {
        leftovers: leftovers.await,
    }
}

/// What was done, or why nothing was.
enum Outcome {
    Ended,
    Removed,
    LeftAlone(String),
    Failed(String),
}

fn with_outcome(told: Leftover, outcome: Outcome) -> Leftover {
    let (fate, why) = match outcome {
        Outcome::Ended => (Fate::Ended, None),
        Outcome::Removed => (Fate::Removed, None),
        Outcome::LeftAlone(why) => (Fate::LeftAlone, Some(why)),
        Outcome::Failed(why) => (Fate::Failed, Some(why)),
    };
    Leftover { fate, why, ..told }
}

async fn dispose(daemon: &Arc<Daemon>, orphan: &Orphan) -> Outcome {
    match &orphan.thing {
        Thing::Keeper(found) => keeper(daemon, found).await,
        Thing::Nameless(listening) => nameless(listening).await,
        Thing::Socket(path) | Thing::File(path) => removed(tokio::fs::remove_file(path).await),
        Thing::Profile(path) => removed(tokio::fs::remove_dir_all(path).await),
        Thing::Unreadable(path, why) => Outcome::LeftAlone(format!("{}: {why}", path.display())),
    }
}

async fn keeper(daemon: &Arc<Daemon>, found: &Found) -> Outcome {
    let name = name_of(&found.path);
    let failed = |error: ApiError| Outcome::Failed(error.message);
    let session = match daemon.session_or_new(&name) {
        Ok(session) => session,
        Err(error) => return failed(error),
    };
    // For as long as this is held nobody can open or adopt it.
    let Some(turn) = session.try_turn() else {
        return Outcome::LeftAlone(format!("session \"{name}\" is being opened or closed"));
    };
    let outcome = match daemon.holder_of_keeper(&found.state.socket) {
        Some(holder) => Outcome::LeftAlone(format!("session \"{holder}\" has it by now")),
        None => end(daemon, &name, found).await,
    };
    drop(turn);
    daemon.forget_if_unused(&session);
    outcome
}

async fn end(daemon: &Arc<Daemon>, name: &str, found: &Found) -> Outcome {
    let ran = found.life == Life::Alive || found.browser_runs();
    match end_keeper(daemon, name).await {
        Ok(()) if found.browser_runs() || found.keeper_runs() => {
            Outcome::Failed(still(found.state.browser_pid, &found.path))
        }
        Ok(()) if ran => Outcome::Ended,
        Ok(()) => Outcome::Removed,
        Err(error) => Outcome::Failed(error.message),
    }
}

async fn nameless(listening: &Listening) -> Outcome {
    match listening.ask_to_end() {
        Ok(_) => {}
        Err(error) => return Outcome::Failed(error.to_string()),
    }
    let until = Instant::now() + END_PATIENCE;
    while listening.runs() {
        if Instant::now() >= until {
            return Outcome::Failed(still(listening.pid, &listening.socket));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Outcome::Ended
}

fn still(pid: u32, path: &Path) -> String {
    format!("process {pid} does not end ({})", path.display())
}

fn removed(outcome: io::Result<()>) -> Outcome {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Outcome::Failed(error.to_string()),
        _ => Outcome::Removed,
    }
}
