//! Nobody but the owner may look at the files.

use std::path::Path;
use std::sync::Arc;

use crate::error::StoreError;

/// Makes the directory (0700) and the file (0600) if need be, and takes away
/// what others may do with them. SQLite gives its side files the mode of the
/// main one.
pub(super) fn make_private(file: &Path) -> Result<(), StoreError> {
    if let Some(dir) = file.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        platform::private_dir(dir).map_err(|error| open_error(dir, error))?;
    }
    platform::private_file(file).map_err(|error| open_error(file, error))
}

fn open_error(path: &Path, error: std::io::Error) -> StoreError {
    StoreError::Open {
        path: path.to_owned(),
        cause: Arc::new(error),
    }
}

#[cfg(unix)]
mod platform {
    use std::fs::{DirBuilder, OpenOptions, Permissions, metadata, set_permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    pub(super) fn private_dir(dir: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        tighten(dir, 0o700)
    }

    pub(super) fn private_file(file: &Path) -> io::Result<()> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(file)?;
        for suffix in ["", "-wal", "-shm"] {
            let mut name = file.as_os_str().to_owned();
            name.push(suffix);
            match tighten(Path::new(&name), 0o600) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        Ok(())
    }

    fn tighten(path: &Path, mode: u32) -> io::Result<()> {
        if metadata(path)?.permissions().mode() & 0o777 & !mode != 0 {
            set_permissions(path, Permissions::from_mode(mode))?;
        }
        Ok(())
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;
    use std::path::Path;

    // A user's own data directory is private by its inherited rights there.
    pub(super) fn private_dir(dir: &Path) -> io::Result<()> {
        std::fs::create_dir_all(dir)
    }

    pub(super) fn private_file(_file: &Path) -> io::Result<()> {
        Ok(())
    }
}
