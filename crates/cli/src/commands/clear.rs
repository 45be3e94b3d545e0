//! `keeptab clear`: forgetting what was recorded.

use clap::ValueEnum;
use keeptab_daemon::ApiError;
use keeptab_daemon::api::{ClearRequest, Cleared};
use keeptab_daemon::client::Method;

use crate::app::App;

/// Forget what was recorded of all tabs of the session
///
/// Numbers go on: an entry that comes later never has the number of one that was cleared.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab clear
  keeptab clear network")]
pub(crate) struct Args {
    /// What to forget; both without it
    #[arg(value_enum, value_name = "STREAM")]
    stream: Option<Recorded>,
}

/// What can be forgotten.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Recorded {
    Console,
    Network,
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    let path = app.session_path("/clear")?;
    let stream = args.stream.map(|stream| match stream {
        Recorded::Console => "console".to_owned(),
        Recorded::Network => "network".to_owned(),
    });
    let request = ClearRequest { stream };
    app.request(Method::Post, &path, &request, |out, cleared: Cleared| {
        out.note(&format!(
            "cleared: {} of the console, {} of the network",
            cleared.console, cleared.network
        ));
    })
}
