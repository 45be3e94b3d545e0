//! The thread on which all servers of this crate run.

use std::future::Future;
use std::sync::OnceLock;
use tokio::runtime::{Builder, Handle};

/// The handle of the background runtime; started at first use and never stopped.
pub(crate) fn handle() -> &'static Handle {
    static HANDLE: OnceLock<Handle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let (give, take) = std::sync::mpsc::channel();
        std::thread::Builder::new()
            .name("testkit".into())
            .spawn(
                move || match Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => {
                        // The receiver waits below, so it is still there.
                        let _ = give.send(runtime.handle().clone());
                        runtime.block_on(std::future::pending::<()>());
                    }
                    Err(error) => panic!("testkit cannot start its runtime: {error}"),
                },
            )
            .unwrap_or_else(|error| panic!("testkit cannot start its thread: {error}"));
        take.recv()
            .unwrap_or_else(|_| panic!("testkit's thread ended at its start"))
    })
}

/// Runs `future` on the background thread and waits for it without needing that thread's clock or the caller's.
pub(crate) async fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    match handle().spawn(future).await {
        Ok(value) => value,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => panic!("testkit's thread ended: {error}"),
    }
}

/// Runs one future to its end from a test that has no runtime of its own.
///
/// # Panics
/// When called from inside an async task: a task must `.await` instead.
pub fn block_on<F: Future>(future: F) -> F::Output {
    handle().block_on(future)
}
