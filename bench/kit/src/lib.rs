//! What every measured client written in Rust shares: the workloads, and the line protocol in which `cargo xtask bench`
//! asks for them.
//!
//! A client is started with one JSON argument ([`Place`]), connects, writes `{"ready":…}`, and then answers each line on
//! its input, a [`Order`], with one line: a [`Figures`] object or `{"error":…}`. It ends when its input does. The processor time
//! and the memory of the process are read from outside.
#![forbid(unsafe_code)]

mod client;
mod serve;
mod text;
mod work;

pub use client::{Client, Failure, Tab, Trigger};
pub use serve::{Figures, Order, Place, hello, serve};
pub use text::between;
