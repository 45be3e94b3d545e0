//! `cargo xtask test`: installs what the tests need and runs all of them.

use crate::machine::{self, Consent};
use crate::steps::{Failed, Steps, cargo, finish};
use std::process::{Command, ExitCode};

/// Runs the command with the arguments that follow its name.
pub(crate) fn run(mut args: impl Iterator<Item = String>) -> ExitCode {
    if let Some(argument) = args.next() {
        eprintln!(
            "test: unknown argument '{argument}'; for a part of the tests: cargo nextest run -p keeptab-link"
        );
        return ExitCode::from(2);
    }
    finish(all())
}

/// The cheap checks first, and the tests last, so that their summary is the last line.
fn all() -> Result<(), Failed> {
    let mut steps = Steps::new(8);

    steps.next("a browser to test with");
    let browser = machine::chromium(Consent::Given)?;
    println!("      {}", browser.display());
    steps.done();

    steps
        .run("formatting", cargo().args(["fmt", "--all", "--check"]))
        .map_err(|f| f.hint("cargo fmt --all"))?;
    let own = std::env::current_exe()
        .map_err(|error| Failed::new(format!("cannot find xtask: {error}")))?;
    steps.run(
        "generated files are what codegen writes",
        Command::new(own).args(["codegen", "--check"]),
    )?;
    steps.run(
        "lints",
        cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]),
    )?;

    steps.next("dependencies: licences, advisories, sources");
    if machine::has("cargo-deny", "--version") {
        // Advisories need the network's database; licences, bans and sources do not.
        crate::steps::run(cargo().args(["deny", "check", "bans", "licenses", "sources"]))?;
        steps.done();
    } else {
        steps.skipped("cargo-deny is not installed (cargo install cargo-deny --locked)");
    }

    // Built before they run: some tests start this program, and none of them shall wait for its build.
    steps.run(
        "the program",
        cargo().args(["build", "--locked", "-p", "keeptab", "--bin", "keeptab"]),
    )?;

    if machine::has("cargo-nextest", "nextest") || machine::has("cargo", "nextest") {
        steps.run(
            "examples in the documentation",
            cargo().args(["test", "--workspace", "--doc", "--locked"]),
        )?;
        steps.next("tests");
        crate::steps::run(cargo().args([
            "nextest",
            "run",
            "--workspace",
            "--locked",
            "--no-fail-fast",
        ]))
    } else {
        // Building nextest takes longer than it saves here.
        steps.next("examples in the documentation");
        steps.skipped(
            "cargo-nextest is not installed; cargo test runs them together with the tests",
        );
        steps.next("tests");
        crate::steps::run(cargo().args(["test", "--workspace", "--locked"]))
    }
}
