//! A keeper on its own, for a container that holds a browser and nothing else.
//! The same as `keeptab keeper`, with fewer pages in memory.

use std::process::ExitCode;

fn main() -> ExitCode {
    keeptab_keeper::run(std::env::args_os().skip(1))
}
