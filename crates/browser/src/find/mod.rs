//! Which browsers are on this machine: running with remote debugging, and installed.
//!
//! ```no_run
//! # async fn example() {
//! for browser in keeptab_browser::find::running_browsers().await {
//!     println!("{} on port {}: {}", browser.name, browser.port, browser.profile_dir.display());
//! }
//! for browser in keeptab_browser::find::installed_browsers() {
//!     println!("{}: {}", browser.name, browser.path.display());
//! }
//! # }
//! ```
mod active_port;
mod installed;
mod places;
mod profiles;
mod running;

pub use active_port::{ActivePort, active_port};
pub(crate) use installed::is_program;
pub use installed::{InstalledBrowser, OVERRIDE_VARIABLE, installed_browsers};
pub use places::{Os, Places};
pub(crate) use profiles::default_profile_of;
pub use profiles::{KnownProfile, known_profiles};
pub(crate) use running::asks_its_person;
pub use running::{RunningBrowser, running_browsers};
