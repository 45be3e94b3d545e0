//! A proxy that stands between a CDP client and the browser and plays a fault when it is told to.

mod frame;
mod http;
mod ledger;
mod listen;
mod queue;
mod relay;
mod state;
mod verbs;

pub use ledger::Seen;
pub use verbs::{Answer, Direction, DropWhen, How, Throttle};

use listen::Refuse;
use state::{Mode, Shared, Upstream};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use verbs::{DropOn, End, Finish, Gate};

/// A running proxy on 127.0.0.1. It starts in the state of [`pass`](Self::pass). Dropping it ends every connection.
///
/// Verbs act at once and in the background; those that hit connections return how many there were, so that a test can
/// see that its fault hit something.
#[derive(Debug)]
pub struct FaultProxy {
    shared: Arc<Shared>,
    refuse: mpsc::Sender<Refuse>,
    accepting: AbortHandle,
}

impl FaultProxy {
    /// Starts a proxy in front of `upstream`: a `ws://` or `http://` address or `host:port`.
    ///
    /// # Panics
    /// When `upstream` names no port or nothing can be bound on 127.0.0.1.
    pub async fn start(upstream: &str) -> Self {
        let upstream = Upstream::parse(upstream);
        crate::background::run(async move {
            let listener =
                listen::bind(None).unwrap_or_else(|error| panic!("cannot listen: {error}"));
            let own = listener
                .local_addr()
                .unwrap_or_else(|error| panic!("no address: {error}"));
            let shared = Arc::new(Shared::new(own, upstream));
            let (refuse, orders) = mpsc::channel(4);
            let accepting =
                tokio::spawn(listen::accept(listener, shared.clone(), orders)).abort_handle();
            Self {
                shared,
                refuse,
                accepting,
            }
        })
        .await
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.shared.own
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.shared.own.port()
    }

