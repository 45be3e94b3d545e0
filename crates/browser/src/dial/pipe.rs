//! The pipe of a browser that we started.
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use keeptab_link::{DialError, DialInfo, Transport as Carrier};

use super::Dialed;
use crate::launch::Process;
use crate::transport::nul::Nul;
use crate::transport::pipe::PipeStream;
use crate::transport::{Framed, MAX_PIPE_MESSAGE, exchange};

/// The pipe of a browser that we started. There is one, and it cannot be opened again.
pub(crate) struct PipeDial {
    pipe: Mutex<Option<PipeStream>>,
    process: Arc<Process>,
}

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
        let greeting = async {
            exchange(&mut *transport, Bytes::from_static(GREETING))
                .await
                .ok()
        };
        if let Err(why) = self.process.while_starting(greeting).await {
            return Err(DialError::Gone { reason: why.into() });
        }
        Ok(Dialed {
            transport,
            info: DialInfo {
                endpoint_identity: Some(format!("pid {}", self.process.pid())),
                transport: Carrier::Pipe,
                ..DialInfo::default()
            },
        })
    }
}

/// Asks for the version and waits for the answer: after that the browser is ready. The id is one that the
/// link never comes to. Nothing else can arrive before, as nothing was asked for.
const GREETING: &[u8] = br#"{"id":2147483647,"method":"Browser.getVersion"}"#;
