//! Secrets at rest: addresses that may hold keys, of browsers and of tabs, and ledgers, which hold what was set on a
//! browser (headers, credentials, scripts).
//!
//! XChaCha20-Poly1305 with a random nonce for each text. The key is a file of its own that only its
//! owner can read: whoever copies the store alone has none of the secrets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

/// The form of a sealed text: this byte, the nonce, then what the cipher made.
const FORM: u8 = 1;

/// Bytes of the key, and of its file.
const KEY_LEN: usize = 32;

/// Bytes of a nonce. So many that random ones never meet.
const NONCE_LEN: usize = 24;

/// Seals and opens with one key.
#[derive(Clone)]
pub(crate) struct Seal {
    cipher: XChaCha20Poly1305,
}

/// Why a sealed text cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    /// Not made by any build that we know.
    #[error("it is sealed in a form that this build does not know")]
    Form,
    /// Sealed with another key, for another place, or changed since.
    #[error("its secrets were sealed with another key, or changed since")]
    Key,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

impl Seal {
    /// The key in the data directory `data`, made there when there is none.
    ///
    /// # Errors
    /// It cannot be read or made, or is not a key.
    pub(crate) fn load(data: &Path) -> io::Result<Self> {
        let path = data.join("key");
        let key = match read_key(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => make_key(data, &path)?,
            other => other?,
        };
        Ok(Seal {
            cipher: XChaCha20Poly1305::new(&Key::from(key)),
        })
    }

    /// Seals `plain` for `place`: it opens nowhere else.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub(crate) fn seal(&self, place: &str, plain: &[u8]) -> io::Result<Vec<u8>> {
        let nonce = random::<NONCE_LEN>()?;
        let text = Payload {
            msg: plain,
            aad: place.as_bytes(),
        };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), text)
            .map_err(|_| io::Error::other("too long to be sealed"))?;
        Ok([&[FORM], &nonce[..], &sealed].concat())
    }

    /// Opens what [`Seal::seal`] made for the same place.
    ///
    /// # Errors
    /// It is not that, or was sealed with another key.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (form, rest) = sealed.split_first().ok_or(SealError::Form)?;
        let (nonce, sealed) = rest
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(SealError::Form)?;
        if *form != FORM {
            return Err(SealError::Form);
        }
        let text = Payload {
            msg: sealed,
            aad: place.as_bytes(),
        };
        self.cipher
            .decrypt(&XNonce::from(*nonce), text)
            .map_err(|_| SealError::Key)
    }
}

fn read_key(path: &Path) -> io::Result<[u8; KEY_LEN]> {
    let mut text = Vec::with_capacity(KEY_LEN);
    File::open(path)?
        .take(KEY_LEN as u64 + 1)
        .read_to_end(&mut text)?;
    <[u8; KEY_LEN]>::try_from(text).map_err(|_| {
        let what = format!("{} is not a key of ours", path.display());
        io::Error::new(io::ErrorKind::InvalidData, what)
    })
}

/// Makes the key beside its place and moves it there, so that a crash never leaves half a key.
/// Only one daemon runs in a data directory at a time.
fn make_key(data: &Path, path: &Path) -> io::Result<[u8; KEY_LEN]> {
    let key = random::<KEY_LEN>()?;
    let beside = data.join("key.new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(data)?.sync_all()?;
    Ok(key)
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        filled +=
            rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty())?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_sealed_opens_again_also_for_the_next_daemon() {
        let dir = tempfile::tempdir().unwrap();
        let sealed = Seal::load(dir.path())
            .unwrap()
            .seal("work", b"token")
            .unwrap();
        assert!(!sealed.windows(5).any(|part| part == b"token"));
        let next = Seal::load(dir.path()).unwrap();
        assert_eq!(next.open("work", &sealed), Ok(b"token".to_vec()));
        let mode = fs::metadata(dir.path().join("key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn it_opens_nowhere_else_and_not_when_changed() {
        let dir = tempfile::tempdir().unwrap();
        let seal = Seal::load(dir.path()).unwrap();
        let sealed = seal.seal("work", b"token").unwrap();
        assert_eq!(seal.open("play", &sealed), Err(SealError::Key));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal.open("work", &changed).is_err(), "byte {at}");
            assert!(seal.open("work", &sealed[..at]).is_err(), "cut at {at}");
        }
        let other = tempfile::tempdir().unwrap();
        let other = Seal::load(other.path()).unwrap();
        assert_eq!(other.open("work", &sealed), Err(SealError::Key));
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("key"), "short").unwrap();
        let error = Seal::load(dir.path()).unwrap_err();
        assert!(error.to_string().contains("not a key"), "{error}");
        assert_eq!(fs::read(dir.path().join("key")).unwrap(), b"short");
    }
}
