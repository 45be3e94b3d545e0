//! The daemon as its clients meet it: a real socket, real files, real requests.

mod doors;
mod handshake;
mod home;
mod race;
mod socket;
