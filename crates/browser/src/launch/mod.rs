//! Starting a browser of our own, and ending it.
//!
//! | file | subject |
//! |---|---|
//! | `options` | what a caller may choose |
//! | `flags` | the command line |
//! | `command` | the same, for a keeper that starts the browser |
//! | `profile` | the profile directory: making it, and who else uses it |
//! | `shortage` | a machine without space or descriptors |
//! | `start` | from options to a running browser |
//! | `spawn` | starting the program, with or without a pipe |
//! | `process` | watching over it until it has ended |
//! | `tail` | the last words of a program |
mod command;
mod flags;
mod options;
mod process;
mod profile;
mod shortage;
mod spawn;
mod start;
mod tail;

pub use command::LaunchCommand;
pub use options::{LaunchOptions, Profile, Via};
pub(crate) use process::Process;
pub use start::LaunchedBrowser;
pub(crate) use start::{Started, start};
