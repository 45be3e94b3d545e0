//! The file by which a daemon leaves its sessions to the next one.
//!
//! It is written at every change, not at the end: a daemon that is killed leaves as much as one
//! that is stopped. It may hold addresses with secrets in them and is readable by us alone.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The format this build writes. A reader refuses a higher number; fields are only ever added with
/// a default, and a change of meaning takes the next number.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Sessions {
    format: u32,
    sessions: Vec<Record>,
}

/// One session as the next daemon needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) name: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
    pub(crate) place: Place,
    /// The profile of a browser that we launched.
    #[serde(default)]
    pub(crate) profile: Option<PathBuf>,
    #[serde(default)]
    pub(crate) active: Option<ActiveTab>,
    /// The target ids of tabs that no other session may see.
    #[serde(default)]
    pub(crate) claimed: Vec<String>,
}

/// The tab that commands go to, with what people know it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActiveTab {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) title: String,
}

/// Where the browser of a session is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// A WebSocket address.
    Ws(String),
    /// A debugging port.
    Port { host: String, port: u16 },
    /// A profile directory of a running browser.
    Profile(PathBuf),
    /// The socket of a keeper process.
    Keeper(PathBuf),
    /// A pipe that ends with the daemon that held it.
    Pipe,
}

/// Writes all of it or nothing.
pub(crate) fn write(path: &Path, sessions: Vec<Record>) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(&Sessions {
        format: FORMAT,
        sessions,
    })?;
    let beside = path.with_extension("json.new");
    let written = write_private(&beside, &text).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // The half-written file is of no use to anyone; the error below says what happened.
        drop(std::fs::remove_file(&beside));
    }
    written
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

/// Reads what the daemon before left; nothing, when there was none.
///
/// # Errors
/// The file cannot be read or is of a format that this build does not know. It is left alone.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Record>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let found: Sessions = serde_json::from_slice(&text)?;
    if found.format > FORMAT {
        return Err(io::Error::other(format!(
            "it is of format {}, this build knows {FORMAT}",
            found.format
        )));
    }
    Ok(found.sessions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(place: Place) -> Record {
        Record {
            name: "work".into(),
            created: 5,
            place,
            profile: None,
            active: Some(ActiveTab {
                id: "T1".into(),
                url: "u".into(),
                title: "t".into(),
            }),
            claimed: vec!["T1".into()],
        }
    }

    #[test]
    fn what_is_written_comes_back_and_is_private() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sessions.json");
        assert_eq!(read(&path).unwrap(), []);
        let records = vec![
            record(Place::Ws("ws://h/devtools/browser/1".into())),
            record(Place::Port {
                host: "127.0.0.1".into(),
                port: 1,
            }),
            record(Place::Profile("/p".into())),
            record(Place::Keeper("/k".into())),
            record(Place::Pipe),
        ];
        write(&path, records.clone()).unwrap();
        assert_eq!(read(&path).unwrap(), records);
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_newer_format_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sessions.json");
        std::fs::write(&path, r#"{"format":99,"sessions":[]}"#).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("99"));
        assert!(path.exists());
    }
}
