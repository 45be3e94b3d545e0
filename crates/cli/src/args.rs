//! The grammar: one definition for parsing, help and completions.

use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, FromArgMatches as _, Parser, Subcommand};

use crate::commands;

/// Durable browser sessions for agents: the socket may drop, the session does not.
#[derive(Debug, Parser)]
#[command(
    name = "keeptab",
    version,
    disable_version_flag = true,
    disable_help_subcommand = false,
    max_term_width = 100,
    after_help = EXAMPLES,
    after_long_help = EXAMPLES_AND_CODES,
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// What a command line says.
    pub(crate) fn of(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut cli = Self::from_arg_matches(matches)?;
        let source = matches.value_source("session");
        cli.globals.is_session_named = source == Some(ValueSource::CommandLine);
        Ok(cli)
    }
}

const EXAMPLES: &str = "\
Examples:
  keeptab open https://example.com        launch a browser and open a tab
  keeptab js '(await session.Runtime.evaluate({expression: \"document.title\"})).result.value'
  keeptab tab                             what is open
  keeptab close                           end the session and its browser

Command names may be shortened as long as they are unique: keeptab sess";

const EXAMPLES_AND_CODES: &str = "\
Examples:
  keeptab open https://example.com        launch a browser and open a tab
  keeptab js 'await session.Page.navigate({url: \"https://example.com/login\"})'
  keeptab js '(await session.Runtime.evaluate({expression: \"document.title\"})).result.value'
  keeptab --session shop attach --port 9222
  keeptab tab                             what is open
  keeptab close                           end the session and its browser

Command names may be shortened as long as they are unique: keeptab sess

Exit codes:
  0    it happened
  1    it failed: the page or the browser said no
  2    the command line is wrong
  3    partial: some items failed, and are named
  4    outcome unknown: it left us and the answer was lost
  5    a person must act
  6    not there: no such session, tab or name
  7    refused by policy
  8    no connection, and recovery gave up
  124  the deadline passed

Files: KEEPTAB_HOME holds everything when set; otherwise the socket is in
$XDG_RUNTIME_DIR/keeptab, profiles and log in $XDG_DATA_HOME/keeptab.";

/// What every command understands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// The session to work in
    #[arg(long, short, global = true, env = "KEEPTAB_SESSION", default_value = DEFAULT_SESSION,
          hide_env_values = true, value_name = "NAME")]
    pub(crate) session: String,
    /// Whether the session was named by flag, so that hints must name it too
    #[arg(skip)]
    pub(crate) is_session_named: bool,
    /// Print one JSON object instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How long the command may take: 500ms, 30s, 2m
    #[arg(long, global = true, default_value = "30s", value_parser = parse_duration,
          value_name = "DURATION")]
    pub(crate) timeout: Duration,
    /// Print results and errors only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more about what happens
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

const DEFAULT_SESSION: &str = "default";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

impl Globals {
    /// What holds when no flag is given.
    pub(crate) fn from_env() -> Self {
        let session = std::env::var("KEEPTAB_SESSION").unwrap_or_else(|_| DEFAULT_SESSION.into());
        Globals {
            session,
            is_session_named: false,
            json: false,
            timeout: DEFAULT_TIMEOUT,
            quiet: false,
            verbose: false,
        }
    }
}

/// The commands, in the order of the help page.
#[derive(Debug, Subcommand)]
#[allow(
    clippy::large_enum_variant,
    reason = "one value in a process, parsed once"
)]
pub(crate) enum Command {
    Open(commands::open::Args),
    Attach(commands::attach::Args),
    Sessions(commands::sessions::Args),
    Status(commands::status::Args),
    Reconnect(commands::reconnect::Args),
    Adopt(commands::adopt::Args),
    Close(commands::close::Args),
    Tab(commands::tab::Args),
    Dialog(commands::dialog::Args),
    Js(commands::js::Args),
    Console(commands::console::Args),
    Network(commands::network::Args),
    Clear(commands::clear::Args),
    Spec(commands::spec::Args),
    Browsers(commands::browsers::Args),
    Doctor(commands::doctor::Args),
    Sweep(commands::sweep::Args),
    Daemon(commands::daemon::Args),
    Completions(commands::completions::Args),
    Version(commands::version::Args),
}

/// Reads `500ms`, `30s`, `1.5m`, `2h` or plain seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write it like 500ms, 30s or 2m".to_owned();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit.trim() {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(wrong()),
    };
    // A day; beyond it something else than waiting is meant.
    if seconds > 86_400.0 {
        return Err("longer than a day".into());
    }
    if seconds < 0.001 {
        return Err("too short to do anything; write it like 500ms, 30s or 2m".into());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("1.5m", 90_000),
            ("2", 2000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "",
            "s",
            "-1s",
            "5 fortnights",
            "0",
            "25h",
            "1..5s",
            "nan",
            "inf",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_grammar_holds_together() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn the_plain_defaults_are_those_of_the_parser() {
        let parsed = Cli::try_parse_from(["keeptab", "version"]).unwrap().globals;
        let plain = Globals::from_env();
        assert_eq!(
            (parsed.session, parsed.timeout),
            (plain.session, plain.timeout)
        );
    }
}
