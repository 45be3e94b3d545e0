//! Frames on their way in one direction, bounded in bytes.

use super::frame::Frame;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

/// What may wait in one direction; one frame larger than this may wait alone.
const BYTES: u32 = 8 << 20;
const FRAMES: usize = 1024;

/// A frame and when it came.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) frame: Frame,
    pub(super) came: Instant,
    _room: OwnedSemaphorePermit,
}

#[derive(Debug)]
pub(super) struct Sender {
    frames: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
}

pub(super) fn queue() -> (Sender, mpsc::Receiver<Waiting>) {
    let (frames, receiver) = mpsc::channel(FRAMES);
    (
        Sender {
            frames,
            room: Arc::new(Semaphore::new(BYTES as usize)),
        },
        receiver,
    )
}

impl Sender {
    /// Waits for room. `false` when nobody takes frames any more.
    pub(super) async fn send(&self, frame: Frame) -> bool {
        let size = u32::try_from(frame.wire.len()).unwrap_or(BYTES).min(BYTES);
        let came = Instant::now();
        let Ok(room) = self.room.clone().acquire_many_owned(size).await else {
            return false;
        };
        self.frames
            .send(Waiting {
                frame,
                came,
                _room: room,
            })
            .await
            .is_ok()
    }
}
