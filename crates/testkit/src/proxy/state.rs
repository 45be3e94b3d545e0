//! What the proxy and its connections share.

use super::ledger::Ledger;
use super::verbs::{Answer, Direction, DropOn, DropWhen, End, Finish, Gate, Throttle};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::net::TcpStream;
use tokio::sync::watch;

/// The real endpoint.
#[derive(Debug, Clone)]
pub(super) struct Upstream {
    pub(super) target: String,
    pub(super) path: String,
}

impl Upstream {
    pub(super) fn parse(text: &str) -> Self {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (target, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        assert!(
            target
                .rsplit_once(':')
                .is_some_and(|(_, port)| port.parse::<u16>().is_ok()),
            "no port in {text:?}"
        );
        Self {
            target: target.to_owned(),
            path: if path.is_empty() {
                "/".into()
            } else {
                path.to_owned()
            },
        }
    }
}

/// How bytes flow on a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Mode {
    pub(super) stall_up: bool,
    pub(super) stall_down: bool,
    pub(super) answer_pings: bool,
    pub(super) throttle: Throttle,
}

impl Mode {
    pub(super) fn stall(&mut self, direction: Direction) {
        self.stall_up |= direction != Direction::Down;
        self.stall_down |= direction != Direction::Up;
    }
}

/// What a connection is told.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    pub(super) mode: Mode,
    pub(super) end: Option<End>,
    pub(super) finish: Option<Finish>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) upstream: Upstream,
    pub(super) ledger: Ledger,
    pub(super) live: HashMap<u64, watch::Sender<Order>>,
    pub(super) gate: Option<Gate>,
    pub(super) hold_upstream: bool,
    pub(super) held: Vec<TcpStream>,
    pub(super) swallow: Vec<String>,
    pub(super) drop_on: Vec<DropOn>,
    /// For connections that are yet to come, and those in their handshake.
    mode: Mode,
}

/// The state behind its lock, and the news that something was counted.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) own: SocketAddr,
    pub(super) changes: watch::Sender<u64>,
    /// The mode of new connections, for those whose handshake waits.
    pub(super) mode: watch::Sender<Mode>,
    state: Mutex<State>,
}

impl Shared {
    pub(super) fn new(own: SocketAddr, upstream: Upstream) -> Self {
        let state = State {
            upstream,
            ledger: Ledger::default(),
            live: HashMap::new(),
            gate: None,
            hold_upstream: false,
            held: Vec::new(),
            swallow: Vec::new(),
            drop_on: Vec::new(),
            mode: Mode::default(),
        };
        Self {
            own,
            changes: watch::Sender::new(0),
            mode: watch::Sender::default(),
            state: Mutex::new(state),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and tells those who wait for a change.
    pub(super) fn note<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changes.send_modify(|n| *n += 1);
        result
    }

    /// Enters a connection that is now a WebSocket: its number and its orders.
    pub(super) fn enter(&self) -> (u64, watch::Receiver<Order>) {
        self.note(|state| {
            state.ledger.upgraded += 1;
            let number = state.ledger.upgraded;
            let (sender, orders) = watch::channel(Order {
                mode: state.mode,
                ..Order::default()
            });
            state.live.insert(number, sender);
            (number, orders)
        })
    }

    /// The answer for an upgrade, when the gate is shut.
    pub(super) fn turned_away(&self) -> Option<Answer> {
        self.note(|state| {
            let gate = state.gate.filter(|gate| Instant::now() < gate.until)?;
            state.ledger.turned_away += 1;
            Some(gate.answer)
        })
    }

    /// Takes the trap for this command and moment, when there is one.
    pub(super) fn trap(&self, method: &str, when: DropWhen) -> Option<End> {
        let mut state = self.lock();
        let at = state
            .drop_on
            .iter()
            .position(|trap| trap.method == method && trap.when == when)?;
        Some(state.drop_on.remove(at).how.into())
    }

    /// Takes the order to swallow this command's reply, when there is one.
    pub(super) fn swallows(&self, method: &str) -> bool {
        let mut state = self.lock();
        let at = state.swallow.iter().position(|name| name == method);
        at.map(|at| state.swallow.remove(at)).is_some()
    }

    pub(super) fn set_mode(&self, change: impl Fn(&mut Mode)) {
        change(&mut self.lock().mode);
        self.mode.send_modify(&change);
        self.set_mode_of_live(change);
    }

    pub(super) fn set_mode_of_live(&self, change: impl Fn(&mut Mode)) -> usize {
        self.order_all(|order| change(&mut order.mode))
    }

    pub(super) fn end_all(&self, end: End) -> usize {
        self.order_all(|order| order.end = Some(end))
    }

    pub(super) fn finish_all(&self, finish: &Finish) -> usize {
        self.order_all(|order| order.finish = Some(finish.clone()))
    }

    fn order_all(&self, change: impl Fn(&mut Order)) -> usize {
        let state = self.lock();
        for orders in state.live.values() {
            orders.send_modify(&change);
        }
        state.live.len()
    }
}
