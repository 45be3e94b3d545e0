//! What the tabs of a session say and ask for, and what becomes of the session: recorded, kept on
//! disk, and told to whoever follows.
//!
//! | file | subject |
//! |---|---|
//! | `observer` | the entries of one session, and who may touch them when |
//! | `recorder` | one task per browser: events in, entries out |
//! | `watching` | switching recording on in a tab |
//! | `children` | frames of other sites and workers, recorded under their tab |
//! | `starting` | tabs that were asked to be recorded and have not answered |
//! | `takeover` | the beginning of that task: what the daemon or the browser before has left |
//! | `lapses` | times in which a tab was not listened to |
//! | `gaps` | a loss of the link as the buffers know it |
//! | `bodies` | fetching and keeping the bodies of answers |
//! | `saving` | entries to the store, and back |
//! | `alive` | until when the daemon was there for certain |
//! | `archive` | the store and the directories, opened when first needed |
//! | `hub` | programs that follow events, each with a bounded queue |
//! | `events` | the events they get |
//! | `policies` | what a session did by itself, as an event |

mod alive;
mod archive;
mod bodies;
mod children;
mod events;
mod gaps;
mod hub;
mod lapses;
mod observer;
mod policies;
mod recorder;
mod saving;
mod starting;
mod takeover;
mod watching;

pub(crate) use archive::Archive;
pub(crate) use events::{session_closed, snapshot};
pub(crate) use hub::{Channels, Hub};
pub(crate) use observer::Observer;
pub(crate) use recorder::follow;
