//! keeptab as a library, over a WebSocket.

use keeptab_bench_clients::Product;
use keeptab_bench_kit::{Failure, hello, serve};
use keeptab_browser::{Endpoint, Options, Session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    // As a task, where a program's work is: what `main` itself awaits costs the runtime one look at
    // the kernel more at every turn.
    tokio::spawn(async {
        let place = hello()?;
        let session = Session::connect(Endpoint::Ws(place.ws.clone()), Options::new()).await?;
        serve(&mut Product::new(session), &place).await
    })
    .await
    .map_err(|_| Failure("the client panicked".into()))?
}
