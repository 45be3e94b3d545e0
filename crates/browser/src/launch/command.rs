//! The whole command line, for somebody else who starts the browser: a keeper.
use std::ffi::OsString;
use std::path::PathBuf;

use super::start::plan;
use super::{LaunchOptions, Profile};
use crate::{ConnectError, ConnectKind};

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaunchCommand {
    /// The program.
    pub executable: PathBuf,
    /// Its arguments, the profile directory among them.
    pub arguments: Vec<OsString>,
    /// The profile directory; it exists and nobody uses it.
    pub profile_dir: PathBuf,
    /// Whether Chromium's own sandbox is on. It is off for root only, who cannot have it.
    pub sandboxed: bool,
}

impl LaunchOptions {
    /// Finds the program, prepares the profile, and says how to start the browser, without doing so.
    ///
    /// # Errors
    /// No browser is installed, the profile is in use or a default one, or it is
    /// [`Profile::Temporary`], which nobody would remove.
    pub fn command(&self) -> Result<LaunchCommand, ConnectError> {
        let Profile::Dir(_) = &self.profile else {
            let message =
                "a browser that somebody else starts needs a profile directory that stays";
            return Err(ConnectError::new(ConnectKind::Invalid, message)
                .hinted("use LaunchOptions::profile_dir"));
        };
        let plan = plan(self)?;
        Ok(LaunchCommand {
            executable: plan.executable,
            arguments: plan.arguments,
            profile_dir: plan.profile.dir,
            sandboxed: plan.sandboxed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_profile_and_makes_it() {
        let temp = tempfile::tempdir().expect("directory");
        let dir = temp.path().join("profile");
        let options = LaunchOptions::new()
            .executable("/bin/true")
            .profile_dir(&dir);
        let command = options.command().expect("command");
        assert_eq!(command.executable, PathBuf::from("/bin/true"));
        assert!(dir.is_dir());
        let mut flag = OsString::from("--user-data-dir=");
        flag.push(&command.profile_dir);
        assert!(command.arguments.contains(&flag));
    }

    #[test]
    fn a_profile_that_nobody_removes_is_refused() {
        let refused = LaunchOptions::new().executable("/bin/true").command();
        assert_eq!(refused.expect_err("refused").kind(), ConnectKind::Invalid);
    }
}
