//! The measured clients of ours: keeptab as a library, and the floor under it, the least a CDP client can do: blocking, one
//! thread, nothing parsed but what opening a tab needs.

mod floor;
mod pipe;
mod product;
pub mod recovery;
mod websocket;

pub use floor::{Floor, Wire};
pub use pipe::Pipe;
pub use product::Product;
pub use websocket::{Stream, WebSocket};

/// Runs a future that never waits, as those of the blocking floor do.
///
/// # Panics
/// When it does wait.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a blocking client waited"),
    }
}
