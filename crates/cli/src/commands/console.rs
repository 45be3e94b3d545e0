//! `keeptab console`: what the pages said.

use std::path::PathBuf;

use clap::Subcommand;
use keeptab_daemon::ApiError;

use crate::app::App;
use crate::entries::{Which, list, save, show};

/// Show what the page said: console messages, exceptions, the browser's own log
///
/// One numbered line per entry of the active tab; a number shows all that is known of that entry.
/// Entries outlast lost connections, closed tabs and the daemon. Where some may be missing there
/// is a line of its own, which no filter but --since and --range hides: from when to when, why,
/// and what the browser still had.
///
/// Types: error, warning, info, debug; a call such as log, table or trace; exception; a source of
/// the browser's log such as network or security.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  keeptab console
  keeptab console 7                       all that is known of entry 7
  keeptab console --type error,exception --since 5m
  keeptab console --all --find checkout
  keeptab console save console.txt        or .json, .jsonl"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// The number of an entry
    #[arg(value_name = "N")]
    number: Option<u64>,
    #[command(flatten)]
    which: Which,
}

/// What else to do with entries.
#[derive(Debug, Subcommand)]
enum Action {
    /// Write the entries to a file
    Save {
        /// The file; .json and .jsonl get objects, others lines
        file: PathBuf,
        #[command(flatten)]
        which: Which,
    },
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    match (args.action, args.number) {
        (Some(Action::Save { file, which }), _) => save(app, "console", which.query(), &file),
        (None, Some(number)) => show(app, "console", number),
        (None, None) => list(app, "console", args.which.query()),
    }
}
