//! The browser as a child process: descriptors 3 and 4, its end, its last words.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::io::{dup2, fcntl_dupfd_cloexec, ioctl_fionbio};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

use crate::args::Args;
use crate::buffer::{Read, read};

/// How much of the browser's stderr is remembered, in bytes.
const LAST_WORDS: usize = 16 * 1024;
/// How long the browser's own children get to follow it, before they are killed.
const STRAGGLERS: Duration = Duration::from_secs(2);

pub(crate) struct Browser {
    child: Child,
    pid: Pid,
    /// Readable once the process ended. Linux only; elsewhere the loop looks now and then.
    pub(crate) ended: Option<OwnedFd>,
    /// We write, the browser reads at 3.
    pub(crate) input: OwnedFd,
    /// The browser writes at 4, we read. `None` after its end.
    pub(crate) output: Option<OwnedFd>,
    pub(crate) stderr: Option<ChildStderr>,
    last_words: VecDeque<u8>,
}

impl Browser {
    pub(crate) fn start(args: &Args) -> io::Result<Self> {
        let (theirs_in, input) = io::pipe()?;
        let (output, theirs_out) = io::pipe()?;
        let (input, output) = (OwnedFd::from(input), OwnedFd::from(output));
        for ours in [&input, &output] {
            ioctl_fionbio(ours, true)?;
            // Fewer wake-ups for large messages. A refusal costs only speed.
            #[cfg(target_os = "linux")]
            let _ = rustix::pipe::fcntl_setpipe_size(ours, 256 * 1024);
        }
        // The child's ends go where 3 and 4 cannot be, so that dup2 always
        // copies, and thereby always clears close-on-exec.
        let theirs_in = fcntl_dupfd_cloexec(&theirs_in, 10)?;
        let theirs_out = fcntl_dupfd_cloexec(&theirs_out, 10)?;
        let _taken = occupy_low_descriptors()?;

        let mut command = Command::new(&args.browser);
        command.args(args.browser_flags());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.process_group(0);
        // SAFETY: between fork and exec the closure only makes the dup2 system
        // call and allocates nothing. 3 and 4 are open in the child (held by
        // `_taken`) and belong to nothing that it still uses.
        #[allow(unsafe_code)]
        unsafe {
            command.pre_exec(move || {
                let mut three = ManuallyDrop::new(OwnedFd::from_raw_fd(3));
                let mut four = ManuallyDrop::new(OwnedFd::from_raw_fd(4));
                dup2(&theirs_in, &mut three)?;
                dup2(&theirs_out, &mut four)?;
                Ok(())
            });
        }
        let mut child = command.spawn()?;
        let pid = Pid::from_child(&child);
        let stderr = child.stderr.take();
        if let Some(stderr) = &stderr {
            ioctl_fionbio(stderr, true)?;
        }
        #[cfg(target_os = "linux")]
        let ended = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok();
        #[cfg(not(target_os = "linux"))]
        let ended = None;
        Ok(Self {
            child,
            pid,
            ended,
            input,
            output: Some(output),
            stderr,
            last_words: VecDeque::new(),
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the browser to end. It saves its profile first; SIGTERM would not.
    pub(crate) fn interrupt(&self) {
        let _ = kill_process(self.pid, Signal::INT);
    }

    /// Kills the browser and all its children, or those it left behind.
    pub(crate) fn kill(&self) {
        let _ = kill_process_group(self.pid, Signal::KILL);
    }

    /// How the browser ended, `None` while it runs.
    pub(crate) fn exited(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(status) => status.map(describe),
            Err(error) => Some(format!("unknown ({error})")),
        }
    }

    /// Waits a moment for the browser's own children after its end, then kills
    /// them. Its group id cannot be given to others while one of them is left.
    pub(crate) fn clear_group(&self) {
        let until = Instant::now() + STRAGGLERS;
        while test_kill_process_group(self.pid).is_ok() {
            if Instant::now() >= until {
                self.kill();
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Takes what stderr has, and remembers the end of it.
    pub(crate) fn listen(&mut self) {
        let mut chunk = [0; 4096];
        while let Some(stderr) = &self.stderr {
            match read(stderr, &mut chunk) {
                Read::Bytes(count) => {
                    self.last_words.extend(&chunk[..count]);
                    let over = self.last_words.len().saturating_sub(LAST_WORDS);
                    self.last_words.drain(..over);
                }
                Read::Nothing => return,
                Read::End => self.stderr = None,
            }
        }
    }

    /// The end of what the browser wrote to stderr.
    pub(crate) fn last_words(&mut self) -> &[u8] {
        self.last_words.make_contiguous()
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// Makes sure that 3 and 4 are open in this process, so that no descriptor
/// which std makes for the fork itself can be one of them.
fn occupy_low_descriptors() -> io::Result<Vec<File>> {
    let mut taken = Vec::new();
    loop {
        let file = File::open("/dev/null")?;
        let high = file.as_raw_fd() > 4;
        taken.push(file);
        if high {
            return Ok(taken);
        }
    }
}

/// The descriptor to wait on, where there is one.
pub(crate) fn borrowed(fd: &Option<impl AsFd>) -> Option<BorrowedFd<'_>> {
    fd.as_ref().map(AsFd::as_fd)
}
