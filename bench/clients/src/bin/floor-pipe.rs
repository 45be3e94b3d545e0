//! The floor over a pipe, with a browser of its own.

use keeptab_bench_clients::{Floor, Pipe, at_once};
use keeptab_bench_kit::{Failure, hello, serve};

fn main() -> Result<(), Failure> {
    let place = hello()?;
    let mut client = Floor::new(Pipe::start(&place)?);
    let served = at_once(serve(&mut client, &place));
    if place.cold && served.is_ok() {
        // The first result is here; the browser ends by itself when its pipe does, and nobody waits for that.
        std::process::exit(0);
    }
    served
}
