//! The keeper: a small process that owns a browser's pipe and outlives the daemon.
//!
//! Chromium started with `--remote-debugging-pipe` opens no TCP port, but the
//! pipe dies with the process that holds it, and everything that was set over
//! it dies too. So a keeper holds it: one thread, one `poll`, no other work. The
//! daemon is its *owner* for as long as its connection to the keeper's Unix
//! socket lasts; when the daemon is killed or replaced, the next owner goes on
//! with the **same CDP connection**: same targets, raw session ids, object ids,
//! enabled domains, overrides, init scripts, and open dialogs.
//!
//! [`spawn`] starts one, [`list`] finds those that run, [`run`] is the process itself.
//!
//! # Wire
//! Messages are JSON in UTF-8, each ended by one NUL byte, exactly as on
//! Chromium's pipe. CDP messages pass verbatim in both directions. Those of the
//! keeper have `keeper` as their **first** member, without spaces before it.
//!
//! The owner speaks first, within 5 s and 4096 bytes, and may send more at once:
//! ```text
//! → {"hello":1,"epoch":7,"client":"keeptab 0.1"}
//! ← {"keeper":1,"epoch":7,"pid":12,"browserPid":13,"connection":"12-4711","version":"Chrome/156.0.1.2",
//!    "browserExited":null,"dropped":3,"nextId":41,
//!    "inFlight":[{"id":39,"epoch":6,"state":"replied","bytes":61,"kept":true},{"id":40,"epoch":6,"state":"sent",
//!     "method":"Page.navigate","sessionId":"AB"}],
//!    "dialogs":[{"method":"Page.javascriptDialogOpening",…,"sessionId":"AB"}]}
//! ```
//! - `epoch` is the owner's fencing number, not the link's. A higher one takes
//!   over: the older connection gets `{"keeper":"superseded","by":8}` and is
//!   closed. A lower one is refused (`older_epoch`), and so is the same one while
//!   its owner is connected (`epoch_taken`); an owner that lost its connection may
//!   come back with its own. Refusals are `{"keeper":"refused","why":…}`, then the
//!   end of the connection; other reasons are `version`, `no_hello`,
//!   `hello_too_long` and `no_hello_in_time`.
//! - `connection` names the CDP connection. An owner that knows state of an equal
//!   one (its own from before, or its predecessor's, from the store) **skips the
//!   restore**: nothing was lost on the browser's side, raw ids are valid, and the
//!   link's epoch stays. What it must do is adopt the ledger (below) and write a gap
//!   when `dropped` is above 0. An unknown connection is a new epoch.
//! - `nextId` is the lowest id that the owner may use for its own commands, and
//!   then upwards, wrapping from 2^31-1 to 1. Ids are unique across owners. The
//!   keeper's own commands have id 0; an owner may see such a reply and ignores it.
//! - Of commands in `inFlight` that nobody has had an answer to, `method` and `sessionId` are given where
//!   they are written as above, and a long command's session is not.
//! - `dialogs` are the dialogs that are open, each as the event that told of it. The browser tells of a
//!   dialog once; an owner that was killed may not have told anybody. At most 32 of at most 16 KiB.
//!
//! The owner may send, besides commands:
//! ```text
//! → {"keeper":"ledger?"}                 ← {"keeper":"ledger","nextId":41,"entries":[…as inFlight…]}
//! → {"keeper":"fetch","id":39}           ← {"keeper":"reply","id":39,"state":"replied","bytes":61,"reply":{…verbatim…}}
//! → {"keeper":"ack","id":39}             (no answer; without id: all that were answered)
//! → {"keeper":"end","how":"close"}       ← {"keeper":"ended","status":"exit 0"}
//! → {"keeper":"ping"}                    ← {"keeper":"pong"}
//! ```
//! A command that must not be sent is refused with `{"keeper":"refused","id":…,"why":…,"nextId":…}`:
//! `no_id` (its id is not its first member, or no integer from 1 to 2^31-1), `id_taken`
//! (the id stands for another command in the ledger), `ending`, `browser_exited`. The
//! browser never saw a refused command. When the browser ends by itself:
//! `{"keeper":"browser_exited","status":"signal 9","stderr":"/path"}`.
//!
//! # Ledger
//! Of the last 2048 commands the keeper knows: `unseen` (never passed on) · `sent` ·
//! `replied`, with the reply if it is at most 256 KiB and among the newest 1 MiB ·
//! `forgotten` (older than the ledger: sent, outcome not known here). A command is
//! noted before it leaves. Replies are noted also when an owner was given them,
//! because a killed owner may never have read them. A reply to a command of a former
//! owner goes to the present one as it comes. So a new owner asks for each of its
//! unsettled commands once, and settles it as: not sent, this reply, or outcome unknown.
//!
//! A command up to 256 KiB is passed on whole or not at all. A longer one is passed on
//! as it comes; if its owner leaves in the middle, the rest is replaced by a byte
//! that no JSON may hold, Chromium answers with a parse error that has no id, and the
//! command counts as unseen.
//!
//! # Pressure
//! - *No owner*: everything is read from the browser at once; events are dropped
//!   and counted, replies are noted. The browser never waits.
//! - *A slow owner*: with 256 KiB waiting for it, nothing more is read from the
//!   browser (which queues without loss on its side of the pipe), nor from the owner.
//!   An owner that takes not one byte for 30 s in that state is let go; from then
//!   on there is no owner.
//! - *A slow browser*: with 256 KiB waiting for it, the owner is not read.
//! - Messages of any size pass in pieces of at most 64 KiB and are never held whole.
//! - `dropped` counts the events which the keeper had in hand and could give to
//!   nobody since an owner was last told. What lay unread in a killed owner's socket
//!   cannot be counted; an owner that follows another has missed events in any case.
//!
//! # End
//! `end` with `close`, SIGTERM, SIGINT, and the orphan deadline if one is set:
//! `Browser.close`, after 10 s SIGINT, after 5 s SIGKILL to the browser's process
//! group. A second signal, or `"how":"kill"`, kills at once. Socket and state file are
//! removed. If the browser ends by itself, the state file says how, the end of its
//! stderr is put beside it, and the keeper waits up to 60 s for an owner that asks. If
//! the keeper is killed, Chromium ends by itself because its pipe is closed.

mod args;
mod buffer;
mod child;
mod control;
mod dialogs;
mod door;
mod ending;
mod error;
mod found;
mod keeper;
mod ledger;
mod listening;
mod memory;
mod owner;
mod passing;
mod process;
mod run;
mod signals;
mod spawn;
mod state;
pub mod wire;

pub use error::{SpawnError, SpawnErrorKind};
pub use found::{BESIDE, Found, STATE_SUFFIX, clear_beside, list};
pub use listening::Listening;
pub use run::run;
pub use spawn::{SpawnArgs, Spawned, spawn};
pub use state::{Life, State};
