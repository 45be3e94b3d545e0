//! keeptab as a library, over the pipe of a browser that it starts.

use keeptab_bench_clients::Product;
use keeptab_bench_kit::{Failure, hello, serve};
use keeptab_browser::{LaunchOptions, Options, Session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    // As a task, where a program's work is: what `main` itself awaits costs the runtime one look at
    // the kernel more at every turn.
    tokio::spawn(async {
        let place = hello()?;
        let mut launch = LaunchOptions::new()
            .executable(&place.chromium)
            .profile_dir(&place.profile);
        for flag in &place.flags {
            launch = launch.arg(flag);
        }
        let session = Session::launch(launch, Options::new()).await?;
        serve(&mut Product::new(session), &place).await
    })
    .await
    .map_err(|_| Failure("the client panicked".into()))?
}
