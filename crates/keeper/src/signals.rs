//! SIGTERM, SIGINT and SIGHUP as something `poll` can wait for.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;

use rustix::process::Signal;

/// Written by the handler. A `OnceLock` that is set is read without a lock.
static WAKE: OnceLock<UnixStream> = OnceLock::new();

#[allow(unsafe_code)] // see the call
unsafe extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
}

/// Runs between any two instructions, so it does nothing but one `write`.
extern "C" fn on_signal(_: i32) {
    if let Some(wake) = WAKE.get() {
        let _ = rustix::io::write(wake, b"!");
    }
}

/// A stream that becomes readable when the process is asked to end. Once per process.
pub(crate) fn requests_to_end() -> io::Result<UnixStream> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    writer.set_nonblocking(true)?;
    WAKE.set(writer)
        .map_err(|_| io::Error::other("signals are already handled"))?;
    for number in [Signal::TERM, Signal::INT, Signal::HUP] {
        // SAFETY: `signal` is in every C library that std links; the handler
        // calls only `write`, which is allowed in one. Neither std nor rustix
        // offers a way to handle a signal.
        #[allow(unsafe_code)]
        unsafe {
            signal(number.as_raw(), on_signal);
        }
    }
    Ok(reader)
}
