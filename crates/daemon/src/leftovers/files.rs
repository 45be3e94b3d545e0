//! Files of keepers that are gone: sockets and logs.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use keeptab_keeper::{BESIDE, Listening, STATE_SUFFIX};

use super::look::Thing;

/// The keepers' sockets in `dir` that no state file names.
pub(super) fn sockets(dir: &Path, named: &[PathBuf]) -> Vec<Thing> {
    inside(dir)
        .into_iter()
        .filter(|path| !named.contains(path))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("keeper-") && name.ends_with(".sock")
        })
        .filter_map(|path| match Listening::at(&path) {
            Ok(Some(listening)) => Some(Thing::Nameless(listening)),
            Ok(None) => Some(Thing::Socket(path)),
            Err(error) => {
                tracing::debug!("{}: {error}", path.display());
                None
            }
        })
        .collect()
}

/// What lies beside state files that are not there.
pub(super) fn strays(dir: &Path) -> Vec<Thing> {
    let all: HashSet<PathBuf> = inside(dir).into_iter().collect();
    let mut strays: Vec<PathBuf> = all
        .iter()
        .filter(|path| {
            let name = path.to_string_lossy();
            BESIDE.iter().any(|ending| {
                name.strip_suffix(ending).is_some_and(|state| {
                    state.ends_with(STATE_SUFFIX) && !all.contains(Path::new(state))
                })
            })
        })
        .cloned()
        .collect();
    strays.sort();
    strays.into_iter().map(Thing::File).collect()
}

pub(super) fn inside(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_state_file_explains_is_a_stray() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "a.keeper",
            "a.keeper.log",
            "b.keeper.log",
            "b.keeper.stderr",
            "notes.log",
        ] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let found: Vec<String> = strays(dir.path())
            .into_iter()
            .map(|thing| match thing {
                Thing::File(path) => path.file_name().unwrap().to_string_lossy().into_owned(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(found, ["b.keeper.log", "b.keeper.stderr"]);
    }

    #[test]
    fn a_socket_at_which_nobody_listens_is_told_from_one_with_a_keeper() {
        let dir = tempfile::tempdir().unwrap();
        let dead = dir.path().join("keeper-dead.sock");
        drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
        let named = dir.path().join("keeper-named.sock");
        drop(std::os::unix::net::UnixListener::bind(&named).unwrap());
        let live = dir.path().join("keeper-live.sock");
        let _listener = std::os::unix::net::UnixListener::bind(&live).unwrap();
        let found = sockets(dir.path(), &[named]);
        assert!(
            matches!(&found[0], Thing::Socket(path) if *path == dead),
            "{found:?}"
        );
        if cfg!(target_os = "linux") {
            assert!(
                matches!(&found[1], Thing::Nameless(keeper) if keeper.pid == std::process::id()),
                "{found:?}"
            );
            assert_eq!(found.len(), 2);
        }
    }
}
