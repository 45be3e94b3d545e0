//! The protocol definition: fetched from npm once, kept in the tree, read from there.
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use super::output::Outputs;
use super::schema::{Domain, Field, Protocol, Shape};

/// The npm package and its pinned version.
const PACKAGE: &str = "devtools-protocol";
pub(super) const VERSION: &str = "0.0.1734725";

/// Why the definition could not be had.
#[derive(Debug)]
pub(super) struct SourceError(pub(super) String);

fn context(what: &str, path: &Path) -> impl FnOnce(io::Error) -> SourceError {
    let text = format!("{what} {}", path.display());
    move |cause| SourceError(format!("{text}: {cause}"))
}

/// Reads the vendored domains, in the order of their names.
pub(super) fn vendored(spec_dir: &Path) -> Result<Vec<Domain>, SourceError> {
    let mut domains = Vec::new();
    for entry in fs::read_dir(spec_dir).map_err(context("cannot read", spec_dir))? {
        let path = entry.map_err(context("cannot read", spec_dir))?.path();
        if path.extension().is_some_and(|ext| ext == "json") {
            let text = fs::read_to_string(&path).map_err(context("cannot read", &path))?;
            domains.push(
                serde_json::from_str::<Domain>(&text)
                    .map_err(|cause| SourceError(format!("{}: {cause}", path.display())))?,
            );
        }
    }
    if domains.is_empty() {
        return Err(SourceError(format!(
            "no definitions in {}; run: cargo xtask codegen --fetch",
            spec_dir.display()
        )));
    }
    domains.sort_by(|a, b| a.domain.cmp(&b.domain));
    follow_redirects(&mut domains);
    Ok(domains)
}

/// A command that moved to another domain is declared without parameters; it takes those of the
/// command that it means.
fn follow_redirects(domains: &mut [Domain]) {
    let originals = domains.to_vec();
    for domain in domains {
        for command in &mut domain.commands {
            let Some(target) = &command.redirect else {
                continue;
            };
            let meant = originals
                .iter()
                .find(|d| d.domain == *target)
                .and_then(|d| d.commands.iter().find(|c| c.name == command.name));
            match meant {
                Some(meant) => {
                    command.parameters = qualified(target, &meant.parameters);
                    command.returns = qualified(target, &meant.returns);
                }
                // It kept its own parameters, and there is nothing where it points.
                None => command.redirect = None,
            }
        }
    }
}

/// Fields of `home` as another domain must write them.
fn qualified(home: &str, fields: &[Field]) -> Vec<Field> {
    fn qualify(home: &str, shape: &mut Shape) {
        if let Some(reference) = &mut shape.reference
            && !reference.contains('.')
        {
            *reference = format!("{home}.{reference}");
        }
        if let Some(items) = &mut shape.items {
            qualify(home, items);
        }
    }
    let mut fields = fields.to_vec();
    for field in &mut fields {
        qualify(home, &mut field.shape);
    }
    fields
}

/// Whether the vendored definition is of the pinned version.
pub(super) fn is_current(spec_dir: &Path) -> bool {
    fs::read_to_string(spec_dir.join("VERSION")).is_ok_and(|found| found.trim() == version_line())
}

fn version_line() -> String {
    format!("{PACKAGE} {VERSION}")
}

/// Downloads the pinned package with the npm client and splits it into one minified file per
/// domain, with its licence and its version beside them.
pub(super) fn fetch(spec_dir: &Path) -> Result<Outputs, SourceError> {
    let scratch = Scratch::new()?;
    let package = format!("{PACKAGE}@{VERSION}");
    run(
        &scratch.0,
        "npm",
        &["pack", "--silent", "--ignore-scripts", &package],
    )?;
    run(
        &scratch.0,
        "tar",
        &["xzf", &format!("{PACKAGE}-{VERSION}.tgz")],
    )?;

    let unpacked = scratch.0.join("package");
    let mut outputs = Outputs::default();
    for file in ["browser_protocol.json", "js_protocol.json"] {
        let path = unpacked.join("json").join(file);
        let text = fs::read_to_string(&path).map_err(context("cannot read", &path))?;
        let protocol: Protocol = serde_json::from_str(&text)
            .map_err(|cause| SourceError(format!("{}: {cause}", path.display())))?;
        for domain in protocol.domains {
            let json = serde_json::to_string(&domain)
                .map_err(|cause| SourceError(format!("{}: {cause}", domain.domain)))?;
            outputs.add(
                spec_dir.join(format!("{}.json", domain.domain)),
                json + "\n",
            );
        }
    }
    let licence = unpacked.join("LICENSE");
    let text = fs::read_to_string(&licence).map_err(context("cannot read", &licence))?;
    outputs.add(spec_dir.join("LICENSE"), text);
    outputs.add(spec_dir.join("VERSION"), version_line() + "\n");
    Ok(outputs)
}

fn run(dir: &Path, program: &str, args: &[&str]) -> Result<(), SourceError> {
    let status = Command::new(program)
        .args(args)
        .current_dir(dir)
        .stdout(std::process::Stdio::null())
        .status()
        .map_err(|cause| SourceError(format!("cannot run {program}: {cause}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(SourceError(format!(
            "{program} {} ended with {status}",
            args.join(" ")
        )))
    }
}

/// A directory that goes away when it is no longer needed.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, SourceError> {
        let dir = std::env::temp_dir().join(format!("keeptab-codegen-{}", std::process::id()));
        fs::create_dir_all(&dir).map_err(context("cannot create", &dir))?;
        Ok(Self(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing depends on it; the system clears its temporary directory anyway.
        let _ = fs::remove_dir_all(&self.0);
    }
}
