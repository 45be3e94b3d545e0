//! keeptab as a library, over a WebSocket.

use keeptab_bench_clients::Product;
use keeptab_bench_kit::{Failure, hello, serve};
use keeptab_browser::{Endpoint, Options, Session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let place = hello()?;
    let session = Session::connect(Endpoint::Ws(place.ws.clone()), Options::new()).await?;
    serve(&mut Product::new(session), &place).await
}
