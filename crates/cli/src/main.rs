//! The `keeptab` binary.
fn main() {}
