//! The floor over a WebSocket that waits in tokio instead of blocking: what an asynchronous client cannot go below, however
//! little it does.

use keeptab_bench_clients::{Floor, WebSocket};
use keeptab_bench_kit::{Failure, hello, serve};
use tokio::net::TcpStream;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    // As a task, for the reason given in keeptab-ws.
    tokio::spawn(async {
        let place = hello()?;
        let wire = WebSocket::<TcpStream>::connect(&place.ws).await?;
        serve(&mut Floor::new(wire), &place).await
    })
    .await
    .map_err(|_| Failure("the client panicked".into()))?
}
