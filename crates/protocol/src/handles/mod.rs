//! Ids that die with a socket.
//!
//! Chromium hands out object ids, node ids, paused-request ids and stream handles that are only
//! valid on the connection that received them; on the next one the same id may name *another*
//! object. So every such id that leaves us carries the epoch of its connection, and an id of
//! another epoch is refused before it is sent. In epoch 1 the ids look as Chromium made them, and
//! nothing is read or copied.
mod stale;
mod table;
mod tag;
mod walk;

pub use stale::{Reason, StaleHandle};
pub(crate) use table::{Carries, Fields, Step};
pub use walk::{check_params, tag_event, tag_result};
