//! The commands, one file each; `tests/it` has a module for every one of them.

pub(crate) mod adopt;
pub(crate) mod attach;
pub(crate) mod browsers;
pub(crate) mod clear;
pub(crate) mod close;
pub(crate) mod completions;
pub(crate) mod console;
pub(crate) mod daemon;
pub(crate) mod dialog;
mod dispatch;
pub(crate) mod doctor;
pub(crate) mod js;
pub(crate) mod js_worker;
pub(crate) mod keeper;
pub(crate) mod network;
pub(crate) mod open;
pub(crate) mod reconnect;
pub(crate) mod sessions;
pub(crate) mod spec;
pub(crate) mod status;
pub(crate) mod sweep;
pub(crate) mod tab;
pub(crate) mod version;

pub(crate) use dispatch::dispatch;
