//! The floor over a WebSocket.

use keeptab_bench_clients::{Floor, WebSocket, at_once};
use keeptab_bench_kit::{Failure, hello, serve};

fn main() -> Result<(), Failure> {
    let place = hello()?;
    let mut client = Floor::new(WebSocket::connect(&place.ws)?);
    at_once(serve(&mut client, &place))
}
