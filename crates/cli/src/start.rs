//! From the process start to the exit code: which of our roles this process plays.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _};
use keeptab_daemon::{ApiError, Code, exit};

use crate::app::App;
use crate::args::{Cli, Globals};
use crate::output::Output;
use crate::{commands, harness, hints, plain, prefix};

/// The name under which we answer as that tool does.
const HARNESS: &str = "browser-harness-js";

/// Runs the program.
pub(crate) fn start() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    // The worker and the keeper are started by us only, and must not pay for anything else.
    match args.get(1).and_then(|arg| arg.to_str()) {
        Some("js-worker") => commands::js_worker::run(),
        Some("keeper") => return commands::keeper::run(&args[2..]),
        _ => {}
    }
    let called = args.first().and_then(|arg| Path::new(arg).file_name());
    if called.is_some_and(|name| name == HARNESS) {
        return harness::run(&args[1..]);
    }
    if let Some((globals, code)) = plain::snippet(args.get(1..).unwrap_or_default()) {
        return finish(globals, |app| commands::js::run_code(app, code));
    }
    match parse(args) {
        Ok(cli) => {
            let Cli { globals, command } = cli;
            finish(globals, |app| commands::dispatch(command, app))
        }
        Err(code) => code,
    }
}

/// Runs one command and reports its error, if any.
pub(crate) fn finish(
    globals: Globals,
    command: impl FnOnce(&mut App) -> Result<u8, ApiError>,
) -> ExitCode {
    let mut app = App::new(globals);
    let outcome = command(&mut app);
    app.report_notice();
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            app.output().error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn parse(args: Vec<OsString>) -> Result<Cli, ExitCode> {
    let json = args.iter().any(|arg| arg == "--json");
    let named = hints::session_named(&args);
    let usage = |error: &ApiError| {
        let output = Output::new(json, false, false).for_session(named.clone());
        output.error(error);
        ExitCode::from(error.exit_code())
    };
    // The grammar is large; it is set up once.
    let mut grammar = Cli::command();
    grammar.build();
    let args = prefix::expand(&grammar, args).map_err(|error| usage(&error))?;
    let parsed = grammar.try_get_matches_from_mut(args.iter());
    let cli =
        parsed.and_then(|matches| Cli::of(&matches).map_err(|error| error.format(&mut grammar)));
    cli.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nothing can be done about a closed terminal.
            drop(error.print());
            ExitCode::from(exit::OK)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            drop(error.print());
            ExitCode::from(exit::USAGE)
        }
        _ => usage(&explain(&error, command_in(&grammar, &args).as_deref())),
    })
}

/// The command on a command line.
fn command_in(known: &Command, args: &[OsString]) -> Option<String> {
    let mut words = args.iter().skip(1).filter_map(|arg| arg.to_str());
    words
        .find(|word| *word != "help" && known.find_subcommand(word).is_some())
        .map(str::to_owned)
}

/// One line and what to type next, in place of clap's page.
fn explain(error: &clap::Error, command: Option<&str>) -> ApiError {
    let rendered = error.render().to_string();
    let mut lines = rendered
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let mut message = lines
        .next()
        .unwrap_or("the command line is wrong")
        .to_owned();
    if let Some(rest) = message.strip_prefix("error: ") {
        message = rest.to_owned();
    }
    // "the following required arguments were not provided:" goes on in the next lines.
    if message.ends_with(':') {
        let rest: Vec<&str> = lines
            .by_ref()
            .take_while(|line| !line.starts_with("Usage:"))
            .collect();
        message = format!("{message} {}", rest.join(", "));
    }
    let tip = rendered
        .lines()
        .find_map(|line| line.trim().strip_prefix("tip: ").map(str::to_owned));
    let usage = rendered.lines().find_map(|line| {
        line.trim()
            .strip_prefix("Usage: ")
            .map(|usage| format!("usage: {usage}"))
    });
    let hint = tip.or(usage).unwrap_or_else(|| match command {
        Some(command) => format!("keeptab help {command}"),
        None => "keeptab help".into(),
    });
    ApiError::new(Code::Invalid, message).hint(hint)
}
