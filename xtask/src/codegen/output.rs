//! Generated files: collected in memory, then written or compared.
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

/// Files by path with their whole text.
#[derive(Default)]
pub(super) struct Outputs(BTreeMap<PathBuf, String>);

impl Outputs {
    pub(super) fn add(&mut self, path: PathBuf, text: String) {
        self.0.insert(path, text);
    }

    /// Brings all Rust files into the form of `cargo fmt`.
    pub(super) fn format(&mut self) -> io::Result<()> {
        for (path, text) in &mut self.0 {
            if path.extension().is_some_and(|ext| ext == "rs") {
                *text = rustfmt(text)?;
            }
        }
        Ok(())
    }

    /// Writes the files that differ, and removes files of `owned` directories that are not among
    /// them. Returns the number of changes.
    pub(super) fn write(&self, owned: &[(&Path, &str)]) -> io::Result<usize> {
        let mut changes = 0;
        for (path, text) in &self.0 {
            if fs::read_to_string(path).is_ok_and(|old| old == *text) {
                continue;
            }
            if let Some(dir) = path.parent() {
                fs::create_dir_all(dir)?;
            }
            fs::write(path, text)?;
            changes += 1;
        }
        for path in self.strangers(owned)? {
            fs::remove_file(path)?;
            changes += 1;
        }
        Ok(changes)
    }

    /// The files that writing would change.
    pub(super) fn differences(&self, owned: &[(&Path, &str)]) -> io::Result<Vec<PathBuf>> {
        let mut changed: Vec<PathBuf> = self
            .0
            .iter()
            .filter(|(path, text)| !fs::read_to_string(path).is_ok_and(|old| old == **text))
            .map(|(path, _)| path.clone())
            .collect();
        changed.extend(self.strangers(owned)?);
        Ok(changed)
    }

    /// Files with the given ending in the given directories that were not generated.
    fn strangers(&self, owned: &[(&Path, &str)]) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for (dir, ending) in owned {
            if !dir.exists() {
                continue;
            }
            for entry in fs::read_dir(dir)? {
                let path = entry?.path();
                let ours = path.extension().is_some_and(|ext| ext == *ending);
                if ours && !self.0.contains_key(&path) {
                    found.push(path);
                }
            }
        }
        Ok(found)
    }
}

fn rustfmt(text: &str) -> io::Result<String> {
    let mut child = Command::new("rustfmt")
        .args([
            "--edition",
            "2024",
            "--config",
            "max_width=100,use_field_init_shorthand=true",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = child
        .stdin
        .take()
        .ok_or_else(|| io::Error::other("rustfmt has no input"))?;
    // rustfmt reads all of its input before it writes, so this cannot block on a full pipe.
    stdin.write_all(text.as_bytes())?;
    drop(stdin);
    let done = child.wait_with_output()?;
    if !done.status.success() {
        return Err(io::Error::other(format!(
            "rustfmt ended with {}",
            done.status
        )));
    }
    String::from_utf8(done.stdout).map_err(io::Error::other)
}
