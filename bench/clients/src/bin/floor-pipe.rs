//! The floor over a pipe, with a browser of its own.

use keeptab_bench_clients::{Floor, Pipe, at_once};
use keeptab_bench_kit::{Failure, hello, serve};

fn main() -> Result<(), Failure> {
    let place = hello()?;
    let mut client = Floor::new(Pipe::start(&place)?);
    at_once(serve(&mut client, &place))
}
