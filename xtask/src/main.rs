//! Developer commands: `cargo xtask <command>`.

use std::process::ExitCode;

mod bench;
mod codegen;
mod demo;
mod machine;
mod program;
mod soak;
mod stage;
mod steps;
mod test;

const USAGE: &str = "usage: cargo xtask COMMAND
  demo [--yes]                  build keeptab, run the main job once, cut the socket, show that nothing was lost
  test                          install what the tests need and run all of them; this is what CI runs
  bench [--quick] [WORKLOAD…]   measure against the raw socket and other tools, write bench/RESULTS.md
  soak [--seeds N] [--hours H]  many seeds of the simulation: days of faults in virtual time
  codegen [--check | --fetch]   make the protocol crate's generated files anew";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("bench") => bench::run(args),
        Some("codegen") => codegen::run(args),
        Some("demo") => demo::run(args),
        Some("soak") => soak::run(args),
        Some("test") => test::run(args),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        other => {
            if let Some(name) = other {
                eprintln!("xtask: no command '{name}'");
            }
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}
