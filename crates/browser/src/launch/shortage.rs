//! A machine that has nothing left to give: no space, no descriptors.
use std::io;
use std::path::Path;

/// What to do about an error that says so; `dir` is where something was to be written.
pub(super) fn remedy(error: &io::Error, dir: &Path) -> Option<String> {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(format!(
            "the disk is full: free some space where {} is",
            dir.display()
        )),
        _ if out_of_files(error) => Some(
            "close something, or start this program with a higher limit of open files (ulimit -n)"
                .to_owned(),
        ),
        _ => None,
    }
}

/// Whether no more files, pipes or sockets can be opened.
#[cfg(unix)]
pub(super) fn out_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE]
        .map(|errno| Some(errno.raw_os_error()))
        .contains(&error.raw_os_error())
}

#[cfg(not(unix))]
pub(super) fn out_of_files(_error: &io::Error) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn a_full_disk_and_a_full_table_of_files_are_told_apart() {
        let say = |errno: Errno| remedy(&errno.into(), Path::new("/some/profile"));
        let disk = say(Errno::NOSPC).expect("known");
        assert!(disk.contains("/some/profile"), "{disk}");
        let files = say(Errno::MFILE).expect("known");
        assert!(files.contains("ulimit -n"), "{files}");
        assert!(!files.contains("/some/profile"), "{files}");
        assert_eq!(say(Errno::NOENT), None);
    }
}
