//! Two pipes in place of the socket, for owners that ask for them: a read from a
//! Unix socket wakes whoever waits at its other end, a read from a pipe does not.

use std::error::Error;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::io::ioctl_fionbio;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::wire::{MAX_CONTROL, hello_for_pipes};

const HANDED_OVER: &[u8] = b"{\"keeper\":\"pipes\"}\0";
#[cfg(target_os = "linux")]
const RECEIVE: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(not(target_os = "linux"))]
const RECEIVE: RecvFlags = RecvFlags::empty();
/// How long a keeper may take to let an owner in. It answers at once, or not at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes two pipes and sends the owner its ends. Returns ours: to read, to write.
pub(crate) fn hand_over_pipes(stream: &UnixStream) -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, theirs_out) = io::pipe()?;
    let (theirs_in, writer) = io::pipe()?;
    let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
    for ours in [&reader, &writer] {
        ioctl_fionbio(ours, true)?;
        // As for the browser's pipe: a refusal costs only speed.
        #[cfg(target_os = "linux")]
        let _ = rustix::pipe::fcntl_setpipe_size(ours, 256 * 1024);
    }
    let fds = [theirs_in.as_fd(), theirs_out.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    sendmsg(
        stream,
        &[IoSlice::new(HANDED_OVER)],
        &mut control,
        SendFlags::empty(),
    )?;
    Ok((reader, writer))
}

/// An owner's connection. Both descriptors block until told otherwise; dropping
/// them leaves the keeper without an owner, and the browser as it is.
#[derive(Debug)]
pub struct Connected {
    /// Read here. The first message is the keeper's answer to the hello.
    pub from_keeper: OwnedFd,
    /// Write here.
    pub to_keeper: OwnedFd,
}

/// Why [`connect`] failed.
#[derive(Debug)]
pub enum ConnectError {
    /// Nobody listens there, or the connection broke.
    Io(io::Error),
    /// The keeper will not have us: its whole answer, e.g.
    /// `{"keeper":"refused","why":"older_epoch","epoch":8,"owner":"keeptab 0.1"}`.
    Refused(String),
}

/// Connects to the keeper at `socket` as the owner with `epoch`, over pipes.
/// Blocks, for at most 10 s; a keeper that is not busy answers in microseconds.
///
/// # Errors
/// [`ConnectError::Refused`] when another owner has an equal or higher epoch;
/// [`ConnectError::Io`] when the keeper is gone or does not answer.
pub fn connect(socket: &Path, epoch: u64, client: &str) -> Result<Connected, ConnectError> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&hello_for_pipes(epoch, client))?;
    let mut text = [0; MAX_CONTROL];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut into = [IoSliceMut::new(&mut text)];
    let got = recvmsg(&stream, &mut into, &mut control, RECEIVE).map_err(io::Error::from)?;
    let mut fds = control.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => fds.collect(),
        _ => Vec::new(),
    });
    match (fds.next(), fds.next()) {
        (Some(from_keeper), Some(to_keeper)) => Ok(Connected {
            from_keeper,
            to_keeper,
        }),
        _ if got.bytes == 0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        _ => {
            let text = text[..got.bytes].trim_ascii_end();
            let text = text.strip_suffix(b"\0").unwrap_or(text);
            Err(ConnectError::Refused(
                String::from_utf8_lossy(text).into_owned(),
            ))
        }
    }
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot connect to the keeper: {error}"),
            Self::Refused(answer) => write!(f, "the keeper refused us: {answer}"),
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Refused(_) => None,
        }
    }
}
