//! File descriptors that a caller left open must not live on in the daemon.

use std::os::fd::{BorrowedFd, RawFd};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

/// Marks every inherited descriptor above stderr as close-on-exec.
///
/// A shell or test runner often leaves a pipe open in its children and waits until all of them
/// have closed it; a daemon that holds it would make `$(keeptab open …)` wait for ever.
#[allow(unsafe_code)]
pub(crate) fn keep_inherited_to_ourselves() {
    let dir = if cfg!(target_os = "linux") {
        "/proc/self/fd"
    } else {
        "/dev/fd"
    };
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    let open: Vec<RawFd> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    for fd in open {
        // SAFETY: the number is borrowed for two calls that neither close nor use the descriptor
        // otherwise; if it was closed since the listing (the listing's own was), they fail with
        // EBADF. The system offers no other way to name a descriptor that we did not open.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        if let Ok(flags) = fcntl_getfd(fd) {
            // Cannot fail for a descriptor that has flags to read.
            let _ = fcntl_setfd(fd, flags | FdFlags::CLOEXEC);
        }
    }
}
