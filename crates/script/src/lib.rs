//! JavaScript for a session: a sandbox in a process of its own, and the REPL that keeps one per session.
//!
//! A [`Repl`] runs code against the browser session of its [`Host`]. The code runs in a worker process
//! ([`worker_main`]) that has no files, no network and no environment, and that is killed from outside when it does not
//! stop at its deadline; [`Pool`] keeps one ready. [`dts`] declares what snippets see.
#![forbid(unsafe_code)]

mod connection;
mod driver;
mod dts;
mod evals;
mod frame;
mod host;
mod limits;
mod ops;
mod outcome;
mod pool;
mod process;
mod repl;
mod sent;
mod spec;
mod wire;
mod worker;

pub use dts::{describe_global, dts};
pub use host::{BoxFuture, Command, ConnectOptions, Connection, Feed, Host, Notice, Wanted};
pub use limits::Limits;
pub use outcome::{ErrorKind, EvalOutcome, ScriptError};
pub use pool::Pool;
pub use process::Program;
pub use repl::{EvalRequest, Repl};
pub use wire::Assigned;
#[doc(hidden)]
pub use worker::confine_this_process;
pub use worker::worker_main;
