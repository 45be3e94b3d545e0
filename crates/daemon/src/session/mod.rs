//! One session: its browser, its tabs, its scope.
//!
//! | file | subject |
//! |---|---|
//! | `entry` | what a session is, what it owns, what the next daemon needs of it |
//! | `connect` | getting a browser: launch, attach, take over |
//! | `launch` | starting a browser of our own |
//! | `ending` | the end of a keeper and its browser |
//! | `adopt` | a session over a browser that was left behind |
//! | `open` | new tabs, and the whole session: attach, detach, close |
//! | `tabs` | listing, picking, closing |
//! | `closing` | closing a tab to the end, against a page that objects |
//! | `dialog` | the dialog of the active tab, and answering it |
//! | `reload` | loading a page again: the way out of a crash |
//! | `guard` | the policies at work: after a crash, after the death of the browser |
//! | `relaunch` | the browser again, with its tabs and settings |
//! | `losses` | the ways of losing a connection, a tab, a browser or a session, by name |
//! | `status` | how it does, in words |
//! | `reconnect` | the same browser again, because somebody asks |
//! | `host` | what snippets may see and do |
//! | `fence` | other sessions' tabs are not there for snippets |
//! | `js` | running snippets |
//! | `observing` | what its tabs said and asked for |
//! | `errors` | other rooms' errors as ours |

mod adopt;
mod closing;
mod connect;
mod dialog;
mod ending;
mod entry;
mod errors;
mod fence;
mod guard;
mod host;
mod js;
mod launch;
mod losses;
mod observing;
mod open;
mod reconnect;
mod relaunch;
mod reload;
mod status;
mod succession;
mod tabs;

pub(crate) use ending::end_keeper;
pub(crate) use entry::Session;
