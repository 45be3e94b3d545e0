//! Where our files are, and that nobody else can read or swap them.

use std::ffi::OsString;
use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The longest socket path the system takes, without the closing NUL.
const SOCKET_PATH_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The longest file name we put next to the socket; keepers get theirs there too.
const LONGEST_NAME: usize = "keeper-0123456789abcdef.sock".len();

/// The directories of one keeptab installation of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    run: PathBuf,
    data: PathBuf,
    config: PathBuf,
}

/// Why the directories cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// No `HOME`, so there is nowhere to keep anything.
    #[error("cannot tell where to keep files: neither KEEPTAB_HOME nor HOME is set")]
    NoHome,
    /// A path in the environment is relative, so it would mean another place in each directory.
    #[error("{variable} must be an absolute path, but is {value:?}")]
    Relative {
        /// The variable.
        variable: &'static str,
        /// What it holds.
        value: PathBuf,
    },
    /// A directory could not be made.
    #[error("cannot make {path}: {source}", path = path.display())]
    Make {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The directory of the socket belongs to somebody else, who could answer in our place.
    #[error("{path} belongs to user {owner}, not to you: somebody may be posing as keeptab", path = path.display())]
    Foreign {
        /// Which one.
        path: PathBuf,
        /// The uid of its owner.
        owner: u32,
    },
    /// Something that is not a directory is in the way.
    #[error("{path} is not a directory", path = path.display())]
    NotADirectory {
        /// Which one.
        path: PathBuf,
    },
}

impl Paths {
    /// Reads `KEEPTAB_HOME`, or the XDG variables, or takes the usual places below `HOME`.
    /// Touches no file.
    ///
    /// # Errors
    /// No home directory is known, or a variable holds a relative path.
    pub fn from_env() -> Result<Self, PathError> {
        Self::from_vars(
            |name| std::env::var_os(name),
            rustix::process::geteuid().as_raw(),
        )
    }

    /// Everything below one directory, as `KEEPTAB_HOME` does it.
    #[must_use]
    pub fn below(home: &Path) -> Self {
        Self::below_for(
            home,
            &std::env::temp_dir(),
            rustix::process::geteuid().as_raw(),
        )
    }

    fn below_for(home: &Path, temp: &Path, uid: u32) -> Self {
        let run = home.join("run");
        // A socket path longer than the system takes cannot be bound at all; a short directory
        // of our own, named after the long one, serves instead.
        let run = if fits(&run) {
            run
        } else {
            let temp = if fits(&private_temp(temp, uid).join("0123456789abcdef")) {
                temp
            } else {
                Path::new("/tmp")
            };
            private_temp(temp, uid).join(format!("{:016x}", fnv1a(home.as_os_str().as_bytes())))
        };
        Paths {
            run,
            data: home.join("data"),
            config: home.to_path_buf(),
        }
    }

    fn from_vars(var: impl Fn(&str) -> Option<OsString>, uid: u32) -> Result<Self, PathError> {
        let absolute = |variable: &'static str| match var(variable) {
            Some(value) if !value.is_empty() => {
                let value = PathBuf::from(value);
                if value.is_absolute() {
                    Ok(Some(value))
                } else {
                    Err(PathError::Relative { variable, value })
                }
            }
            _ => Ok(None),
        };
        let temp = absolute("TMPDIR")?.unwrap_or_else(|| PathBuf::from("/tmp"));
        if let Some(home) = absolute("KEEPTAB_HOME")? {
            return Ok(Self::below_for(&home, &temp, uid));
        }
        let home = absolute("HOME")?;
        let under = |variable, rest: &str| -> Result<PathBuf, PathError> {
            match (absolute(variable)?, &home) {
                (Some(dir), _) => Ok(dir.join("keeptab")),
                (None, Some(home)) => Ok(home.join(rest).join("keeptab")),
                (None, None) => Err(PathError::NoHome),
            }
        };
        let data = under("XDG_DATA_HOME", ".local/share")?;
        let config = under("XDG_CONFIG_HOME", ".config")?;
        let run = match absolute("XDG_RUNTIME_DIR")? {
            // Set but missing is common in containers and after `su`.
            Some(dir) if dir.is_dir() && fits(&dir.join("keeptab")) => dir.join("keeptab"),
            _ if fits(&private_temp(&temp, uid)) => private_temp(&temp, uid),
            _ => private_temp(Path::new("/tmp"), uid),
        };
        Ok(Paths { run, data, config })
    }

    /// Makes the directories, for us alone, and checks that they are ours.
    ///
    /// # Errors
    /// One cannot be made, belongs to somebody else, or is not a directory.
    pub fn prepare(&self) -> Result<(), PathError> {
        // The parent of a fallback directory lies in a place where others may write.
        if let Some(parent) = self.run.parent()
            && parent
                .file_name()
                .is_some_and(|name| name.as_bytes().starts_with(b"keeptab-"))
        {
            private_dir(parent)?;
        }
        private_dir(&self.run)?;
        private_dir(&self.data)
    }

    /// The daemon's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.run.join("keeptab.sock")
    }

    /// Whoever holds the lock on this file is the daemon.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.run.join("daemon.lock")
    }

    /// The directory of sockets (0700).
    #[must_use]
    pub fn run_dir(&self) -> &Path {
        &self.run
    }

    /// The directory of everything that must last (0700).
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// The directory of `config.toml`.
    #[must_use]
    pub fn config_dir(&self) -> &Path {
        &self.config
    }

    /// The daemon's log; `<log>.1` is the part before it.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.data.join("daemon.log")
    }

    /// The state files of keepers.
    #[must_use]
    pub fn keepers(&self) -> PathBuf {
        self.data.join("keepers")
    }

    /// The socket of the keeper of one session.
    #[must_use]
    pub fn keeper_socket(&self, session: &str) -> PathBuf {
        self.run
            .join(format!("keeper-{:016x}.sock", fnv1a(session.as_bytes())))
    }

    /// The profile directories of the browsers we launch.
    #[must_use]
    pub fn profiles(&self) -> PathBuf {
        self.data.join("profiles")
    }
}

