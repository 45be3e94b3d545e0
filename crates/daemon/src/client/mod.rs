//! How the command line speaks to the daemon: blocking, one request per connection, no runtime.

mod follow;
mod http;
mod patience;
mod start;
mod talk;

pub use follow::Lines;
pub(crate) use http::exchange;
pub use http::{Method, Response};
pub use start::Starter;
pub use talk::{Client, ClientOptions};
