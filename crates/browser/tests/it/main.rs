//! Sessions with a real Chromium, and with faults between them.
mod approval;
mod calls;
mod events;
#[cfg(unix)]
mod keeper;
mod launch;
mod recovery;
mod support;
