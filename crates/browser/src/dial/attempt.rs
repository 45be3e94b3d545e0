//! One attempt to open a WebSocket.
use std::io;
use std::time::Duration;

use keeptab_link::{DialError, DialInfo, Transport as Carrier};
use tokio::time::{Instant, timeout, timeout_at};

use super::http::{Answer, read_head, send};
use super::refusal::classify;
use super::{Address, Dialed};
use crate::transport::handshake::Upgrade;
use crate::transport::net::{self, NetStream};
use crate::transport::websocket::WebSocket;
use crate::transport::{Framed, MAX_MESSAGE};

/// The person at the browser, who may have to allow the connection.
pub(crate) struct Human {
    patience: Duration,
    tell: Box<dyn Fn() + Send + Sync>,
}

impl Human {
    /// `tell` is called once when it is clear that we wait for a person.
    pub(crate) fn new(patience: Duration, tell: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            patience,
            tell: Box::new(tell),
        }
    }
}

/// What is known about a handshake that is not answered at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// Nobody is asked, so silence is a failure.
    Failure,
    /// The browser may be asking its person. There is no way to find out that does not ask again.
    MayBeHuman,
}

/// A browser that asks nobody answers within milliseconds.
const ASKING_AFTER: Duration = Duration::from_millis(1000);

/// Opens a WebSocket. Exactly one connection is made, however long the answer takes.
pub(super) async fn websocket(
    address: &Address,
    deadline: Instant,
    silence: Silence,
    human: &Human,
) -> Result<Opened, DialError> {
    let upgrade = Upgrade::new(address);
    let too_late = |_| unreachable(address, "no answer in time");
    let reached = timeout_at(deadline, async {
        let mut stream = net::connect(address).await?;
        let sent = send(&mut stream, &upgrade.request).await;
        sent.map_err(|error| unreachable(address, &error.to_string()))?;
        Ok(stream)
    });
    let mut stream = reached.await.map_err(too_late)??;
    let (answer, asked) = match silence {
        Silence::Failure => {
            let head = timeout_at(deadline, read_head(&mut stream)).await;
            (head.map_err(too_late)?, false)
        }
        Silence::MayBeHuman => head_from_a_person(address, &mut stream, human).await?,
    };
    let answer = answer.map_err(|error| head_failed(address, &error))?;
    if answer.status != 101 {
        return Err(classify(answer, &mut stream).await);
    }
    let early = upgrade.check(answer)?;
    Ok(Opened {
        dialed: Dialed {
            transport: Box::new(Framed::new(stream, WebSocket::new(MAX_MESSAGE), early)),
            info: DialInfo {
                endpoint_identity: Some(address.bare_path().to_owned()),
                transport: Carrier::WebSocket,
                ..DialInfo::default()
            },
        },
        asked,
    })
}

/// An open WebSocket, and whether a person was asked for it.
pub(super) struct Opened {
    pub(super) dialed: Dialed,
    pub(super) asked: bool,
}

async fn head_from_a_person(
    address: &Address,
    stream: &mut NetStream,
    human: &Human,
) -> Result<(io::Result<Answer>, bool), DialError> {
    let head = read_head(stream);
    tokio::pin!(head);
    if let Ok(answer) = timeout(ASKING_AFTER, &mut head).await {
        return Ok((answer, false));
    }
    (human.tell)();
    match timeout(human.patience, &mut head).await {
        Ok(answer) => Ok((answer, true)),
        Err(_) => Err(unreachable(
            address,
            "nobody allowed the connection in the browser",
        )),
    }
}

fn head_failed(address: &Address, error: &io::Error) -> DialError {
    match error.kind() {
        // Whoever it is does not speak HTTP, and will not learn it.
        io::ErrorKind::InvalidData => DialError::Refused {
            status: 0,
            reason: format!("{}: {error}", address.host_port()).into(),
        },
        _ => unreachable(address, &error.to_string()),
    }
}

pub(super) fn unreachable(address: &Address, what: &str) -> DialError {
    DialError::Unreachable {
        reason: format!("{}: {what}", address.host_port()).into(),
    }
}
