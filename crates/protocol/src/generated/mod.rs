//! Written by `cargo xtask codegen`; see `xtask/src/codegen`.
pub(crate) mod classes;
pub(crate) mod domains;
pub(crate) mod handles;
pub(crate) mod spec;
