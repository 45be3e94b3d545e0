//! How the command line speaks to the daemon: blocking, one request per connection, no runtime.

mod http;
mod start;
mod talk;

pub(crate) use http::exchange;
pub use http::{Method, Response};
pub use start::Starter;
pub use talk::{Client, ClientOptions};
