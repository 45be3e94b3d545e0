//! The keeper as its users meet it: a process with a socket and a browser.

mod ending;
mod flow;
mod ownership;
mod real_browser;
mod starting;
mod support;
