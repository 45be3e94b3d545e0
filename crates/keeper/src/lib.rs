//! The keeper: a small process that owns a browser's pipe and outlives the daemon.
mod args;
mod buffer;
mod child;
mod control;
mod door;
mod ending;
mod error;
mod found;
mod keeper;
mod ledger;
mod owner;
mod passing;
mod run;
mod signals;
mod spawn;
mod state;
pub mod wire;

pub use error::{SpawnError, SpawnErrorKind};
pub use found::{Found, STATE_SUFFIX, list};
pub use run::run;
pub use spawn::{SpawnArgs, Spawned, spawn};
pub use state::{Life, State};
