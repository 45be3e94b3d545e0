//! Which build a process is, and which of two is the newer one.

use std::fmt;
use std::str::FromStr;
use std::time::UNIX_EPOCH;

/// The header by which a client tells its build.
pub(crate) const CLIENT_HEADER: &str = "keeptab-client";
/// The header in which a daemon that serves a newer client says why it was not replaced.
pub(crate) const NOTICE_HEADER: &str = "keeptab-notice";

/// A build: its version, a hash of its sources, and the time its file was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The version, `major.minor.patch`.
    pub version: String,
    /// A hash of the sources it was made from.
    pub id: String,
    /// When the program file was written, in seconds since 1970; 0 when unknown.
    pub stamp: u64,
}

impl Build {
    /// This process, given the version and source hash compiled into it.
    #[must_use]
    pub fn current(version: &str, id: &str) -> Self {
        // Opening /proc/self/exe also works when the file was replaced meanwhile.
        let file = if cfg!(target_os = "linux") {
            std::fs::metadata("/proc/self/exe")
        } else {
            std::env::current_exe().and_then(std::fs::metadata)
        };
        let stamp = file
            .and_then(|meta| meta.modified())
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .map_or(0, |since| since.as_secs());
        Build {
            version: version.to_owned(),
            id: id.to_owned(),
            stamp,
        }
    }

    /// Whether this build should replace a running `other`. The same sources never do.
    #[must_use]
    pub fn replaces(&self, other: &Build) -> bool {
        self.id != other.id
            && (numbers(&self.version), self.stamp) > (numbers(&other.version), other.stamp)
    }
}

fn numbers(version: &str) -> Vec<u64> {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    core.split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.version, self.id, self.stamp)
    }
}

/// The text is not `version id stamp`.
#[derive(Debug, thiserror::Error)]
#[error("not a build: {0:?}")]
pub struct NotABuild(String);

impl FromStr for Build {
    type Err = NotABuild;

    fn from_str(text: &str) -> Result<Self, NotABuild> {
        let mut parts = text.split(' ');
        match (
            parts.next(),
            parts.next(),
            parts.next().map(str::parse),
            parts.next(),
        ) {
            (Some(version), Some(id), Some(Ok(stamp)), None) if !version.is_empty() => Ok(Build {
                version: version.to_owned(),
                id: id.to_owned(),
                stamp,
            }),
            _ => Err(NotABuild(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(version: &str, id: &str, stamp: u64) -> Build {
        Build {
            version: version.into(),
            id: id.into(),
            stamp,
        }
    }

    #[test]
    fn the_newer_replaces_the_older_and_never_itself() {
        let old = build("0.9.0", "a", 50);
        assert!(build("0.10.0", "b", 1).replaces(&old));
        assert!(build("0.9.0", "b", 51).replaces(&old));
        assert!(
            !build("0.9.0", "a", 99).replaces(&old),
            "same sources, copied later"
        );
        assert!(
            !build("0.8.9", "b", 99).replaces(&old),
            "older version, newer file"
        );
        assert!(!old.replaces(&build("0.9.0", "b", 51)));
    }

    #[test]
    fn it_travels_as_text() {
        let there = build("1.2.3", "abc", 4);
        assert_eq!(there.to_string().parse::<Build>().unwrap(), there);
        assert!("1.2.3 abc".parse::<Build>().is_err());
        assert!("1.2.3 abc x".parse::<Build>().is_err());
    }
}
