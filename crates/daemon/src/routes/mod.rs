//! The doors: `/v1` over HTTP with JSON bodies. One file per subject.

mod body;
mod daemon;
mod dialog;
mod gate;
mod js;
mod leftovers;
mod observe;
mod router;
mod sessions;
mod tabs;

pub(crate) use router::router;
