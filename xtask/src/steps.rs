//! Running one step after another: what runs, how long it took, and what to do when it fails.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// Why a command of ours stopped.
#[derive(Debug)]
pub(crate) struct Failed {
    what: String,
    hint: Option<String>,
}

impl Failed {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: None,
        }
    }

    /// With what to type next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

/// Turns the outcome of a whole command into its exit code, and says what failed.
pub(crate) fn finish(outcome: Result<(), Failed>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed { what, hint }) => {
            eprintln!("\nfailed: {what}");
            if let Some(hint) = hint {
                eprintln!("  next: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

/// A numbered list of steps.
#[derive(Debug)]
pub(crate) struct Steps {
    of: usize,
    number: usize,
    begun: Instant,
}

impl Steps {
    pub(crate) fn new(of: usize) -> Self {
        Self {
            of,
            number: 0,
            begun: Instant::now(),
        }
    }

    /// Says what comes next.
    pub(crate) fn next(&mut self, title: &str) {
        self.number += 1;
        self.begun = Instant::now();
        println!("\n[{}/{}] {title}", self.number, self.of);
    }

    /// Says how long the step took.
    pub(crate) fn done(&self) {
        println!("      ok, {}", seconds(self.begun.elapsed()));
    }

    /// Says that there was nothing to do.
    pub(crate) fn skipped(&self, why: &str) {
        println!("      skipped: {why}");
    }

    /// Runs one program as a step.
    pub(crate) fn run(&mut self, title: &str, command: &mut Command) -> Result<(), Failed> {
        self.next(title);
        run(command)?;
        self.done();
        Ok(())
    }
}

/// Runs a program to its end with our own input and output.
pub(crate) fn run(command: &mut Command) -> Result<(), Failed> {
    let shown = shown(command);
    println!("      $ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failed::new(format!("{shown} ({status})"))),
        Err(error) => Err(Failed::new(format!("cannot run {shown}: {error}"))),
    }
}

/// A program of the toolchain that builds this workspace, in its root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A time as people read it: `12.3 s`, `45 ms`.
pub(crate) fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default()
        .to_owned();
    let args = command
        .get_args()
        .map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(program)
        .chain(args)
        .collect::<Vec<_>>()
        .join(" ")
}
