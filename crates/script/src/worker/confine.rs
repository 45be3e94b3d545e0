//! What keeps a worker in: the operating system, before the first line of a snippet runs.
//!
//! Linux: no file can be opened (landlock, and seccomp besides), no socket, no process, no other signal; memory,
//! processor time per turn, and open files are bounded; the worker dies with its owner. Elsewhere the owner's kill at the
//! deadline is the only outer wall, and the engine's own limits are the inner one.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{apply, bound_processor_time, die_with_parent, random};

#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{apply, bound_processor_time, die_with_parent, random};
