//! Worker processes: how to start one, and how one is taken down.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::frame::{self, Kind};
use crate::limits::Limits;

/// The program that runs [`crate::worker_main`].
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    args: Vec<OsString>,
}

impl Program {
    /// A program and the arguments that make it a worker.
    pub fn new<A: Into<OsString>>(
        path: impl Into<PathBuf>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            path: path.into(),
            args: args.into_iter().map(Into::into).collect(),
        }
    }

    /// This very program with its hidden `js-worker` command.
    ///
    /// # Errors
    /// When the system does not say where this program lies.
    pub fn this() -> io::Result<Self> {
        Ok(Self::new(std::env::current_exe()?, ["js-worker"]))
    }
}

/// A running worker. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) input: ChildStdin,
    pub(crate) output: ChildStdout,
}

impl Process {
    /// Starts a worker and tells it its limits; it gets ready by itself from there.
    pub(crate) async fn start(program: &Program, limits: &Limits) -> io::Result<Self> {
        let mut command = Command::new(&program.path);
        command
            .args(&program.args)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        // Windows programs do not start without it; it is no secret.
        #[cfg(windows)]
        if let Some(root) = std::env::var_os("SystemRoot") {
            command.env("SystemRoot", root);
        }
        #[cfg(unix)]
        command.current_dir("/");
        let mut child = command.spawn()?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the worker has no pipes"));
        };
        let payload = serde_json::to_vec(limits)?;
        let mut first = frame::header(Kind::Init, 0, payload.len()).to_vec();
        first.extend_from_slice(&payload);
        // A program that is gone already shows on the other pipe.
        match input.write_all(&first).await {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
        Ok(Self {
            child,
            input,
            output,
        })
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

/// Frames on their way to a worker. Written piece by piece, so that a worker that does not read keeps nobody else
/// waiting; bounded by what its users put in: replies by [`Limits::in_flight`], events by [`Outgoing::is_full`].
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    queue: std::collections::VecDeque<Bytes>,
    bytes: usize,
}

impl Outgoing {
    /// Events wait while more than this many bytes do.
    const FULL: usize = 4 << 20;

    pub(crate) fn push(&mut self, kind: Kind, id: u32, payload: Bytes) {
        let header = Bytes::copy_from_slice(&frame::header(kind, id, payload.len()));
        self.bytes += header.len() + payload.len();
        if payload.len() <= 4096 {
            // One write instead of two.
            let mut whole = Vec::with_capacity(header.len() + payload.len());
            whole.extend_from_slice(&header);
            whole.extend_from_slice(&payload);
            self.queue.push_back(whole.into());
        } else {
            self.queue.push_back(header);
            self.queue.push_back(payload);
        }
    }

    pub(crate) fn front(&self) -> Option<&Bytes> {
        self.queue.front()
    }

    pub(crate) fn advance(&mut self, count: usize) {
        self.bytes = self.bytes.saturating_sub(count);
        if let Some(front) = self.queue.front_mut() {
            if count >= front.len() {
                self.queue.pop_front();
            } else {
                let _ = front.split_to(count);
            }
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes > Self::FULL
    }
}
