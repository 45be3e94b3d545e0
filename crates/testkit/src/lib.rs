//! What the tests of the other rooms stand on: a real Chromium, a site to visit, and a proxy that breaks
//! connections on command. A dev-dependency only; nothing here is part of the product.
//!
//! | piece | for |
//! |---|---|
//! | [`Chromium`] | one real browser with its own profile, gone when the value is dropped |
//! | [`Site`] | pages on 127.0.0.1 that do what tests need: dialogs, frames, downloads, effects that are counted |
//! | [`FaultProxy`] | stands between a CDP client and the browser and plays a fault when told |
//! | [`Keeptab`] | runs the built program with a home directory of its own |
//! | [`Cdp`] | the smallest CDP client, for checks that must not depend on the code under test |
//!
//! All servers run on one background thread ([`block_on`] reaches it), so a test may block its own thread, or pause its own
//! clock, without stopping them. They panic rather than return errors where a test could do nothing but unwrap.
#![forbid(unsafe_code)]

mod background;
mod cdp;
mod chromium;
mod keeptab;
mod model;
mod proxy;
mod site;

pub use background::block_on;
pub use cdp::{Cdp, CdpFailure};
pub use chromium::{Builder as ChromiumBuilder, Chromium, StartError, find_chromium};
pub use keeptab::{Keeptab, Ran};
pub use model::{ConnectionId, DialogKind, ModelBrowser, ModelDialog};
pub use proxy::{Answer, Direction, DropWhen, FaultProxy, How, Seen, Throttle};
pub use site::Site;
