//! `keeptab network`: what the pages asked for.

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use keeptab_daemon::ApiError;
use keeptab_daemon::api::EntriesQuery;

use crate::app::App;
use crate::args::parse_duration;
use crate::entries::{Which, list, parse_size, save, show};

/// Show what the page asked for: requests and answers
///
/// One numbered line per request of the active tab; a number shows headers, timing and body. Bodies
/// of documents, text and answers to scripts are kept, as far as they fit. A gap is a line of its
/// own: requests of that time cannot be recovered.
///
/// Types: document, xhr, fetch, script, stylesheet, image, font, websocket, …
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  keeptab network
  keeptab network 7                       headers, timing and body of entry 7
  keeptab network --status 4xx,5xx
  keeptab network --type xhr,fetch --url '*/api/*' --min-duration 500ms
  keeptab network save network.json       or .jsonl, .txt"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// The number of an entry
    #[arg(value_name = "N")]
    number: Option<u64>,
    #[command(flatten)]
    which: Requests,
}

/// What else to do with entries.
#[derive(Debug, Subcommand)]
enum Action {
    /// Write the entries to a file
    Save {
        /// The file; .json and .jsonl get objects, others lines
        file: PathBuf,
        #[command(flatten)]
        which: Requests,
    },
}

/// Which requests.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Filters")]
struct Requests {
    #[command(flatten)]
    which: Which,
    /// Only addresses that contain this; with * they must fit as a whole; or re:…
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Only this method
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// Only these statuses: 404, 4xx, 200-299, several with commas
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Only answers whose media type contains this
    #[arg(long, value_name = "TYPE")]
    mime: Option<String>,
    /// Only what failed, or was answered with 400 and above
    #[arg(long)]
    failed: bool,
    /// Only what took at least so long
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    min_duration: Option<Duration>,
    /// Only what is at least so large: 500, 10KB, 1MB
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    min_size: Option<u64>,
}

impl Requests {
    fn query(self) -> EntriesQuery {
        EntriesQuery {
            url: self.url,
            method: self.method,
            status: self.status,
            mime: self.mime,
            failed: self.failed,
            min_duration_ms: self.min_duration.map(|least| least.as_secs_f64() * 1e3),
            min_bytes: self.min_size,
            ..self.which.query()
        }
    }
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    match (args.action, args.number) {
        (Some(Action::Save { file, which }), _) => save(app, "network", which.query(), &file),
        (None, Some(number)) => show(app, "network", number),
        (None, None) => list(app, "network", args.which.query()),
    }
}
