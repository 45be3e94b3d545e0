//! Waiting for the daemon: not longer than the command may take when it is not there at all, and long enough
//! for its own answer when it is.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::http::HttpError;

/// When a silent daemon is looked at for the first time: whether it is stopped can be seen at once.
const GLANCE_AFTER: Duration = Duration::from_secs(1);
/// How long a daemon that is there may take to say so.
const TO_SAY_SO: Duration = Duration::from_millis(500);
/// How much longer than its own deadline a daemon that is there may take, so that its answer, which knows
/// more, comes first.
const GRACE: Duration = Duration::from_secs(2);

/// A look at a daemon that has not answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// From outside: is it stopped?
    Glance,
    /// By asking it, for at most so long.
    Ask(Duration),
}

/// How long to wait, and when to make sure that there is somebody to wait for.
pub(crate) struct Patience<'a> {
    looks: [Option<(Instant, Look)>; 2],
    end: Instant,
    is_there: &'a dyn Fn(Look) -> bool,
}

impl fmt::Debug for Patience<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl<'a> Patience<'a> {
    /// For a command that may take so long.
    pub(crate) fn new(timeout: Duration, is_there: &'a dyn Fn(Look) -> bool) -> Self {
        let now = Instant::now();
        let ask = TO_SAY_SO.min(timeout / 4);
        Patience {
            looks: [
                Some((now + GLANCE_AFTER.min(timeout / 2), Look::Glance)),
                Some((now + (timeout - ask), Look::Ask(ask))),
            ],
            end: now + timeout + GRACE,
            is_there,
        }
    }

    /// Waits so long, whoever is there.
    pub(crate) fn plain(limit: Duration) -> Patience<'static> {
        Patience {
            looks: [None, None],
            end: Instant::now() + limit,
            is_there: &|_| true,
        }
    }

    /// How long to wait until it is time to ask again; looks at the daemon when it is time for that.
    ///
    /// # Errors
    /// Time is over, or there is nobody to wait for.
    pub(super) fn next(&mut self) -> Result<Duration, HttpError> {
        for look in &mut self.looks {
            let Some((at, what)) = *look else { continue };
            let left = at.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return Ok(left);
            }
            *look = None;
            if !(self.is_there)(what) {
                return Err(HttpError::NotThere);
            }
        }
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(HttpError::TimedOut)
        } else {
            Ok(left)
        }
    }
}

/// Connects to the daemon's socket. A stopped daemon takes nobody in, and in the end its queue is full: then
/// connecting would wait for ever.
///
/// # Errors
/// Nobody listens there; `WouldBlock` when the queue stays full for so long.
pub(crate) fn connect_within(path: &Path, limit: Duration) -> io::Result<UnixStream> {
    let socket: OwnedFd = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    set_socket_timeout(&socket, Timeout::Send, Some(limit))?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(UnixStream::from(socket))
}

/// Whether a process is stopped, by SIGSTOP or a debugger; `false` where the system does not tell.
pub(super) fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold anything; the state is the first letter after it.
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
    state.is_some_and(|rest| rest.starts_with(['T', 't']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_who_is_not_there_is_not_waited_for() {
        let asked = std::cell::RefCell::new(Vec::new());
        let is_there = |look| {
            asked.borrow_mut().push(look);
            look == Look::Glance
        };
        let mut patience = Patience::new(Duration::from_millis(40), &is_there);
        let begin = Instant::now();
        let why = loop {
            match patience.next() {
                Ok(wait) => std::thread::sleep(wait),
                Err(why) => break why,
            }
        };
        assert!(matches!(why, HttpError::NotThere), "{why:?}");
        assert_eq!(
            *asked.borrow(),
            [Look::Glance, Look::Ask(Duration::from_millis(10))]
        );
        assert!(begin.elapsed() >= Duration::from_millis(30));
    }

    #[test]
    fn we_are_not_stopped() {
        assert!(!is_stopped(std::process::id()));
        assert!(!is_stopped(0));
    }
}
