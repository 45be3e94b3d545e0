//! One WebSocket connection through the proxy: two readers and two writers in one task, and its end.

use super::frame::{self, Frame};
use super::ledger::Seen;
use super::queue::{self, Waiting};
use super::state::{Mode, Order, Shared};
use super::verbs::{DropWhen, End, Finish};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, watch};

/// How long a polite end waits for the other side.
const GOODBYE: Duration = Duration::from_secs(5);

/// Why a connection is over.
#[derive(Debug)]
enum Outcome {
    Ended(End),
    Closed { hold: bool },
    Cut,
    ClientGone,
    BrowserGone,
}

/// What to do with the replies to some commands.
#[derive(Debug, Clone, Copy)]
enum AtReply {
    Swallow,
    Drop(End),
}

struct Relay {
    number: u64,
    shared: Arc<Shared>,
    replies: Mutex<HashMap<i64, AtReply>>,
    client_gone: Notify,
}

/// Relays until one side or an order ends it, and leaves nothing open but what was to be held.
pub(super) async fn run(
    mut client: TcpStream,
    mut upstream: TcpStream,
    number: u64,
    orders: watch::Receiver<Order>,
    shared: Arc<Shared>,
) {
    let relay = Relay {
        number,
        shared,
        replies: Mutex::default(),
        client_gone: Notify::new(),
    };
    let outcome = relay.pump(&mut client, &mut upstream, orders).await;
    let Relay { shared, .. } = relay;
    let hold = shared.note(|state| {
        state.live.remove(&number);
        state.hold_upstream
    });
    if hold && !matches!(outcome, Outcome::BrowserGone) {
        shared.lock().held.push(upstream);
    } else {
        tokio::spawn(part(upstream));
    }
    match outcome {
        Outcome::Ended(End::Rst) => {
            let _ = reset(client);
        }
        Outcome::Closed { hold: true } => drain(&mut client).await,
        Outcome::ClientGone => {}
        Outcome::Ended(End::Fin)
        | Outcome::Closed { hold: false }
        | Outcome::Cut
        | Outcome::BrowserGone => {
            part(client).await;
        }
    }
}

/// Ends a connection with RST.
pub(super) fn reset(stream: TcpStream) -> std::io::Result<()> {
    stream.set_zero_linger()
}

/// Ends a connection with FIN and reads what still comes: closing with unread bytes would send RST.
async fn part(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
    let _ = tokio::time::timeout(GOODBYE, drain(&mut stream)).await;
}

async fn drain(stream: &mut TcpStream) {
    let mut bytes = vec![0; 64 << 10];
    while matches!(stream.read(&mut bytes).await, Ok(1..)) {}
}

impl Relay {
    async fn pump(
        &self,
        client: &mut TcpStream,
        upstream: &mut TcpStream,
        orders: watch::Receiver<Order>,
    ) -> Outcome {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_browser, mut to_browser) = upstream.split();
        let (up, up_frames) = queue::queue();
        let (down, down_frames) = queue::queue();
        let (inject, injected) = mpsc::channel(64);

