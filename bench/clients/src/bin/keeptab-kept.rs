//! keeptab as a library, with a keeper between it and the browser that it starts, as the daemon has it.

use keeptab_bench_clients::Product;
use keeptab_bench_kit::{Failure, Place, hello, serve};
use keeptab_browser::{Endpoint, LaunchOptions, Options, Session};
use keeptab_keeper::{SpawnArgs, spawn};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// When the keeper ends a browser whose client was ended.
const ORPHAN_AFTER: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let place = hello()?;
    let socket = start(&place)?;
    // As a task, where a program's work is, see `keeptab-pipe`.
    tokio::spawn(async move {
        let session = Session::connect(Endpoint::Keeper(socket), Options::new()).await?;
        serve(&mut Product::new(session), &place).await
    })
    .await
    .map_err(|_| Failure("the client panicked".into()))?
}

/// Starts a keeper by the program beside this one; returns its socket.
fn start(place: &Place) -> Result<PathBuf, Failure> {
    let mut launch = LaunchOptions::new()
        .executable(&place.chromium)
        .profile_dir(&place.profile);
    for flag in &place.flags {
        launch = launch.arg(flag);
    }
    let command = launch.command()?;
    let files = Path::new(&place.profile).join("kept");
    let args = SpawnArgs {
        program: std::env::current_exe()?.with_file_name("keeptab"),
        prefix: vec!["keeper".into()],
        socket: files.join("socket"),
        state: files.join("bench.keeper"),
        profile: command.profile_dir,
        browser: command.executable,
        flags: command.arguments,
        orphan_after: Some(ORPHAN_AFTER),
        start_patience: None,
    };
    let spawned = spawn(&args).map_err(|error| Failure(error.to_string()))?;
    Ok(spawned.socket)
}
