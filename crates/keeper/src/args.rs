//! The arguments of `keeptab keeper`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const USAGE: &str = "usage: keeptab keeper --socket PATH --state PATH --profile DIR \
[--orphan-seconds N] [--start-seconds N] [--detach] -- BROWSER [FLAG...]";

/// How long a browser may take to answer for the first time, unless told otherwise.
pub(crate) const START_PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) socket: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) profile: PathBuf,
    pub(crate) browser: OsString,
    pub(crate) flags: Vec<OsString>,
    /// End the browser when no owner was there for so long.
    pub(crate) orphan_after: Option<Duration>,
    pub(crate) start_patience: Duration,
    /// Start another process that does the work, and return.
    pub(crate) detach: bool,
}

impl Args {
    /// Reads the arguments after `keeper`. The error is a sentence for a person.
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut args = args.into_iter();
        let (mut socket, mut state, mut profile) = (None, None, None);
        let (mut orphan_after, mut start_patience, mut detach) = (None, START_PATIENCE, false);
        while let Some(arg) = args.next() {
            let name = arg.to_str().ok_or("an option that is not UTF-8")?;
            match name {
                "--" => break,
                "--detach" => detach = true,
                "--socket" => socket = Some(path(name, args.next())?),
                "--state" => state = Some(path(name, args.next())?),
                "--profile" => profile = Some(path(name, args.next())?),
                "--orphan-seconds" => orphan_after = Some(seconds(name, args.next())?),
                "--start-seconds" => start_patience = seconds(name, args.next())?,
                _ => return Err(format!("unknown option {name}")),
            }
        }
        Ok(Self {
            socket: socket.ok_or("--socket is missing")?,
            state: state.ok_or("--state is missing")?,
            profile: profile.ok_or("--profile is missing")?,
            browser: program(
                args.next()
                    .ok_or("the browser is missing; it comes after --")?,
            )?,
            flags: args.collect(),
            orphan_after,
            start_patience,
            detach,
        })
    }

    /// The browser's flags: ours first, so that it is the given ones that win.
    pub(crate) fn browser_flags(&self) -> Vec<OsString> {
        let mut profile = OsString::from("--user-data-dir=");
        profile.push(&self.profile);
        let mut all = vec![OsString::from("--remote-debugging-pipe"), profile];
        all.extend(self.flags.iter().cloned());
        all
    }
}

/// An absolute path in UTF-8: the state file is JSON, and a keeper runs in `/`.
fn path(name: &str, value: Option<OsString>) -> Result<PathBuf, String> {
    let value = value.ok_or_else(|| format!("{name} needs a path"))?;
    let text = value
        .to_str()
        .ok_or_else(|| format!("{name} must be UTF-8"))?;
    std::path::absolute(Path::new(text)).map_err(|error| format!("{name}: {error}"))
}

/// A bare name is looked up in `PATH`; a path is made absolute.
fn program(name: OsString) -> Result<OsString, String> {
    if Path::new(&name).components().count() < 2 {
        return Ok(name);
    }
    let path = std::path::absolute(&name).map_err(|error| format!("the browser: {error}"))?;
    Ok(path.into())
}

fn seconds(name: &str, value: Option<OsString>) -> Result<Duration, String> {
    value
        .as_deref()
        .and_then(OsStr::to_str)
        .and_then(|text| text.parse::<u32>().ok())
        .filter(|&seconds| seconds > 0)
        .map(|seconds| Duration::from_secs(seconds.into()))
        .ok_or_else(|| format!("{name} needs a number of seconds above 0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn a_whole_line() {
        let args = parse(
            "--socket /s --state /t --profile /p --orphan-seconds 5 --detach -- chrome --x --detach",
        )
        .expect("valid");
        assert_eq!(args.socket, Path::new("/s"));
        assert_eq!(args.orphan_after, Some(Duration::from_secs(5)));
        assert!(args.detach);
        let flags = [
            "--remote-debugging-pipe",
            "--user-data-dir=/p",
            "--x",
            "--detach",
        ];
        assert_eq!(args.browser_flags(), flags);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (line, said) in [
            ("--state /t --profile /p -- c", "--socket is missing"),
            (
                "--socket /s --state /t --profile /p",
                "the browser is missing",
            ),
            ("--socket", "--socket needs a path"),
            ("--sockets /s", "unknown option --sockets"),
            ("--orphan-seconds 0", "above 0"),
            ("--orphan-seconds -1", "above 0"),
        ] {
            let error = parse(line).expect_err(line);
            assert!(error.contains(said), "{line}: {error}");
        }
    }
}
