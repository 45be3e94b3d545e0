//! Browsers that are reached without a network: by our own pipe, or by a keeper's socket.
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use keeptab_link::{DialError, DialInfo, Transport as Carrier};
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout_at};

use super::Dialed;
use crate::launch::Process;
use crate::transport::nul::Nul;
use crate::transport::pipe::PipeStream;
use crate::transport::{Framed, Incoming, Transport};

/// The pipe of a browser that we started. There is one, and it cannot be opened again.
pub(crate) struct PipeDial {
    pipe: Mutex<Option<PipeStream>>,
    process: Arc<Process>,
}

/// The pipe passes messages that a WebSocket of Chromium would drop.
const MAX_PIPE_MESSAGE: usize = 1024 * 1024 * 1024;

impl PipeDial {
    pub(crate) fn new(pipe: PipeStream, process: Arc<Process>) -> Self {
        Self {
            pipe: Mutex::new(Some(pipe)),
            process,
        }
    }

    /// Hands out the pipe once the browser answers on it, which takes as long as its start.
    pub(super) async fn dial(&self) -> Result<Dialed, DialError> {
        let pipe = self
            .pipe
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(pipe) = pipe else {
            return Err(DialError::Gone {
                reason: "the pipe of a browser cannot be opened again".into(),
            });
        };
        let nul = Nul::new(MAX_PIPE_MESSAGE);
        let mut transport = Box::new(Framed::new(pipe, nul, BytesMut::new()));
        let started = self.process.while_starting(greet(&mut *transport)).await;
        match started {
            Ok(Some(())) => {}
            Ok(None) => return Err(gone("the browser closed its pipe while it started")),
            Err(why) => return Err(gone(&why)),
        }
        Ok(Dialed {
            transport,
            info: DialInfo {
                endpoint_identity: Some(format!("pid {}", self.process.pid())),
                transport: Carrier::Pipe,
            },
        })
    }
}

fn gone(why: &str) -> DialError {
    DialError::Gone {
        reason: why.to_owned().into(),
    }
}

/// Asks for the version and waits for the answer: after that the browser is ready. The id is one that the
/// link never comes to. Nothing else can arrive before, as nothing was asked for.
async fn greet(transport: &mut dyn Transport) -> Option<()> {
    const GREETING: &[u8] = br#"{"id":2147483647,"method":"Browser.getVersion"}"#;
    transport.send(bytes::Bytes::from_static(GREETING));
    std::future::poll_fn(|cx| {
        if let std::task::Poll::Ready(Err(_)) = transport.poll_flush(cx) {
            return std::task::Poll::Ready(None);
        }
        loop {
            match std::task::ready!(transport.poll_receive(cx)) {
                Incoming::Message(_) => return std::task::Poll::Ready(Some(())),
                Incoming::Lost(_) => return std::task::Poll::Ready(None),
                Incoming::Alive | Incoming::Pong => {}
            }
        }
    })
    .await
}

/// Connects to the socket of a keeper. It says hello first; the rest is as on the pipe.
pub(super) async fn keeper(path: &Path, deadline: Instant) -> Result<Dialed, DialError> {
    let unreachable = |what: &str| DialError::Unreachable {
        reason: format!("keeper {}: {what}", path.display()).into(),
    };
    let dialed = timeout_at(deadline, async {
        let stream = UnixStream::connect(path)
            .await
            .map_err(|error| match error.kind() {
                // A keeper that ends removes its socket.
                std::io::ErrorKind::NotFound => DialError::Gone {
                    reason: format!("keeper {}: it has ended", path.display()).into(),
                },
                _ => unreachable(&error.to_string()),
            })?;
        let transport = Box::new(Framed::new(
            stream,
            Nul::new(MAX_PIPE_MESSAGE),
            BytesMut::new(),
        ));
        Ok(Dialed {
            transport,
            info: DialInfo {
                endpoint_identity: Some(path.display().to_string()),
                transport: Carrier::Keeper,
            },
        })
    });
    dialed
        .await
        .unwrap_or_else(|_| Err(unreachable("no answer in time")))
}
