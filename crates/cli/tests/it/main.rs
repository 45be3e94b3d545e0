//! The program as people and scripts meet it: the built binary, a home of its own, a real browser.
#![allow(clippy::unwrap_used)] // a test may panic; so may what helps it

mod attach;
mod bed;
mod browsers;
mod clear;
mod close;
mod completions;
mod console;
mod daemon;
mod dialog;
mod doctor;
mod events;
mod every_command;
mod floods;
mod harness;
mod help;
mod isolation;
mod js;
mod js_worker;
mod keeper;
mod killed;
mod limits;
mod losses;
mod network;
mod open;
mod policies;
mod reconnect;
mod secrets;
mod sessions;
mod spec;
mod status;
mod tab;
mod tour;
mod usage;
mod version;
