//! What all clones of a session own together: the link's task, and a browser that was started.
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::watch;

use crate::driver::{Driver, Shared};
use crate::launch::{LaunchedBrowser, Process};
use crate::session::End;

/// Dropping it ends the link.
pub(crate) struct Owner {
    shared: Arc<Shared>,
    about: Option<LaunchedBrowser>,
    plan: Arc<Plan>,
    /// True once everything has ended.
    ended: watch::Receiver<bool>,
}

/// A browser that this session started.
pub(crate) struct Owned {
    pub(crate) process: Arc<Process>,
    pub(crate) about: LaunchedBrowser,
    pub(crate) keep: bool,
}

/// What becomes of a started browser when the link has ended.
struct Plan(AtomicU8);

const END: u8 = 0;
const KEEP: u8 = 1;

impl Owner {
    /// Lets the link's task run.
    pub(crate) fn start(shared: Arc<Shared>, driver: Driver, owned: Option<Owned>) -> Self {
        let keep = owned.as_ref().is_some_and(|owned| owned.keep);
        let plan = Arc::new(Plan(AtomicU8::new(if keep { KEEP } else { END })));
        let (tell, ended) = watch::channel(false);
        let about = owned.as_ref().map(|owned| owned.about.clone());
        let task = run(driver, Arc::clone(&shared), owned, Arc::clone(&plan), tell);
        tokio::spawn(task);
        Self {
            shared,
            about,
            plan,
            ended,
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn launched(&self) -> Option<&LaunchedBrowser> {
        self.about.as_ref()
    }

    /// Closes the link and waits until everything has ended.
    pub(crate) async fn finish(&self, end: End) {
        let plan = match end {
            End::Browser => END,
            End::Detach => KEEP,
        };
        self.plan.0.store(plan, Ordering::Release);
        self.shared.input(|link, now| link.close(now));
        let mut ended = self.ended.clone();
        // An error means that the task is gone, which is an end too.
        let _ = ended.wait_for(|ended| *ended).await;
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let mut core = self.shared.lock();
        core.abandoned = true;
        core.wake_driver();
    }
}

async fn run(
    driver: Driver,
    shared: Arc<Shared>,
    owned: Option<Owned>,
    plan: Arc<Plan>,
    tell: watch::Sender<bool>,
) {
    match owned {
        None => driver.await,
        Some(owned) => {
            let mut driver = std::pin::pin!(driver);
            tokio::select! {
                () = &mut driver => {}
                status = owned.process.exited() => {
                    shared.input(|link, now| link.process_exited(now, status));
                    driver.await;
                }
            }
            if plan.0.load(Ordering::Acquire) == KEEP {
                owned.process.release();
            } else {
                owned.process.end().await;
            }
        }
    }
    tell.send_replace(true);
}
