//! The hidden command that owns one browser and outlives the daemon.

use std::ffi::OsString;
use std::process::ExitCode;

/// Is the keeper until its browser ends.
pub(crate) fn run(args: &[OsString]) -> ExitCode {
    keeptab_keeper::run(args.iter().cloned())
}
