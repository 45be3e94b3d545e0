//! A browser of one's own, over `--remote-debugging-pipe`.

use crate::Wire;
use keeptab_bench_kit::{Failure, Place};
use rustix::io::{FdFlags, fcntl_setfd};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

const READ: usize = 128 << 10;

/// The pipe and the browser behind it, which is killed with it.
#[derive(Debug)]
pub struct Pipe {
    child: Child,
    to_browser: File,
    from_browser: File,
    out: Vec<u8>,
    input: Vec<u8>,
    from: usize,
    to: usize,
}

impl Pipe {
    /// Starts the browser.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be started.
    pub fn start(place: &Place) -> Result<Self, Failure> {
        let (child_reads, to_browser) = rustix::pipe::pipe()?;
        let (from_browser, child_writes) = rustix::pipe::pipe()?;
        for own in [&to_browser, &from_browser] {
            fcntl_setfd(own, FdFlags::CLOEXEC)?;
        }
        let child = shell(place, &child_reads, &child_writes).spawn()?;
        Ok(Self {
            child,
            to_browser: to_browser.into(),
            from_browser: from_browser.into(),
            out: Vec::new(),
            input: vec![0; READ],
            from: 0,
            to: 0,
        })
    }
}

/// The shell puts the two ends where Chromium looks for them, 3 and 4, and becomes the browser.
fn shell(place: &Place, reads: &OwnedFd, writes: &OwnedFd) -> Command {
    use std::os::fd::AsRawFd;
    let script = format!(
        "exec \"$@\" 3<&{} 4>&{}",
        reads.as_raw_fd(),
        writes.as_raw_fd()
    );
    let mut command = Command::new("sh");
    command.args([
        "-c",
        &script,
        "sh",
        &place.chromium,
        "--remote-debugging-pipe",
    ]);
    command
        .arg(format!("--user-data-dir={}", place.profile))
        .args(&place.flags)
        .arg("about:blank");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

impl Wire for Pipe {
    async fn send(&mut self, message: &str) -> Result<(), Failure> {
        self.out.clear();
        self.out.extend(message.as_bytes());
        self.out.push(0);
        Ok(self.to_browser.write_all(&self.out)?)
    }

    async fn receive(&mut self) -> Result<&[u8], Failure> {
        let mut seen = 0;
        loop {
            if let Some(at) = memchr::memchr(0, &self.input[self.from + seen..self.to]) {
                let begin = self.from;
                let end = begin + seen + at;
                self.from = end + 1;
                return Ok(&self.input[begin..end]);
            }
            seen = self.to - self.from;
            if self.from > 0 {
                self.input.copy_within(self.from..self.to, 0);
                (self.from, self.to) = (0, seen);
            }
            if self.to == self.input.len() {
                self.input.resize(self.to * 2, 0);
            }
            match self.from_browser.read(&mut self.input[self.to..])? {
                0 => return Err(Failure("the browser is gone".into())),
                n => self.to += n,
            }
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
