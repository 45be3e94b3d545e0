//! The daemon: one process per user that holds the sessions, and the doors to it.
//!
//! | subject | where |
//! |---|---|
//! | files and directories | [`Paths`] |
//! | starting, finding, replacing and asking the daemon (no async) | [`client`] |
//! | being the daemon | [`run`] |
//! | what travels between the two | [`api`], [`Code`], [`ApiError`] |
//! | what a process ends with | [`exit`] |
//! | what is wrong on this machine | [`doctor`] |

pub mod api;
pub mod client;
pub mod doctor;
mod door;
mod error;
pub mod exit;
mod fds;
mod handover;
mod leftovers;
mod lock;
mod logfile;
mod observe;
mod paths;
mod policy;
mod registry;
mod routes;
mod run;
mod saver;
mod seal;
mod server;
mod session;
mod socket;
mod version;

pub use error::{ApiError, Code};
pub use paths::{PathError, Paths};
pub use run::{Config, Ended, StartError, run};
pub use version::Build;
