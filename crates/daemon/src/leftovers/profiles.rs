//! Temporary profiles of ours whose browser and owner are gone.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::inside;
use super::look::Thing;

/// What their names begin with.
const PREFIX: &str = "keeptab-profile-";

/// One that was touched later may belong to a browser that is just being started.
const SETTLED: Duration = Duration::from_secs(600);

/// The profiles in `temp` that nobody uses. None where the system does not tell which processes run.
pub(super) fn abandoned(temp: &Path) -> Vec<Thing> {
    let profiles: Vec<PathBuf> = inside(temp)
        .into_iter()
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().as_bytes();
            name.starts_with(PREFIX.as_bytes()) && is_old_and_ours(path)
        })
        .collect();
    if profiles.is_empty() {
        return Vec::new();
    }
    let Some(lines) = command_lines() else {
        return Vec::new();
    };
    profiles
        .into_iter()
        .filter(|path| !is_named(&lines, path))
        .map(Thing::Profile)
        .collect()
}

fn is_old_and_ours(path: &Path) -> bool {
    let Ok(meta) = path.symlink_metadata() else {
        return false;
    };
    let age = meta.modified().ok().and_then(|at| at.elapsed().ok());
    meta.is_dir()
        && meta.uid() == rustix::process::geteuid().as_raw()
        && age.is_some_and(|age| age > SETTLED)
}

/// A browser and its helpers have the profile in their command lines.
fn is_named(lines: &[Vec<u8>], profile: &Path) -> bool {
    let profile = profile.as_os_str().as_bytes();
    lines
        .iter()
        .any(|line| line.windows(profile.len()).any(|part| part == profile))
}

fn command_lines() -> Option<Vec<Vec<u8>>> {
    let processes = fs::read_dir("/proc").ok()?;
    let lines: Vec<Vec<u8>> = processes
        .flatten()
        .filter(|entry| entry.file_name().as_bytes().iter().all(u8::is_ascii_digit))
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .collect();
    // Our own is among them, or this is no `/proc` that tells anything.
    (!lines.is_empty()).then_some(lines)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::process::Command;

    fn aged(dir: &Path, name: &str) -> PathBuf {
        let path = dir.join(name);
        fs::create_dir(&path).unwrap();
        let long_ago = std::time::SystemTime::now() - 2 * SETTLED;
        let file = fs::File::open(&path).unwrap();
        file.set_modified(long_ago).unwrap();
        path
    }

    #[test]
    fn only_old_profiles_that_no_process_names_are_abandoned() {
        let temp = tempfile::tempdir().unwrap();
        let gone = aged(temp.path(), "keeptab-profile-gone");
        let used = aged(temp.path(), "keeptab-profile-used");
        aged(temp.path(), "somebody-elses");
        fs::create_dir(temp.path().join("keeptab-profile-fresh")).unwrap();
        let mut user = Command::new("sh")
            .args(["-c", "echo ready; read -r line", "sh"])
            .arg(format!("--user-data-dir={}", used.display()))
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // A process that was just started has no command line yet.
        let mut ready = [0; 1];
        user.stdout.take().unwrap().read_exact(&mut ready).unwrap();
        let found: Vec<PathBuf> = abandoned(temp.path())
            .into_iter()
            .map(|thing| match thing {
                Thing::Profile(path) => path,
                other => panic!("{other:?}"),
            })
            .collect();
        drop(user.stdin.take());
        user.wait().unwrap();
        assert_eq!(found, [gone]);
    }
}
