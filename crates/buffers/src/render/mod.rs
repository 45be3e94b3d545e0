//! Entries for people and for programs. What came from a page is stripped of
//! control characters on the way out.

mod detail;
mod json;
mod line;

pub use detail::detail;
pub use json::json;
pub use line::{Shape, line, note_of_drops};
