//! Tests of the public face of the crate.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arbitrary;
mod classes;
mod handles;
mod raw;
mod spec;
mod typed;
mod validate;
