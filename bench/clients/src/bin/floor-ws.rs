//! The floor over a WebSocket.

use keeptab_bench_clients::{Floor, WebSocket, at_once};
use keeptab_bench_kit::{Failure, hello, serve};
use std::net::TcpStream;

fn main() -> Result<(), Failure> {
    let place = hello()?;
    at_once(async {
        let wire = WebSocket::<TcpStream>::connect(&place.ws).await?;
        serve(&mut Floor::new(wire), &place).await
    })
}
