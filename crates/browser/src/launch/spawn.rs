//! Starting the program, with or without a pipe.
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};

/// What to run.
pub(super) struct Program<'a> {
    pub(super) path: &'a Path,
    pub(super) arguments: Vec<OsString>,
    pub(super) env: &'a [(String, String)],
}

impl Program<'_> {
    /// Starts it without a pipe.
    pub(super) fn spawn(self) -> io::Result<Child> {
        let mut command = Command::new(self.path);
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        self.run(command)
    }

    fn run(&self, mut command: Command) -> io::Result<Child> {
        command
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::piped());
        // A group of its own, so that Ctrl-C in our terminal is not also sent to the browser.
        #[cfg(unix)]
        command.process_group(0);
        command.spawn()
    }
}

#[cfg(unix)]
mod unix {
    use std::os::fd::OwnedFd;

    use rustix::process::{Pid, Signal, kill_process, kill_process_group};
    use tokio::net::unix::pipe::{Receiver, Sender};

    use super::*;
    use crate::transport::pipe::PipeStream;

    /// Chromium reads from descriptor 3 and writes to 4. The shell moves its own input and output there
    /// and then becomes the browser; so neither `unsafe` code nor an inheritable descriptor is needed.
    const MOVE: &str = r#"exec "$@" 3<&0 4>&1 </dev/null >&2"#;

    impl Program<'_> {
        /// Starts it with its DevTools pipe connected to us.
        pub(in crate::launch) fn spawn_with_pipe(self) -> io::Result<(Child, PipeStream)> {
            let (to_browser, ours_out) = pipe()?;
            let (ours_in, from_browser) = pipe()?;
            widen(&ours_out);
            widen(&ours_in);
            let mut command = Command::new("/bin/sh");
            command
                .arg("-c")
                .arg(MOVE)
                .arg("sh")
                .arg(self.path)
                .args(&self.arguments);
            command
                .stdin(Stdio::from(to_browser))
                .stdout(Stdio::from(from_browser));
            let child = self.run(command)?;
            let receiver = Receiver::from_owned_fd(ours_in)?;
            let sender = Sender::from_owned_fd(ours_out)?;
            Ok((child, PipeStream::new(receiver, sender)))
        }
    }

    fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
        let (reader, writer) = io::pipe()?;
        Ok((reader.into(), writer.into()))
    }

    /// Fewer, larger reads. The default size works as well, so a refusal is no error.
    fn widen(_pipe: &OwnedFd) {
        #[cfg(target_os = "linux")]
        let _ = rustix::pipe::fcntl_setpipe_size(_pipe, 1024 * 1024);
    }

    fn pid_of(pid: u32) -> Option<Pid> {
        Pid::from_raw(i32::try_from(pid).ok()?)
    }

    pub(in crate::launch) fn interrupt(pid: u32) {
        if let Some(pid) = pid_of(pid) {
            // It may have ended just now; the wait that follows notices.
            let _ = kill_process(pid, Signal::INT);
        }
    }

    /// Kills it and its helpers, which are in its group.
    pub(in crate::launch) fn kill(child: &mut Child, pid: u32) {
        if let Some(pid) = pid_of(pid) {
            // As above.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = child.start_kill();
    }

    /// Whether the process runs with all rights, with which Chromium's sandbox cannot work.
    pub(in crate::launch) fn is_root() -> bool {
        rustix::process::geteuid().is_root()
    }
}

#[cfg(unix)]
pub(super) use unix::{interrupt, is_root, kill};

#[cfg(not(unix))]
mod other {
    use super::*;

    /// There is no interrupt for another process here; the kill follows.
    pub(in crate::launch) fn interrupt(_pid: u32) {}

    pub(in crate::launch) fn kill(child: &mut Child, _pid: u32) {
        // It may have ended just now; the wait that follows notices.
        let _ = child.start_kill();
    }

    pub(in crate::launch) fn is_root() -> bool {
        false
    }
}

#[cfg(not(unix))]
pub(super) use other::{interrupt, is_root, kill};
