//! What is on this machine, and getting what is missing from its package manager.

use crate::steps::{Failed, run};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

// The tests' own search, so that a browser found here is the one they use.
#[path = "../../crates/testkit/src/chromium/find.rs"]
#[allow(unreachable_pub, reason = "public where it comes from")]
mod find;

/// Whether installing may go ahead without a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    Given,
    Ask,
}

/// A program in `PATH` that starts.
pub(crate) fn has(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A Chromium-family browser: the one that is here, or one that is now installed.
pub(crate) fn chromium(consent: Consent) -> Result<PathBuf, Failed> {
    if let Some(found) = find::find_chromium() {
        return Ok(found);
    }
    let advice = "install Chromium by hand, or set KEEPTAB_CHROMIUM to the path of one";
    let Some(commands) = install_chromium() else {
        return Err(
            Failed::new("no Chromium-family browser, and no package manager known here")
                .hint(advice),
        );
    };
    let plan: Vec<String> = commands.iter().map(|words| words.join(" ")).collect();
    println!(
        "      no Chromium-family browser here; to install one: {}",
        plan.join(" && ")
    );
    if !agreed(consent)? {
        return Err(Failed::new("there is no browser to run with").hint(advice));
    }
    for words in commands {
        let (program, args) = words
            .split_first()
            .ok_or_else(|| Failed::new("nothing to run"))?;
        run(Command::new(program).args(args)).map_err(|failed| failed.hint(advice))?;
    }
    find::find_chromium()
        .ok_or_else(|| Failed::new("installed, but no browser is in PATH").hint(advice))
}

/// A person's yes; root without a terminal is a machine being set up, and needs none.
fn agreed(consent: Consent) -> Result<bool, Failed> {
    if consent == Consent::Given {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return match is_root() {
            true => Ok(true),
            false => Err(Failed::new("nobody is here to agree").hint("cargo xtask demo --yes")),
        };
    }
    print!("      go ahead? [y/N] ");
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failed::new(format!("cannot read: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn install_chromium() -> Option<Vec<Vec<String>>> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    if cfg!(target_os = "macos") {
        return has("brew", "--version").then(|| vec![words("brew install --cask chromium")]);
    }
    if cfg!(windows) {
        let install = "winget install --id Hibbiki.Chromium --accept-package-agreements --accept-source-agreements";
        return has("winget", "--version").then(|| vec![words(install)]);
    }
    let commands = if has("apt-get", "--version") {
        vec![
            words("apt-get update"),
            words("apt-get install -y --no-install-recommends chromium"),
        ]
    } else if has("dnf", "--version") {
        vec![words("dnf install -y chromium")]
    } else if has("pacman", "--version") {
        vec![words("pacman -S --noconfirm chromium")]
    } else {
        return None;
    };
    let root = commands
        .into_iter()
        .map(|words| if is_root() { words } else { sudo(words) });
    Some(root.collect())
}

fn sudo(words: Vec<String>) -> Vec<String> {
    // Without a terminal there is nobody to type a password.
    let sudo: &[&str] = if std::io::stdin().is_terminal() {
        &["sudo"]
    } else {
        &["sudo", "-n"]
    };
    sudo.iter()
        .map(|word| (*word).to_owned())
        .chain(words)
        .collect()
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").stderr(Stdio::null()).output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
