//! The daemon as its clients meet it: a real socket, real files, real requests.
#![allow(clippy::unwrap_used)] // a test may panic; so may what helps it

mod doors;
mod handshake;
mod home;
mod race;
mod socket;
