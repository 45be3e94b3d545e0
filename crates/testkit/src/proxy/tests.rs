//! Each verb against a small server that answers like a browser.

mod faults;
mod traps;
mod upstream;
