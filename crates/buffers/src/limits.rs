//! How much is kept.

/// How much one stream keeps. What comes first in time is dropped first, and
/// counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Entries; at least 1.
    pub entries: usize,
    /// Bytes of memory, estimated; at least 512 KiB, which is more than one
    /// entry can take.
    pub bytes: usize,
}

impl Bounds {
    pub(crate) fn sane(self) -> Self {
        Bounds {
            entries: self.entries.max(1),
            bytes: self.bytes.max(512 << 10),
        }
    }
}

/// How much a session keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The console stream.
    pub console: Bounds,
    /// The network stream, without bodies in files.
    pub network: Bounds,
    /// How many targets the bookkeeping covers; the one unused for longest is
    /// forgotten first. At least 1.
    pub targets: usize,
}

impl Default for Limits {
    /// 10,000 entries and 16 MiB for each stream, 512 targets.
    fn default() -> Self {
        let bounds = Bounds {
            entries: 10_000,
            bytes: 16 << 20,
        };
        Limits {
            console: bounds,
            network: bounds,
            targets: 512,
        }
    }
}

/// The longest parts of an entry, in bytes. Together they stay below the
/// least byte bound of a stream.
pub(crate) const MAX_TEXT: usize = 64 << 10;
pub(crate) const MAX_ARGS: usize = 16 << 10;
pub(crate) const MAX_URL: usize = 8 << 10;
pub(crate) const MAX_NAME: usize = 512;
pub(crate) const MAX_FRAMES: usize = 32;
pub(crate) const MAX_FRAME_URL: usize = 1 << 10;
pub(crate) const MAX_HEADERS: usize = 128;
pub(crate) const MAX_HEADER: usize = 4 << 10;
pub(crate) const MAX_ALL_HEADERS: usize = 64 << 10;
pub(crate) const MAX_POST: usize = 4 << 10;
