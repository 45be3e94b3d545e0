//! The profile directory: making it, and who else uses it.
use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::Profile;
use super::shortage::remedy;
use crate::find::{Places, default_profile_of};
use crate::{ConnectError, ConnectKind};

/// A profile that is ready to be used.
pub(super) struct Prepared {
    pub(super) dir: PathBuf,
    /// Removes it in the end.
    pub(super) temporary: Option<TempDir>,
}

/// Makes the directory and sees that nobody else uses it.
pub(super) fn prepare(profile: &Profile) -> Result<Prepared, ConnectError> {
    match profile {
        Profile::Temporary => {
            let mut builder = tempfile::Builder::new();
            builder.prefix("keeptab-profile-");
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
            let temporary = builder
                .tempdir()
                .map_err(|error| failed(&std::env::temp_dir(), error))?;
            Ok(Prepared {
                dir: temporary.path().to_owned(),
                temporary: Some(temporary),
            })
        }
        Profile::Dir(dir) => {
            let dir = std::path::absolute(dir).map_err(|error| failed(dir, error))?;
            refuse_default(&dir)?;
            make(&dir).map_err(|error| failed(&dir, error))?;
            take_lock(&dir)?;
            // Left behind by the last browser; a new one must not be mistaken for it.
            remove(&dir.join("DevToolsActivePort")).map_err(|error| failed(&dir, error))?;
            Ok(Prepared {
                dir,
                temporary: None,
            })
        }
    }
}

fn failed(dir: &Path, error: io::Error) -> ConnectError {
    let message = format!("profile {}: {error}", dir.display());
    let hint = remedy(&error, dir)
        .unwrap_or_else(|| "choose a directory that can be written to".to_owned());
    ConnectError::new(ConnectKind::StartFailed, message)
        .hinted(hint)
        .caused(error)
}

fn refuse_default(dir: &Path) -> Result<(), ConnectError> {
    let Some(browser) = default_profile_of(&Places::current(), dir) else {
        return Ok(());
    };
    let message = format!(
        "{} is the default profile of {browser}; since version 136 Chrome refuses remote debugging on it",
        dir.display()
    );
    Err(ConnectError::new(ConnectKind::DefaultProfile, message).hinted(
        "use another directory, or attach to the running browser after switching on remote debugging at chrome://inspect",
    ))
}

fn make(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Chromium marks a profile in use with a symbolic link `SingletonLock` to `<host>-<pid>`. One that a dead
/// process left behind is removed.
#[cfg(unix)]
fn take_lock(dir: &Path) -> Result<(), ConnectError> {
    let lock = dir.join("SingletonLock");
    let Ok(owner) = fs::read_link(&lock) else {
        return Ok(());
    };
    let owner = owner.to_string_lossy().into_owned();
    let (host, pid) = match owner.rsplit_once('-') {
        Some((host, pid)) => (host, pid.parse().ok()),
        None => (owner.as_str(), None),
    };
    let ours = rustix::system::uname().nodename().to_string_lossy() == host;
    let in_use = match pid {
        Some(pid) if ours => is_alive(pid) && answers(&dir.join("SingletonSocket")),
        // A process on another machine cannot be looked at.
        _ => true,
    };
    if in_use {
        let message = format!("profile {} is in use by {owner}", dir.display());
        let hint = if ours {
            "end that browser, attach to it, or choose another profile".to_owned()
        } else {
            format!(
                "if that machine does not use it any more, remove {}",
                lock.display()
            )
        };
        return Err(ConnectError::new(ConnectKind::ProfileInUse, message).hinted(hint));
    }
    tracing::info!(profile = %dir.display(), %owner, "removing the lock of a dead browser");
    for name in ["SingletonLock", "SingletonSocket", "SingletonCookie"] {
        remove(&dir.join(name)).map_err(|error| failed(dir, error))?;
    }
    Ok(())
}

/// Windows removes the lock of a process when it ends.
#[cfg(not(unix))]
fn take_lock(_dir: &Path) -> Result<(), ConnectError> {
    Ok(())
}

#[cfg(unix)]
fn is_alive(pid: i32) -> bool {
    use rustix::process::{Pid, test_kill_process};
    let Some(pid) = Pid::from_raw(pid) else {
        return false;
    };
    // Only "no such process" is a no: a process of somebody else is alive.
    test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

/// Whether somebody listens where the lock's owner should; process ids are used again.
#[cfg(unix)]
fn answers(socket: &Path) -> bool {
    match std::os::unix::net::UnixStream::connect(socket) {
        Ok(_) => true,
        Err(error) => !matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
        ),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    fn host() -> String {
        rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned()
    }

    fn lock(dir: &Path, owner: &str) {
        symlink(owner, dir.join("SingletonLock")).expect("lock");
    }

    /// The id of a process that has ended.
    fn dead_pid() -> u32 {
        let mut child = std::process::Command::new("true").spawn().expect("true");
        let pid = child.id();
        child.wait().expect("end");
        pid
    }

    #[test]
    fn directories_are_for_their_owner_only() {
        let base = tempfile::tempdir().expect("directory");
        for profile in [Profile::Temporary, Profile::Dir(base.path().join("a/b"))] {
            let prepared = prepare(&profile).expect("profile");
            let mode = fs::metadata(&prepared.dir)
                .expect("directory")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }

    #[test]
    fn the_lock_of_a_dead_process_is_removed() {
        let dir = tempfile::tempdir().expect("directory");
        lock(dir.path(), &format!("{}-{}", host(), dead_pid()));
        fs::write(
            dir.path().join("DevToolsActivePort"),
            "1\n/devtools/browser/x",
        )
        .expect("file");
        prepare(&Profile::Dir(dir.path().to_owned())).expect("profile");
        assert!(fs::read_link(dir.path().join("SingletonLock")).is_err());
        assert!(!dir.path().join("DevToolsActivePort").exists());
    }

    #[test]
    fn the_lock_of_a_number_that_is_used_again_is_removed() {
        let dir = tempfile::tempdir().expect("directory");
        // This process is alive, but no browser: nobody listens at the socket.
        lock(dir.path(), &format!("{}-{}", host(), std::process::id()));
        prepare(&Profile::Dir(dir.path().to_owned())).expect("profile");
    }

    #[test]
    fn a_profile_in_use_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().expect("directory");
        let _browser = UnixListener::bind(dir.path().join("SingletonSocket")).expect("socket");
        let owner = format!("{}-{}", host(), std::process::id());
        lock(dir.path(), &owner);
        let error = prepare(&Profile::Dir(dir.path().to_owned()))
            .err()
            .expect("in use");
        assert_eq!(error.kind(), ConnectKind::ProfileInUse);
        assert!(error.to_string().contains(&owner));
        assert!(fs::read_link(dir.path().join("SingletonLock")).is_ok());
    }

    #[test]
    fn a_lock_from_another_machine_is_not_touched() {
        let dir = tempfile::tempdir().expect("directory");
        lock(dir.path(), "elsewhere-7");
        let error = prepare(&Profile::Dir(dir.path().to_owned()))
            .err()
            .expect("in use");
        assert_eq!(error.kind(), ConnectKind::ProfileInUse);
        assert!(error.hint().expect("hint").contains("SingletonLock"));
    }
}
