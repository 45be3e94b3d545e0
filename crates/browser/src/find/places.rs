//! The operating system and the directories that everything else starts from.
use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// An operating system with its own habits about directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Os {
    /// Linux and the other free Unixes.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl Os {
    /// The system this program runs on.
    pub fn current() -> Self {
        match env::consts::OS {
            "macos" => Self::MacOs,
            "windows" => Self::Windows,
            _ => Self::Linux,
        }
    }
}

/// Where to look: the system and its environment variables. Values and not the process's own
/// environment, so that the habits of every system can be tried on any of them.
#[derive(Debug, Clone)]
pub struct Places {
    os: Os,
    variables: HashMap<String, OsString>,
}

impl Places {
    /// This machine and the environment of this process.
    pub fn current() -> Self {
        let variables =
            env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value)));
        Self {
            os: Os::current(),
            variables: variables.collect(),
        }
    }

    /// A system with these environment variables and no others.
    pub fn new<K: Into<String>, V: Into<OsString>>(
        os: Os,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let variables = variables
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()));
        Self {
            os,
            variables: variables.collect(),
        }
    }

    /// The system.
    pub fn os(&self) -> Os {
        self.os
    }

    /// A variable that is set and not empty, as a path.
    pub(super) fn variable(&self, name: &str) -> Option<PathBuf> {
        let value = self.variables.get(name)?;
        (!value.is_empty()).then(|| PathBuf::from(value))
    }

    pub(super) fn home(&self) -> Option<PathBuf> {
        self.variable("HOME")
            .or_else(|| self.variable("USERPROFILE"))
    }

    /// Directories of `PATH`, in order.
    pub(super) fn search_path(&self) -> Vec<PathBuf> {
        self.variables
            .get("PATH")
            .map(|path| env::split_paths(path).collect())
            .unwrap_or_default()
    }
}
