//! Systems without a confinement that an unprivileged process can put on itself.

use std::io;
use std::time::Duration;

use crate::limits::Limits;

pub(crate) fn die_with_parent() {}

pub(crate) fn apply(_limits: &Limits) -> io::Result<()> {
    Ok(())
}

pub(crate) fn bound_processor_time(_more: Duration) {}

/// Seeds from the standard library's own randomness: each hasher state is keyed by the system.
pub(crate) fn random(bytes: &mut [u8]) -> io::Result<()> {
    use std::hash::{BuildHasher, RandomState};
    for chunk in bytes.chunks_mut(8) {
        let word = RandomState::new().hash_one(0u8).to_le_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
    Ok(())
}