        // A reader that is done drops its queue and waits; the writer empties the queue and says what happened.
        let read_up = async {
            let answers =
                |frame: &Frame| frame.opcode == frame::PING && orders.borrow().mode.answer_pings;
            while let Ok(Some(frame)) = frame::read(&mut from_client).await {
                if answers(&frame) {
                    let _ = inject
                        .send(frame::from_server(frame::PONG, &frame.payload(125)))
                        .await;
                } else if !up.send(frame).await {
                    break;
                }
            }
            drop(up);
            self.client_gone.notify_one();
            std::future::pending::<Outcome>().await
        };
        let read_down = async {
            while let Ok(Some(frame)) = frame::read(&mut from_browser).await {
                if !down.send(frame).await {
                    break;
                }
            }
            drop(down);
            std::future::pending::<Outcome>().await
        };
        let mut ends = orders.clone();
        let ended = async {
            let end = ends.wait_for(|order| order.end.is_some()).await;
            Outcome::Ended(end.ok().and_then(|order| order.end).unwrap_or(End::Rst))
        };
        tokio::select! {
            biased;
            outcome = ended => outcome,
            outcome = self.write_up(&mut to_browser, up_frames, orders.clone()) => outcome,
            outcome = self.write_down(&mut to_client, down_frames, injected, orders.clone()) => outcome,
            outcome = read_up => outcome,
            outcome = read_down => outcome,
        }
    }

    async fn write_up(
        &self,
        to: &mut (impl AsyncWrite + Unpin),
        mut frames: mpsc::Receiver<Waiting>,
        mut orders: watch::Receiver<Order>,
    ) -> Outcome {
        loop {
            let Some(waiting) = frames.recv().await else {
                return Outcome::ClientGone;
            };
            let command = self.note(&waiting.frame);
            let mode = loop {
                let mode = orders.borrow_and_update().mode;
                if !mode.stall_up {
                    break mode;
                }
                tokio::select! {
                    changed = orders.changed() => if changed.is_err() { return Outcome::ClientGone },
                    () = self.client_gone.notified() => return Outcome::ClientGone,
                }
            };
            pace(&waiting, mode).await;
            if let Some(end) = command
                .as_ref()
                .and_then(|c| self.shared.trap(&c.method, DropWhen::Before))
            {
                return Outcome::Ended(end);
            }
            if let Some(command) = &command {
                self.await_reply(command);
            }
            if write(to, &waiting.frame.wire, mode).await.is_err() {
                return Outcome::BrowserGone;
            }
            if let Some(command) = command {
                self.shared
                    .note(|state| state.ledger.forwarded(command.place, &command.method));
                if let Some(end) = self.shared.trap(&command.method, DropWhen::After) {
                    return Outcome::Ended(end);
                }
            }
        }
    }

    async fn write_down(
        &self,
        to: &mut (impl AsyncWrite + Unpin),
        mut frames: mpsc::Receiver<Waiting>,
        mut injected: mpsc::Receiver<Vec<u8>>,
        mut orders: watch::Receiver<Order>,
    ) -> Outcome {
        loop {
            let Order { mode, finish, .. } = orders.borrow_and_update().clone();
            if let Some(Finish::Close { code, reason, hold }) = &finish {
                let _ = to.write_all(&frame::close(*code, reason)).await;
                return Outcome::Closed { hold: *hold };
            }
            let waiting = tokio::select! {
                biased;
                changed = orders.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return Outcome::BrowserGone,
                },
                Some(bytes) = injected.recv() => match to.write_all(&bytes).await {
                    Ok(()) => continue,
                    Err(_) => return Outcome::ClientGone,
                },
                waiting = frames.recv(), if !mode.stall_down => waiting,
            };
            let Some(waiting) = waiting else {
                return Outcome::BrowserGone;
            };
            pace(&waiting, mode).await;
            match self.reply_order(&waiting.frame) {
                Some(AtReply::Swallow) => continue,
                Some(AtReply::Drop(end)) => return Outcome::Ended(end),
                None => {}
            }
            if finish == Some(Finish::Cut) && waiting.frame.can_be_cut() {
                let _ = to
                    .write_all(&waiting.frame.wire[..waiting.frame.middle()])
                    .await;
                return Outcome::Cut;
            }
            if write(to, &waiting.frame.wire, mode).await.is_err() {
                return Outcome::ClientGone;
            }
        }
    }

    /// Enters a command into the ledger.
    fn note(&self, frame: &Frame) -> Option<Command> {
        if frame.opcode != frame::TEXT {
            return None;
        }
        let text = String::from_utf8(frame.payload(usize::MAX)).ok()?;
        let Envelope { id, method } = Envelope::of(&text, frame.fin)?;
        let head = text
            .get(..text.floor_char_boundary(4096))
            .unwrap_or_default()
            .to_owned();
        let seen = Seen {
            connection: self.number,
            id,
            method: method.clone(),
            text: head,
            forwarded: false,
        };
        let place = self.shared.note(|state| state.ledger.saw(seen));
        Some(Command { id, method, place })
    }

    fn await_reply(&self, command: &Command) {
        let order = if self.shared.swallows(&command.method) {
            AtReply::Swallow
        } else if let Some(end) = self.shared.trap(&command.method, DropWhen::AtReply) {
            AtReply::Drop(end)
        } else {
            return;
        };
        self.replies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(command.id, order);
    }

    fn reply_order(&self, frame: &Frame) -> Option<AtReply> {
        let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        if replies.is_empty() || frame.opcode != frame::TEXT {
            return None;
        }
        // Chromium writes the id of a reply first.
        let head = frame.payload(32);
        let digits = head.strip_prefix(br#"{"id":"#)?;
        let digits = digits.split(|byte| !byte.is_ascii_digit()).next()?;
        replies.remove(&std::str::from_utf8(digits).ok()?.parse().ok()?)
    }
}

struct Command {
    id: i64,
    method: String,
    place: usize,
}

#[derive(Deserialize)]
struct Envelope {
    id: i64,
    method: String,
}

impl Envelope {
    /// From a whole message, or from the first fragment of a long one, whose `id` and `method` come early.
    fn of(text: &str, whole: bool) -> Option<Self> {
        if whole {
            return serde_json::from_str(text).ok();
        }
        let after = |key| text.split_once(key).map(|(_, rest)| rest);
        let id = after("\"id\":")?
            .split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse()
            .ok()?;
        let method = after("\"method\":\"")?.split('"').next()?.to_owned();
        Some(Self { id, method })
    }
}

/// Waits until a frame is due.
async fn pace(waiting: &Waiting, mode: Mode) {
    if !mode.throttle.latency.is_zero() {
        tokio::time::sleep_until(waiting.came + mode.throttle.latency).await;
    }
}

/// Writes at the allowed rate, in twenty pieces per second.
async fn write(
    to: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    mode: Mode,
) -> std::io::Result<()> {
    let Some(rate) = mode.throttle.bytes_per_second else {
        return to.write_all(bytes).await;
    };
    let piece = usize::try_from(rate / 20).unwrap_or(usize::MAX).max(1);
    for part in bytes.chunks(piece) {
        to.write_all(part).await?;
        tokio::time::sleep(Duration::from_secs_f64(
            part.len() as f64 / rate.max(1) as f64,
        ))
        .await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_fragment_is_enough_to_know_the_command() {
        let envelope = Envelope::of(
            r#"{"id":7,"method":"Page.setDocumentContent","params":{"html":"<"#,
            false,
        );
        assert!(
            envelope.is_some_and(|e| (e.id, e.method.as_str()) == (7, "Page.setDocumentContent"))
        );
    }
}
