//! Response bodies: small text in the entry, the rest in files within a budget.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::entry::{Body, BodyRef};
use crate::error::BodyError;
use crate::redact;

/// Where bodies are kept, and how much of them.
#[derive(Debug, Clone)]
pub struct BodiesOptions {
    /// A directory of its own, made if need be (0700, files 0600).
    pub dir: PathBuf,
    /// The bytes all files may take together. 0 keeps no files.
    pub budget: u64,
    /// The largest body that is kept, in bytes.
    pub max_body: u64,
    /// Text up to so many bytes is kept in the entry; at most 64 KiB.
    pub inline: usize,
}

impl BodiesOptions {
    /// The defaults, in this directory: 64 MiB in all, 8 MiB for one, 2 KiB in
    /// the entry.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        BodiesOptions {
            dir: dir.into(),
            budget: 64 << 20,
            max_body: 8 << 20,
            inline: 2 << 10,
        }
    }
}

const MAX_INLINE: usize = 64 << 10;
const TEMPORARY: &str = "new.tmp";

/// The bodies of a session.
///
/// Files are named after their content, so equal bodies share one. The one that
/// was put in or read longest ago goes first. What is in the directory is all
/// there is to know: after a crash, what was whole is still there. All methods
/// block on the disk.
pub struct Bodies {
    options: BodiesOptions,
    by_hash: HashMap<String, u64>,
    by_age: BTreeMap<u64, BodyRef>,
    total: u64,
    next: u64,
}

impl Bodies {
    /// Opens the directory and takes stock of it.
    pub fn open(options: BodiesOptions) -> Result<Self, BodyError> {
        let dir = options.dir.clone();
        let failed = |cause| disk(&dir, cause);
        private_dir(&dir).map_err(failed)?;
        let mut bodies = Bodies {
            options,
            by_hash: HashMap::new(),
            by_age: BTreeMap::new(),
            total: 0,
            next: 0,
        };
        for file in fs::read_dir(&dir).map_err(failed)? {
            let file = file.map_err(failed)?;
            let name = file.file_name();
            let parsed = name.to_str().and_then(parse_name);
            match parsed {
                Some((age, hash)) if !bodies.by_hash.contains_key(hash) => {
                    let bytes = file.metadata().map_err(failed)?.len();
                    bodies.note(
                        age,
                        BodyRef {
                            hash: hash.to_owned(),
                            bytes,
                        },
                    );
                    bodies.next = bodies.next.max(age + 1);
                }
                // Another name of a body we have.
                Some(_) => remove(&file.path())?,
                None if name == TEMPORARY => remove(&file.path())?,
                None => {}
            }
        }
        bodies.shrink()?;
        Ok(bodies)
    }

    /// Keeps a body. In text, what redaction recognises is replaced first; the
    /// hash is that of what is kept.
    pub fn keep(&mut self, content: &[u8]) -> Result<Body, BodyError> {
        let too_large = Body::TooLarge {
            bytes: content.len() as u64,
        };
        if content.len() as u64 > self.options.max_body {
            return Ok(too_large);
        }
        let clean;
        let mut content = content;
        if let Ok(text) = std::str::from_utf8(content) {
            clean = redact::text(text);
            if clean.len() <= self.options.inline.min(MAX_INLINE) {
                return Ok(Body::Text(clean.into_owned()));
            }
            content = clean.as_bytes();
        }
        let bytes = content.len() as u64;
        if bytes > self.options.budget {
            return Ok(too_large);
        }
        let body = BodyRef {
            hash: hash(content),
            bytes,
        };
        if !self.touch(&body)? {
            let age = self.next_age();
            self.write(&self.path(age, &body.hash), content)?;
            self.note(age, body.clone());
            self.shrink()?;
        }
        Ok(Body::File(body))
    }

    /// Reads a body back.
    pub fn read(&mut self, body: &BodyRef) -> Result<Vec<u8>, BodyError> {
        let age = *self.by_hash.get(&body.hash).ok_or(BodyError::Gone)?;
        let path = self.path(age, &body.hash);
        let content = fs::read(&path).map_err(|cause| disk(&path, cause))?;
        if hash(&content) != body.hash {
            self.forget(age);
            remove(&path)?;
            return Err(BodyError::Damaged);
        }
        self.touch(body)?;
        Ok(content)
    }

    /// How many bytes the files take.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Removes all bodies.
    pub fn clear(&mut self) -> Result<(), BodyError> {
        while self.remove_oldest()? {}
        Ok(())
    }

    fn next_age(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Makes a body that is here the youngest.
    fn touch(&mut self, body: &BodyRef) -> Result<bool, BodyError> {
        let Some(&age) = self.by_hash.get(&body.hash) else {
            return Ok(false);
        };
        let younger = self.next_age();
        let (from, to) = (self.path(age, &body.hash), self.path(younger, &body.hash));
        match fs::rename(&from, to) {
            Ok(()) => {
                let body = self.forget(age).unwrap_or_else(|| body.clone());
                self.note(younger, body);
                Ok(true)
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                self.forget(age);
                Ok(false)
            }
            Err(cause) => Err(disk(&from, cause)),
        }
    }

    /// Whole or not at all: a file gets its name when it is complete. It is not
    /// synced; should power fail, the hash tells.
    fn write(&self, path: &Path, content: &[u8]) -> Result<(), BodyError> {
        let temporary = self.options.dir.join(TEMPORARY);
        let written = private_file(&temporary)
            .and_then(|mut file| file.write_all(content))
            .and_then(|()| fs::rename(&temporary, path));
        written.map_err(|cause| {
            // The space of what was written is needed; if this fails too, the
            // next write or opening replaces it.
            let _ = fs::remove_file(&temporary);
            disk(path, cause)
        })
    }

    fn note(&mut self, age: u64, body: BodyRef) {
        self.total += body.bytes;
        self.by_hash.insert(body.hash.clone(), age);
        self.by_age.insert(age, body);
    }

    fn forget(&mut self, age: u64) -> Option<BodyRef> {
        let body = self.by_age.remove(&age)?;
        self.by_hash.remove(&body.hash);
        self.total -= body.bytes;
        Some(body)
    }

    fn shrink(&mut self) -> Result<(), BodyError> {
        while self.total > self.options.budget && self.remove_oldest()? {}
        Ok(())
    }

    fn remove_oldest(&mut self) -> Result<bool, BodyError> {
        let Some((&age, body)) = self.by_age.first_key_value() else {
            return Ok(false);
        };
        remove(&self.path(age, &body.hash))?;
        self.forget(age);
        Ok(true)
    }

    fn path(&self, age: u64, hash: &str) -> PathBuf {
        self.options.dir.join(format!("{age:016x}-{hash}"))
    }
}

fn parse_name(name: &str) -> Option<(u64, &str)> {
    let (age, hash) = name.split_once('-')?;
    let hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    (age.len() == 16 && hash.len() == 64 && hex(age) && hex(hash))
        .then(|| Some((u64::from_str_radix(age, 16).ok()?, hash)))
        .flatten()
}

fn hash(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn disk(path: &Path, cause: io::Error) -> BodyError {
    BodyError::Disk {
        path: path.to_owned(),
        cause,
    }
}

fn remove(path: &Path) -> Result<(), BodyError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(disk(path, cause)),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn private_dir(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    remove_stale(path)?;
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

// A user's own data directory is private by its inherited rights there.
#[cfg(not(unix))]
fn private_dir(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<fs::File> {
    remove_stale(path)?;
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
}

fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}
