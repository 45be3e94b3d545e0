//! Tests of the buffers through their public interface.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod bodies;
mod bounds;
mod canary;
mod console;
mod events;
mod filters;
mod gaps;
mod network;
mod persist;
mod recorded;
mod rendering;
