//! Developer commands: `cargo xtask <command>`.
use std::process::ExitCode;

mod codegen;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("codegen") => codegen::run(args),
        other => usage(other),
    }
}

fn usage(unknown: Option<&str>) -> ExitCode {
    if let Some(name) = unknown {
        eprintln!("xtask: no command '{name}'");
    }
    eprintln!("usage: cargo xtask codegen [--check | --fetch]");
    ExitCode::from(2)
}
