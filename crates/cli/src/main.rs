//! The `keeptab` program: it reads the command line, asks the daemon, prints, and ends with an
//! exit code that means something.
#![forbid(unsafe_code)]

mod app;
mod args;
mod commands;
mod entries;
mod harness;
mod hints;
mod output;
mod plain;
mod policies;
mod prefix;
mod start;
mod text;
mod watch;

fn main() -> std::process::ExitCode {
    start::start()
}
