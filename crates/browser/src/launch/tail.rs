//! The last words of a program.
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

/// The last few KiB of what a program wrote to its standard error. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail(Arc<Mutex<VecDeque<u8>>>);

const KEPT_BYTES: usize = 8 * 1024;
const SHOWN_LINES: usize = 12;

impl Tail {
    /// Reads to the end. What is not kept is thrown away, so that the program never blocks.
    pub(super) async fn follow(self, mut stream: impl AsyncRead + Unpin) {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            self.push(&buffer[..count]);
        }
    }

    fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(bytes);
        let excess = kept.len().saturating_sub(KEPT_BYTES);
        kept.drain(..excess);
    }

    /// The last lines, as a block to put under a message; empty when nothing was written.
    pub(super) fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        drop(kept);
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let from = lines.len().saturating_sub(SHOWN_LINES);
        lines[from..]
            .iter()
            .map(|line| format!("\n  {line}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_end_is_kept() {
        let text: String = (0..5000).map(|n| format!("line {n}\n\n")).collect();
        let tail = Tail::default();
        tail.clone().follow(text.as_bytes()).await;
        let shown = tail.text();
        assert!(shown.ends_with("\n  line 4999"));
        assert_eq!(shown.matches('\n').count(), SHOWN_LINES);
        assert!(Tail::default().text().is_empty());
    }
}
