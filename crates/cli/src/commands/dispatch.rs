//! From a parsed command line to the command.

use keeptab_daemon::ApiError;

use crate::app::App;
use crate::args::Command;

/// Runs a command; the number is the exit code of success, which only `status` makes another one.
///
/// # Errors
/// Whatever kept the command from happening.
pub(crate) fn dispatch(command: Command, app: &mut App) -> Result<u8, ApiError> {
    match command {
        Command::Open(args) => super::open::run(args, app),
        Command::Attach(args) => super::attach::run(args, app),
        Command::Sessions(args) => super::sessions::run(args, app),
        Command::Status(args) => super::status::run(args, app),
        Command::Reconnect(args) => super::reconnect::run(args, app),
        Command::Adopt(args) => super::adopt::run(args, app),
        Command::Close(args) => super::close::run(args, app),
        Command::Tab(args) => super::tab::run(args, app),
        Command::Dialog(args) => super::dialog::run(args, app),
        Command::Js(args) => super::js::run(args, app),
        Command::Console(args) => super::console::run(args, app),
        Command::Network(args) => super::network::run(args, app),
        Command::Clear(args) => super::clear::run(args, app),
        Command::Spec(args) => super::spec::run(args, app),
        Command::Browsers(args) => super::browsers::run(args, app),
        Command::Doctor(args) => super::doctor::run(args, app),
        Command::Sweep(args) => super::sweep::run(args, app),
        Command::Daemon(args) => super::daemon::run(args, app),
        Command::Completions(args) => super::completions::run(args, app),
        Command::Version(args) => super::version::run(args, app),
    }
}
