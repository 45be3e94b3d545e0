//! Requests: from events to entries that change until they are over.

mod apply;
mod build;
mod extra;
mod index;

pub(crate) use apply::take;
pub(crate) use index::Index;
