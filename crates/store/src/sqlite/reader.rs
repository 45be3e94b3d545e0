//! The thread that reads, on a connection of its own: a slow disk sync holds up
//! no reader.

use rusqlite::Connection;
use tokio::sync::mpsc;

/// A read that waits. It answers for itself.
pub(super) type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Serves reads until every sender is gone.
pub(super) fn serve(db: Connection, mut queue: mpsc::Receiver<Read>) {
    while let Some(read) = queue.blocking_recv() {
        read(&db);
    }
}
