//! Until when the daemon was there for certain, and had stored what it saw.
//!
//! A daemon that is killed cannot say when that was, and a session in which nothing happens writes nothing. So the time of a
//! file says it, which costs no write to the disk: the file survives the process, and need not survive the machine.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{MissedTickBehavior, interval};

use super::observer::Observer;

/// By so much a gap may begin too early.
const STEP: Duration = Duration::from_secs(1);

impl Observer {
    /// When the daemon before was last there, if it said so.
    pub(crate) fn left_at(&self) -> Option<SystemTime> {
        self.state().left_at
    }

    /// To be called before this daemon writes its own.
    pub(super) fn read_mark(&self) {
        let marked = time_of(&self.archive.mark_of(&self.session));
        self.state().left_at = marked;
    }

    /// Says from time to time that this daemon is there, for as long as the session is. Does nothing the second time.
    pub(super) fn keep_marking(self: &Arc<Self>) {
        if std::mem::replace(&mut self.state().marking, true) {
            return;
        }
        let observer = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut step = interval(STEP);
            step.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                step.tick().await;
                let Some(observer) = observer.upgrade() else {
                    return;
                };
                {
                    let state = observer.state();
                    if state.over {
                        return;
                    }
                    // What is not stored yet would be lost with us; and without a connection nothing is seen.
                    if state.buffers.has_unsaved() || state.buffers.in_gap() {
                        continue;
                    }
                }
                let path = observer.archive.mark_of(&observer.session);
                if let Err(error) = mark(&path, SystemTime::now()) {
                    tracing::debug!("{}: {error}", path.display());
                }
            }
        });
    }

    pub(super) fn forget_mark(&self) {
        // It may never have been made; and left behind it says nothing about another session.
        drop(fs::remove_file(self.archive.mark_of(&self.session)));
    }
}

fn time_of(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|about| about.modified()).ok()
}

fn mark(path: &Path, now: SystemTime) -> io::Result<()> {
    let open = || File::options().create(true).append(true).open(path);
    let file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(dir) = path.parent() {
                fs::create_dir_all(dir)?;
            }
            open()?
        }
        other => other?,
    };
    file.set_modified(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_when_it_was_made_and_costs_no_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("alive").join("shop");
        assert_eq!(time_of(&path), None);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for later in [0, 1] {
            let now = now + Duration::from_secs(later);
            mark(&path, now).unwrap();
            assert_eq!(time_of(&path), Some(now));
        }
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    }
}
