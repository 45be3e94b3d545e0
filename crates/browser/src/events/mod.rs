//! Events: who wants which, and what happens to a reader that is too slow.
mod filter;
mod queue;

pub use filter::EventFilter;
pub use queue::{Events, Notice};
pub(crate) use queue::{Offer, Subscriber};
