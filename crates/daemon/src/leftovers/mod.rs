//! What was left behind by daemons that were killed, by sessions whose record is lost, and by keepers that
//! died: an orphan is adopted or reaped, never leaked.
//!
//! | file | subject |
//! |---|---|
//! | `look` | finding them, and telling them from what a session has |
//! | `files` | the files among them, and sockets |
//! | `profiles` | temporary profiles of browsers that are gone |
//! | `sweep` | ending and removing them |

mod files;
mod look;
mod profiles;
mod sweep;

pub(crate) use look::{alive, browsers, has_window, names};
pub(crate) use sweep::sweep;