fn private_temp(temp: &Path, uid: u32) -> PathBuf {
    temp.join(format!("keeptab-{uid}"))
}

fn fits(dir: &Path) -> bool {
    dir.as_os_str().len() + 1 + LONGEST_NAME <= SOCKET_PATH_MAX
}

/// Must give the same name in every build: a client finds its daemon by it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn private_dir(path: &Path) -> Result<(), PathError> {
    let make = |source| PathError::Make {
        path: path.to_path_buf(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .or_else(|error| {
            // `recursive` reports a file in the way as "exists"; the check below names it.
            if error.kind() == io::ErrorKind::AlreadyExists {
                Ok(())
            } else {
                Err(make(error))
            }
        })?;
    // Not following a link: somebody else may have put it there.
    let meta = path.symlink_metadata().map_err(make)?;
    if !meta.is_dir() {
        return Err(PathError::NotADirectory {
            path: path.to_path_buf(),
        });
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(PathError::Foreign {
            path: path.to_path_buf(),
            owner: meta.uid(),
        });
    }
    if meta.mode() & 0o077 != 0 {
        std::fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(make)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        |name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.into())
        }
    }

    #[test]
    fn one_directory_for_everything_when_asked() {
        let paths = Paths::from_vars(vars(&[("KEEPTAB_HOME", "/k"), ("HOME", "/h")]), 7).unwrap();
        assert_eq!(paths.socket(), Path::new("/k/run/keeptab.sock"));
        assert_eq!(paths.log(), Path::new("/k/data/daemon.log"));
    }

    #[test]
    fn a_long_home_gets_a_short_socket_of_its_own() {
        let long = format!("/{}", "a".repeat(150));
        let paths = Paths::from_vars(vars(&[("KEEPTAB_HOME", &long)]), 7).unwrap();
        assert!(paths.socket().as_os_str().len() <= SOCKET_PATH_MAX);
        assert!(paths.socket().starts_with("/tmp/keeptab-7"));
        let other = format!("/{}", "b".repeat(150));
        let other = Paths::from_vars(vars(&[("KEEPTAB_HOME", &other)]), 7).unwrap();
        assert_ne!(paths.socket(), other.socket());
    }

    #[test]
    fn a_long_temp_directory_does_not_matter_either() {
        let long = format!("/{}", "t".repeat(150));
        let paths = Paths::from_vars(vars(&[("TMPDIR", &long), ("HOME", "/h")]), 7).unwrap();
        assert_eq!(paths.run_dir(), Path::new("/tmp/keeptab-7"));
    }

    #[test]
    fn the_usual_places_without_any_variable() {
        let paths = Paths::from_vars(vars(&[("HOME", "/h")]), 7).unwrap();
        assert_eq!(paths.data_dir(), Path::new("/h/.local/share/keeptab"));
        assert_eq!(paths.config_dir(), Path::new("/h/.config/keeptab"));
        assert_eq!(paths.run_dir(), Path::new("/tmp/keeptab-7"));
    }

    #[test]
    fn relative_paths_and_no_home_are_refused() {
        let relative = Paths::from_vars(vars(&[("KEEPTAB_HOME", "k")]), 7).unwrap_err();
        assert!(relative.to_string().contains("KEEPTAB_HOME"), "{relative}");
        assert!(matches!(
            Paths::from_vars(vars(&[]), 7),
            Err(PathError::NoHome)
        ));
    }

    #[test]
    fn directories_are_made_private_and_a_file_in_the_way_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let paths = Paths::below(temp.path());
        paths.prepare().unwrap();
        std::fs::set_permissions(paths.run_dir(), Permissions::from_mode(0o755)).unwrap();
        paths.prepare().unwrap();
        let mode = paths.run_dir().metadata().unwrap().mode();
        assert_eq!(mode & 0o777, 0o700);

        std::fs::remove_dir_all(paths.data_dir()).unwrap();
        std::fs::write(paths.data_dir(), "in the way").unwrap();
        let error = paths.prepare().unwrap_err();
        assert!(matches!(error, PathError::NotADirectory { .. }), "{error}");
    }

    #[test]
    fn a_link_in_place_of_the_directory_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let elsewhere = temp.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, temp.path().join("run")).unwrap();
        let error = Paths::below(temp.path()).prepare().unwrap_err();
        assert!(matches!(error, PathError::NotADirectory { .. }), "{error}");
    }
}
