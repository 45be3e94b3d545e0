//! Finding our processes, and the browser they started, by the home they were started for.

use crate::steps::Failed;
use std::path::Path;

/// What one of our processes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Daemon,
    Worker,
    Keeper,
}

pub(super) fn one(home: &Path, role: Role) -> Result<u32, Failed> {
    processes(home, role)
        .first()
        .copied()
        .ok_or_else(|| Failed::new(format!("no {role:?} process is running")))
}

/// The processes that were started for this home, by their role.
pub(super) fn processes(home: &Path, role: Role) -> Vec<u32> {
    let wanted = format!("KEEPTAB_HOME={}", home.display());
    let is_ours = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let words = command_line(*pid);
        let is_keeptab = words.first().is_some_and(|word| word.ends_with("keeptab"));
        let found = match words.get(1).map(String::as_str) {
            Some("js-worker") => Role::Worker,
            Some("daemon") => Role::Daemon,
            Some("keeper") => Role::Keeper,
            _ => return false,
        };
        // A worker is started without an environment; it is the daemon's child.
        let home_fits = environment
            .split(|byte| *byte == 0)
            .any(|entry| entry == wanted.as_bytes());
        is_keeptab
            && found == role
            && (home_fits || (role == Role::Worker && parent_is(*pid, home)))
    };
    all().into_iter().filter(is_ours).collect()
}

/// The flags with which keeptab started a browser for this home, without the profile and what makes the pipe.
/// `None` where the system does not show them.
pub(super) fn flags_of_browser(home: &Path) -> Option<Vec<String>> {
    let profile = format!("--user-data-dir={}", home.display());
    let is_main = |words: &Vec<String>| {
        words.iter().any(|word| word.starts_with(&profile))
            && !words.iter().any(|word| word.starts_with("--type="))
            && words.get(1).is_some_and(|word| word != "keeper")
    };
    let line = all().into_iter().map(command_line).find(is_main)?;
    let flags = line.into_iter().skip(1);
    let ours = |flag: &String| {
        flag.starts_with("--")
            && !flag.starts_with("--user-data-dir=")
            && flag != "--remote-debugging-pipe"
    };
    Some(flags.filter(ours).collect())
}

fn all() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn command_line(pid: u32) -> Vec<String> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = line
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty());
    words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

fn parent_is(pid: u32, home: &Path) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let parent = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
    parent.is_some_and(|parent| processes(home, Role::Daemon).contains(&parent))
}
