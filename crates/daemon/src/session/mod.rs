//! One session: its browser, its tabs, its scope.
//!
//! | file | subject |
//! |---|---|
//! | `entry` | what a session is, what it owns, what the next daemon needs of it |
//! | `connect` | getting a browser: launch, attach, take over |
//! | `launch` | starting a browser of our own |
//! | `open` | new tabs, and the whole session: attach, detach, close |
//! | `tabs` | listing, picking, closing |
//! | `status` | how it does, in words |
//! | `host` | what snippets may see and do |
//! | `fence` | other sessions' tabs are not there for snippets |
//! | `js` | running snippets |
//! | `errors` | other rooms' errors as ours |

mod connect;
mod entry;
mod errors;
mod fence;
mod host;
mod js;
mod launch;
mod open;
mod status;
mod tabs;

pub(crate) use entry::Session;