    /// Its address as `http://127.0.0.1:PORT`, for `/json/version`.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.shared.own)
    }

    /// The upstream's WebSocket address, through the proxy. Its path is that of the `ws://` address given at the start.
    pub fn ws_url(&self) -> String {
        format!(
            "ws://{}{}",
            self.shared.own,
            self.shared.lock().upstream.path
        )
    }

    /// New connections go to this upstream from now on.
    ///
    /// # Panics
    /// When `upstream` names no port.
    pub fn set_upstream(&self, upstream: &str) {
        self.shared.lock().upstream = Upstream::parse(upstream);
    }

    // What can go wrong.

    /// Ends every fault: bytes flow again, connections are taken again. What was held back flows on.
    pub fn pass(&self) {
        self.shared.lock().gate = None;
        self.shared.set_mode(|mode| *mode = Mode::default());
    }

    /// Resets every connection (TCP RST).
    pub fn rst(&self) -> usize {
        self.shared.end_all(End::Rst)
    }

    /// Ends every connection without a close frame (TCP FIN).
    pub fn fin(&self) -> usize {
        self.shared.end_all(End::Fin)
    }

    /// Sends a close frame on every connection, then ends it.
    pub fn close(&self, code: u16, reason: &str) -> usize {
        self.shared.finish_all(&Finish::Close {
            code,
            reason: reason.into(),
            hold: false,
        })
    }

    /// Sends a close frame on every connection and leaves TCP open.
    pub fn close_held(&self, code: u16, reason: &str) -> usize {
        self.shared.finish_all(&Finish::Close {
            code,
            reason: reason.into(),
            hold: true,
        })
    }

    /// Cuts every connection in the middle of the next frame from the browser.
    pub fn cut_mid_frame(&self) -> usize {
        self.shared.finish_all(&Finish::Cut)
    }

    /// Holds back all bytes of this direction, on every connection and on new ones (whose handshake hangs), until
    /// [`pass`](Self::pass). When the client goes away meanwhile, what it sent is lost, as in a network that swallows it.
    pub fn stall(&self, direction: Direction) {
        self.shared.set_mode(|mode| mode.stall(direction));
    }

    /// Like [`stall`](Self::stall), but only for the connections that exist now; new ones work.
    pub fn stall_current(&self, direction: Direction) -> usize {
        self.shared.set_mode_of_live(|mode| mode.stall(direction))
    }

    /// Holds back everything on the connections that exist now, but answers WebSocket pings: the transport is alive and the
    /// browser is not.
    pub fn stall_answering_pings(&self) -> usize {
        self.shared.set_mode_of_live(|mode| {
            mode.stall(Direction::Both);
            mode.answer_pings = true;
        })
    }

    /// Slows every connection down.
    pub fn throttle(&self, throttle: Throttle) {
        self.shared.set_mode(|mode| mode.throttle = throttle);
    }

    /// Refuses new connections (nothing listens) for so long. Returns when that is in force.
    pub async fn refuse_for(&self, time: Duration) {
        let (done, in_force) = oneshot::channel();
        if self.refuse.send(Refuse { time, done }).await.is_ok() {
            let _ = in_force.await;
        }
    }

    /// Answers WebSocket upgrades with a status for so long, instead of passing them on.
    pub fn answer_upgrades(&self, answer: Answer, time: Duration) {
        self.shared.lock().gate = Some(Gate::new(answer, time));
    }

    /// Whether the browser's side of a connection stays open when the proxy or the client ends the client's side, as with
    /// a client that vanished. Setting it to `false` ends those that were held.
    pub fn hold_upstream(&self, hold: bool) {
        let mut state = self.shared.lock();
        state.hold_upstream = hold;
        if !hold {
            state.held.clear();
        }
    }

    /// Swallows the reply to the next command of this method.
    pub fn swallow_reply(&self, method: &str) {
        self.shared.lock().swallow.push(method.to_owned());
    }

    /// Drops the connection on the next command of this method.
    pub fn drop_on(&self, method: &str, when: DropWhen, how: How) {
        self.shared.lock().drop_on.push(DropOn {
            method: method.to_owned(),
            when,
            how,
        });
    }

    // What was seen.

    /// TCP connections taken so far, also those for `/json/version`.
    pub fn connections(&self) -> u64 {
        self.shared.lock().ledger.accepted
    }

    /// WebSocket connections made so far.
    pub fn upgrades(&self) -> u64 {
        self.shared.lock().ledger.upgraded
    }

    /// Upgrades that were answered with a status, by [`answer_upgrades`](Self::answer_upgrades).
    pub fn turned_away(&self) -> u64 {
        self.shared.lock().ledger.turned_away
    }

    /// WebSocket connections that are open now.
    pub fn live(&self) -> usize {
        self.shared.lock().live.len()
    }

    /// Sockets to the browser that are held open without a client, see [`hold_upstream`](Self::hold_upstream).
    pub fn held(&self) -> usize {
        self.shared.lock().held.len()
    }

    /// How often a client sent this method.
    pub fn count(&self, method: &str) -> u64 {
        self.shared.lock().ledger.count(method).0
    }

    /// How often this method was passed on to the browser.
    pub fn forwarded(&self, method: &str) -> u64 {
        self.shared.lock().ledger.count(method).1
    }

    /// The commands seen so far, in order; the first 50,000 of them.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.lock().ledger.seen().to_vec()
    }

    /// Waits until `condition` holds.
    ///
    /// # Panics
    /// When it does not within a minute; `what` is in the message.
    pub async fn until(&self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let mut changes = self.shared.changes.subscribe();
        let mut met = async || {
            while !condition(self) {
                let _ = changes.changed().await;
            }
        };
        // The clock is the background thread's: the caller's may be paused.
        let patience = crate::background::run(tokio::time::sleep(Duration::from_secs(60)));
        tokio::select! {
            () = met() => {}
            () = patience => panic!("not within a minute: {what}"),
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.shared.lock().held.clear();
        self.shared.end_all(End::Rst);
    }
}

#[cfg(test)]
mod tests;
