//! Tests of the sandbox with a real worker process; what stands behind the calls is a stand-in that records them.
#![allow(missing_docs, clippy::unwrap_used)]

mod attacks;
mod calls;
mod chromium;
mod confinement;
mod console;
mod events;
mod language;
mod lifetime;
mod lost;
mod overhead;
mod printing;
mod support;
mod surface;
mod web;
