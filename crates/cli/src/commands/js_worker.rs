//! The hidden command that is the sandbox process of a session.

/// Serves snippets on standard input and output until they are closed.
pub(crate) fn run() -> ! {
    keeptab_script::worker_main()
}
