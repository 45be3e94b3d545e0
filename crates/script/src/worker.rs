//! The worker: one process, one JavaScript context, one thread.
//!
//! Everything it does is a *turn*: something came in (code, an answer, an event, a timer), JavaScript runs until
//! it has nothing left to do, and what it wants to say goes out. Each turn belongs to one eval, whose deadline
//! bounds it.

mod compile;
pub(crate) mod confine;
mod input;
mod natives;
mod number;
mod output;
mod prelude;
mod print;
mod rehearsal;
mod run;
mod state;
mod timers;
mod urls;

pub use run::{confine_this_process, worker_main};
