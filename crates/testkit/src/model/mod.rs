//! A browser made of rules: what Chromium keeps and what it drops when a connection ends, without Chromium.
//!
//! It is pure: no sockets, no clock, no threads. Messages go in with [`ModelBrowser::receive`] and come out of
//! [`ModelBrowser::poll`]; everything that happens *to* a browser (a tab is closed, a renderer crashes, a dialog opens, the
//! process dies) is a method. The conformance suite asks it and a real Chromium the same questions, so that the
//! two cannot drift apart; the simulation of the link then runs for days of virtual time against it.

mod answer;
mod browser;
mod connection;
mod dispatch;
mod evaluate;
mod page;
mod target;

pub use browser::{ConnectionId, ModelBrowser};
pub use target::{DialogKind, ModelDialog};
