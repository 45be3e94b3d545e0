//! Faults between a session and a real Chromium, played by the proxy of the testkit.
//!
//! Each case asserts the same three things beside its own: the same tab with what was set on it, every pending command
//! ended as it must, and an effect that happened at most once.
#![allow(
    clippy::unwrap_used,
    reason = "in a test, a panic with its line is the report"
)]

mod browser_side;
mod holes;
mod processes;
mod refusals;
mod second_loss;
mod stage;
mod transport;
