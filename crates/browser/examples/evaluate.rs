//! Evaluates JavaScript in a new tab, and says how long a round trip takes.
//!
//! ```text
//! cargo run --release -p keeptab-browser --example evaluate -- '1 + 1' 1000
//! cargo run --release -p keeptab-browser --example evaluate -- 'document.title' 1 ws://127.0.0.1:9222/devtools/browser/…
//! ```
use std::error::Error;
use std::time::Instant;

use keeptab_browser::{CallOptions, End, Endpoint, LaunchOptions, Options, Session};
use keeptab_protocol::{Raw, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    // In a task of its own: on a current-thread runtime the outermost future is woken by way of the
    // operating system, which costs each call about two microseconds.
    tokio::spawn(run(std::env::args().collect())).await?
}

async fn run(args: Vec<String>) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut args = args.into_iter().skip(1);
    let expression = args.next().unwrap_or_else(|| "1 + 1".to_owned());
    let times: usize = args.next().map_or(Ok(1), |times| times.parse())?;
    let (session, end) = match args.next() {
        Some(url) => {
            let session = Session::connect(Endpoint::Ws(url), Options::new()).await?;
            (session, End::Detach)
        }
        None => {
            let session = Session::launch(LaunchOptions::new(), Options::new()).await?;
            (session, End::Browser)
        }
    };
    let tab = session.new_tab("about:blank").await?;
    let mut command = runtime::Evaluate::new(expression);
    command.return_by_value = Some(true);
    command.await_promise = Some(true);
    let params = Raw::of(&command)?;
    let mut trips = Vec::new();
    for round in 0..times.max(1) {
        let begun = Instant::now();
        let call = tab.call_raw("Runtime.evaluate", params.clone(), CallOptions::new());
        let reply = call.await?;
        trips.push(begun.elapsed());
        if round == 0 {
            println!("{}", reply.raw);
        }
    }
    trips.sort();
    println!(
        "{} round trips, median {:?}",
        trips.len(),
        trips[trips.len() / 2]
    );
    tab.close().await?;
    session.close(end).await;
    Ok(())
}
