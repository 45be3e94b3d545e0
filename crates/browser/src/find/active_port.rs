//! The file in which a browser says where it listens.
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

/// What `DevToolsActivePort` in a profile directory says. The file stays behind when a browser ends,
/// so it may be about one that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivePort {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// Path of the browser's WebSocket, `/devtools/browser/<uuid>`.
    pub ws_path: String,
    /// When the browser wrote it: milliseconds since 1970.
    pub mtime_ms: u64,
}

impl ActivePort {
    /// The WebSocket address.
    pub fn ws_url(&self) -> String {
        format!("ws://127.0.0.1:{}{}", self.port, self.ws_path)
    }
}

/// Reads `DevToolsActivePort`.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] when the browser never had remote debugging switched on, or was started with a
/// port of its caller's choice (Chromium writes the file for port 0 only),
/// [`io::ErrorKind::InvalidData`] when the file is not as Chromium writes it (for example half-written).
pub fn active_port(profile_dir: &Path) -> io::Result<ActivePort> {
    let file: PathBuf = profile_dir.join("DevToolsActivePort");
    let text = fs::read_to_string(&file)?;
    let written = fs::metadata(&file)?.modified()?;
    let invalid = |what: &str| {
        let message = format!("{}: {what}", file.display());
        io::Error::new(io::ErrorKind::InvalidData, message)
    };
    let mut lines = text.lines().map(str::trim);
    let port = lines
        .next()
        .and_then(|line| line.parse().ok())
        .filter(|port| *port > 0);
    let Some(port) = port else {
        return Err(invalid("the first line is not a port"));
    };
    let ws_path = match lines.next() {
        Some(path) if path.starts_with("/devtools/") => path.to_owned(),
        _ => return Err(invalid("the second line is not a path")),
    };
    Ok(ActivePort {
        port,
        ws_path,
        mtime_ms: milliseconds(written),
    })
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_as_chromium_writes_it_and_otherwise() {
        let dir = tempfile::tempdir().expect("directory");
        let read = |text: &str| {
            fs::write(dir.path().join("DevToolsActivePort"), text).expect("file");
            active_port(dir.path())
        };
        let found = read("38177\n/devtools/browser/5e5b").expect("active port");
        assert_eq!(found.ws_url(), "ws://127.0.0.1:38177/devtools/browser/5e5b");
        assert!(found.mtime_ms > 1_600_000_000_000);
        for text in [
            "",
            "38177",
            "38177\n",
            "0\n/devtools/browser/x",
            "x\n/devtools",
            "1\nhttp://e",
        ] {
            let error = read(text).expect_err(text);
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{text:?}");
        }
        let empty = tempfile::tempdir().expect("directory");
        let error = active_port(empty.path()).expect_err("no file");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
