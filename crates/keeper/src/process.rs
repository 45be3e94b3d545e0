//! Processes that are known by their id and their start: an id alone may be somebody else's by now.

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use crate::state::{has_proc, start_time};

/// Whether the process that got this id at that time still runs. Where the system has no `/proc`, any
/// process of this id is taken for it.
pub(crate) fn runs(pid: u32, started: u64) -> bool {
    match start_time(pid) {
        Some(now) => now == started,
        None if has_proc() => false,
        None => number(pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok()),
    }
}

/// Sends a signal to that process and to no other. False when it runs no more.
pub(crate) fn signal(pid: u32, started: u64, signal: Signal) -> io::Result<bool> {
    let Some(number) = number(pid) else {
        return Ok(false);
    };
    match send(number, pid, started, signal) {
        Ok(sent) => Ok(sent),
        Err(Errno::SRCH) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(target_os = "linux")]
fn send(number: Pid, pid: u32, started: u64, signal: Signal) -> Result<bool, Errno> {
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
    // The descriptor stands for one process for ever, so that what is found out about it below still
    // holds when the signal leaves.
    let process = match pidfd_open(number, PidfdFlags::empty()) {
        Err(Errno::NOSYS) => return by_id(number, pid, started, signal),
        opened => opened?,
    };
    if !runs(pid, started) {
        return Ok(false);
    }
    pidfd_send_signal(process, signal).map(|()| true)
}

#[cfg(not(target_os = "linux"))]
fn send(number: Pid, pid: u32, started: u64, signal: Signal) -> Result<bool, Errno> {
    by_id(number, pid, started, signal)
}

fn by_id(number: Pid, pid: u32, started: u64, signal: Signal) -> Result<bool, Errno> {
    if !runs(pid, started) {
        return Ok(false);
    }
    rustix::process::kill_process(number, signal).map(|()| true)
}

fn number(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    #[test]
    fn only_the_process_that_was_meant_is_signalled() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep");
        let started = start_time(child.id()).expect("it runs");
        assert!(!signal(child.id(), started + 1, Signal::KILL).expect("no error"));
        assert!(!runs(child.id(), started + 1));
        assert!(runs(child.id(), started));
        assert!(signal(child.id(), started, Signal::TERM).expect("no error"));
        let status = child.wait().expect("it ends");
        assert_eq!(status.signal(), Some(Signal::TERM.as_raw()));
        assert!(!signal(child.id(), started, Signal::TERM).expect("no error"));
        assert!(!signal(0, started, Signal::TERM).expect("no error"));
    }
}
