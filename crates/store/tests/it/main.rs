//! Tests of the store through its public interface.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod conformance;
mod crash;
mod disk;
mod fault_vfs;
mod group;
mod helpers;
mod on_sqlite;
mod opening;
