//! Durable sessions with a Chromium browser over the Chrome DevTools Protocol.
//!
//! A [`Session`] is a hold on a browser that outlives its connections: when the socket drops, it is made
//! anew, the tabs are found again by their ids, what was set on them is set again, and only then do
//! commands go on. Every call ends exactly once, and says what its end means for the page ([`Kind`]).
//!
//! ```no_run
//! use keeptab_browser::{End, LaunchOptions, Options, Session};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let session = Session::launch(LaunchOptions::new(), Options::new()).await?;
//! let tab = session.new_tab("https://example.org/").await?;
//! let title: String = tab.evaluate("document.title").await?;
//! println!("{title}");
//! session.close(End::Browser).await;
//! # Ok(())
//! # }
//! ```
//!
//! Typed commands and events come from [`keeptab_protocol`]; by name and with raw JSON it goes as well:
//!
//! ```no_run
//! use keeptab_browser::{CallOptions, Endpoint, EventFilter, Notice, Options, Session};
//! use keeptab_protocol::{Raw, page, runtime};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let session = Session::connect(Endpoint::Auto, Options::new()).await?;
//! let Some(info) = session.tabs().into_iter().next() else {
//!     return Ok(());
//! };
//! let tab = session.tab(info.id);
//!
//! let mut events = tab.events(EventFilter::domains(["Runtime"]), 1024);
//! tab.call(&runtime::Enable::default()).await?;
//! let shot = tab.call(&page::CaptureScreenshot::default()).await?;
//! let raw = tab.call_raw("Page.getLayoutMetrics", Raw::object_empty(), CallOptions::new()).await?;
//! # let _ = (shot, raw);
//! while let Some(notice) = events.next().await {
//!     match notice {
//!         Notice::Event(event) => println!("{} {}", event.method, event.params),
//!         Notice::Gap(gap) => println!("events may be missing here: {:?}", gap.cause),
//!         Notice::Dropped(count) => println!("{count} events dropped here, we were too slow"),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Run it on a current-thread runtime where speed matters: handing messages from thread to thread costs
//! more than everything else a call does.
#![forbid(unsafe_code)]

mod call;
mod connect_error;
mod dial;
mod driver;
mod endpoint;
mod error;
mod events;
pub mod find;
pub mod keeping;
mod launch;
mod options;
mod owner;
mod session;
mod status;
mod tab;
mod transport;

pub use call::Reply;
pub use connect_error::{ConnectError, ConnectKind};
pub use dial::{ResolveOptions, resolve_ws_url};
pub use endpoint::Endpoint;
pub use error::{CallError, Kind};
pub use events::{EventFilter, Events, Notice};
pub use keeptab_link::{
    Cause, CdpError, Config, Epoch, EventMsg, Gap, Handover, Health, Route, Snapshot,
    SnapshotError, State, StateChange, TargetChange, TargetId, TargetInfo,
};
pub use launch::{LaunchCommand, LaunchOptions, LaunchedBrowser, Profile, Via};
pub use options::{CallOptions, Options, Resume};
pub use session::{End, Session};
pub use status::Status;
pub use tab::Tab;
