//! Running the built `keeptab` in a home directory that is gone afterwards.

use crate::steps::{Failed, seconds};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// The longest part of an output or an argument that is shown.
const SHOWN: usize = 160;

/// Numbers the homes of one run.
static NEXT: AtomicU32 = AtomicU32::new(1);

/// The program with its own `KEEPTAB_HOME`. Its daemon is stopped, and the home removed, when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    path: PathBuf,
    home: PathBuf,
}

impl Program {
    pub(crate) fn new(path: PathBuf) -> Result<Self, Failed> {
        // Short, because the path of a Unix socket lies in it.
        let home = std::env::temp_dir().join(format!(
            "keeptab-xtask-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        ));
        std::fs::create_dir_all(&home)
            .map_err(|error| Failed::new(format!("cannot make {}: {error}", home.display())))?;
        Ok(Self { path, home })
    }

    /// Its home directory.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// A call with the environment set.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(args)
            .env("KEEPTAB_HOME", &self.home)
            .env_remove("KEEPTAB_SESSION")
            .stdin(Stdio::null());
        command
    }

    /// Runs one call, shows it with its output and its time, and returns the output.
    pub(crate) fn say(&self, args: &[&str]) -> Result<String, Failed> {
        println!("      $ keeptab {}", shorten(&quoted(args)));
        let begun = Instant::now();
        let text = self.output(args)?;
        for line in text.lines() {
            println!("        {}", shorten(line));
        }
        println!("        ({})", seconds(begun.elapsed()));
        Ok(text)
    }

    /// Runs JavaScript that returns a picture in base64, and writes it to a file.
    pub(crate) fn picture(&self, code: &str, file: &Path) -> Result<(), Failed> {
        println!("      $ keeptab js {}", shorten(&quoted(&[code])));
        let begun = Instant::now();
        let bytes = decode(&self.output(&["js", code])?)
            .ok_or_else(|| Failed::new("the screenshot is not base64"))?;
        if !bytes.starts_with(b"\x89PNG") {
            return Err(Failed::new("the screenshot is not a PNG file"));
        }
        let write = |file: &Path| {
            std::fs::create_dir_all(file.parent().unwrap_or(file))?;
            std::fs::write(file, &bytes)
        };
        write(file)
            .map_err(|error| Failed::new(format!("cannot write {}: {error}", file.display())))?;
        println!(
            "        {} bytes, {} ({})",
            bytes.len(),
            file.display(),
            seconds(begun.elapsed())
        );
        Ok(())
    }

    /// Runs one call and returns its output, without showing it.
    pub(crate) fn quiet(&self, args: &[&str]) -> Result<String, Failed> {
        let output = self.command(args).output();
        let output = output
            .map_err(|error| Failed::new(format!("cannot run {}: {error}", self.path.display())))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout)
                .trim_end()
                .to_owned()),
            false => {
                let said = String::from_utf8_lossy(&output.stderr);
                Err(Failed::new(format!(
                    "keeptab {}: {}",
                    shorten(&quoted(args)),
                    said.trim_end()
                )))
            }
        }
    }

    fn output(&self, args: &[&str]) -> Result<String, Failed> {
        let output = self.command(args).output();
        let output = output
            .map_err(|error| Failed::new(format!("cannot run {}: {error}", self.path.display())))?;
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        let stderr = String::from_utf8_lossy(&stderr);
        for line in stderr.lines() {
            println!("        {}", shorten(line));
        }
        match status.success() {
            true => Ok(String::from_utf8_lossy(&stdout).trim_end().to_owned()),
            false => Err(Failed::new(format!(
                "keeptab {} ({status})",
                shorten(&quoted(args))
            ))),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let mut stop = self.command(&["daemon", "stop"]);
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

fn quoted(args: &[&str]) -> String {
    let quote = |arg: &&str| match arg.contains([' ', '\n', '\'', '"', '(']) {
        true => format!("'{}'", arg.split_whitespace().collect::<Vec<_>>().join(" ")),
        false => (*arg).to_owned(),
    };
    args.iter().map(quote).collect::<Vec<_>>().join(" ")
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Standard base64, as Chromium writes it.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0);
    for byte in text.trim().trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 0xff) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded() {
        assert_eq!(decode("aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!(decode("/+8="), Some(vec![0xff, 0xef]));
        assert_eq!(decode("a*"), None);
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(
            shorten(&"ä".repeat(SHOWN + 1)),
            format!("{}…", "ä".repeat(SHOWN))
        );
    }
}
