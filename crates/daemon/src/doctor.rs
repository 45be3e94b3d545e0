//! What could keep keeptab from working on this machine, looked at without a daemon.

use std::path::Path;

use keeptab_browser::find::installed_browsers;
use serde::Serialize;

use crate::client::{Client, Method};
use crate::lock::DaemonLock;
use crate::paths::Paths;
use crate::version::Build;

/// What came of one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but somebody should know.
    Warning,
    /// Something will not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found, in one line.
    pub found: String,
    /// What to do, unless all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Check {
            name,
            verdict: Verdict::Ok,
            found: found.into(),
            advice: None,
        }
    }

    fn not_ok(
        name: &'static str,
        verdict: Verdict,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Check {
            name,
            verdict,
            found: found.into(),
            advice: Some(advice.into()),
        }
    }
}

/// Looks at everything. Starts nothing and changes nothing, except that missing directories are
/// made.
#[must_use]
pub fn checks(paths: &Paths, client: &mut Client, build: &Build) -> Vec<Check> {
    let mut checks = vec![
        Check::ok("version", format!("{} ({})", build.version, build.id)),
        browser(),
        sandbox(),
    ];
    checks.extend(shared_memory(Path::new("/dev/shm")));
    checks.push(directories(paths));
    checks.push(space(paths));
    checks.push(daemon(paths, client, build));
    checks.push(leftovers(paths, client));
    checks
}

fn browser() -> Check {
    let found = installed_browsers();
    match found.first() {
        Some(first) => {
            let more = match found.len() - 1 {
                0 => String::new(),
                n => format!(", and {n} more"),
            };
            Check::ok(
                "browser",
                format!("{} at {}{more}", first.name, first.path.display()),
            )
        }
        None => Check::not_ok(
            "browser",
            Verdict::Bad,
            "no Chromium, Chrome, Edge or Brave is installed",
            how_to_get_one(),
        ),
    }
}

/// The command that brings a Chromium, as far as this system's package manager is known.
fn how_to_get_one() -> &'static str {
    if cfg!(target_os = "macos") {
        "brew install --cask chromium"
    } else if Path::new("/usr/bin/apt-get").exists() {
        "sudo apt-get install chromium"
    } else if Path::new("/usr/bin/dnf").exists() {
        "sudo dnf install chromium"
    } else if Path::new("/usr/bin/pacman").exists() {
        "sudo pacman -S chromium"
    } else if Path::new("/sbin/apk").exists() {
        "sudo apk add chromium"
    } else {
        "install Chromium with the system's package manager, or name one: export KEEPTAB_CHROMIUM=/path/to/chrome"
    }
}

fn sandbox() -> Check {
    if rustix::process::geteuid().is_root() {
        return Check::not_ok(
            "sandbox",
            Verdict::Warning,
            "running as root, so Chromium's sandbox is switched off",
            "run keeptab as an ordinary user when you visit pages that you do not trust",
        );
    }
    let denied =
        |path: &str, bad: &str| std::fs::read_to_string(path).is_ok_and(|text| text.trim() == bad);
    if denied("/proc/sys/kernel/unprivileged_userns_clone", "0")
        || denied(
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
        )
    {
        return Check::not_ok(
            "sandbox",
            Verdict::Warning,
            "this system restricts user namespaces, which Chromium's sandbox may need",
            "use the distribution's own Chromium package, which brings a helper or a profile for it",
        );
    }
    Check::ok("sandbox", "Chromium's sandbox can be used")
}

/// Chromium keeps pages in shared memory; 64 MB, as containers often have, is too little.
fn shared_memory(path: &Path) -> Option<Check> {
    const ENOUGH: u64 = 256 << 20;
    if !cfg!(target_os = "linux") {
        return None;
    }
    let Ok(stat) = rustix::fs::statvfs(path) else {
        return Some(Check::not_ok(
            "shared memory",
            Verdict::Warning,
            format!("{} is missing", path.display()),
            "mount it, or let Chromium use files: it does so by itself, more slowly",
        ));
    };
    let size = stat.f_blocks.saturating_mul(stat.f_frsize);
    let found = format!("{} has {} MB", path.display(), size >> 20);
    Some(if size >= ENOUGH {
        Check::ok("shared memory", found)
    } else {
        Check::not_ok(
            "shared memory",
            Verdict::Warning,
            found,
            "pages may crash; give the container more: docker run --shm-size=1g",
        )
    })
}

fn directories(paths: &Paths) -> Check {
    match paths.prepare() {
        Ok(()) => Check::ok(
            "directories",
            format!(
                "socket in {}, data in {}",
                paths.run_dir().display(),
                paths.data_dir().display()
            ),
        ),
        Err(error) => Check::not_ok(
            "directories",
            Verdict::Bad,
            error.to_string(),
            "give it to you, or choose another: export KEEPTAB_HOME=/some/directory",
        ),
    }
}

fn space(paths: &Paths) -> Check {
    const LITTLE: u64 = 200 << 20;
    let dir = paths.data_dir();
    match rustix::fs::statvfs(dir) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let found = format!("{} MB free for profiles and recordings", free >> 20);
            if free >= LITTLE {
                Check::ok("disk", found)
            } else {
                let advice = format!("make room in {}", dir.display());
                Check::not_ok("disk", Verdict::Warning, found, advice)
            }
        }
        Err(error) => Check::not_ok(
            "disk",
            Verdict::Warning,
            format!("cannot look at {}: {error}", dir.display()),
            "export KEEPTAB_HOME=/some/directory",
        ),
    }
}

fn daemon(paths: &Paths, client: &mut Client, build: &Build) -> Check {
    let health = client.call_running::<crate::api::Health>(Method::Get, "/v1/health", &());
    match health {
        Ok(Some(health)) if !health.warnings.is_empty() => Check::not_ok(
            "daemon",
            Verdict::Warning,
            health.warnings.join("; "),
            "keeptab daemon logs",
        ),
        Ok(Some(health)) if health.build.split(' ').nth(1) != Some(build.id.as_str()) => {
            Check::not_ok(
                "daemon",
                Verdict::Warning,
                format!(
                    "process {}, of another build ({})",
                    health.pid, health.version
                ),
                "keeptab daemon restart",
            )
        }
        Ok(Some(health)) => Check::ok("daemon", format!("process {}", health.pid)),
        Ok(None) => match DaemonLock::holder(&paths.lock()) {
            Ok(Some(pid)) => Check::not_ok(
                "daemon",
                Verdict::Bad,
                format!("process {pid} holds its lock, but nobody answers the socket"),
                format!("kill {pid}"),
            ),
            _ => Check::ok("daemon", "not running; it starts when it is needed"),
        },
        Err(error) => Check::not_ok(
            "daemon",
            Verdict::Bad,
            error.message.clone(),
            error
                .hint
                .unwrap_or_else(|| "keeptab daemon restart".into()),
        ),
    }
}

/// Browsers that run although nobody has them. Only a daemon knows which are whose.
fn leftovers(paths: &Paths, client: &mut Client) -> Check {
    const NAME: &str = "left behind";
    let health = client.call_running::<crate::api::Health>(Method::Get, "/v1/health", &());
    match health {
        Ok(Some(health)) => match health.left_behind.first() {
            None => Check::ok(NAME, "no browser runs that no session has"),
            Some(first) => Check::not_ok(
                NAME,
                Verdict::Warning,
                format!(
                    "browsers run that no session has, left by: {}",
                    health.left_behind.join(", ")
                ),
                format!("keeptab --session {first} adopt, or end them: keeptab sweep"),
            ),
        },
        _ => match crate::leftovers::alive(paths).len() {
            0 => Check::ok(NAME, "no browser of ours runs"),
            running => Check::ok(
                NAME,
                format!(
                    "{running} running without a daemon; the next command starts one, which takes over those of its sessions"
                ),
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_shared_memory_is_a_warning_with_advice() {
        let check = shared_memory(Path::new("/no/such/place"));
        if let Some(check) = check {
            assert_eq!(check.verdict, Verdict::Warning);
            assert!(check.advice.is_some());
        }
    }

    #[test]
    fn a_file_in_place_of_the_directory_is_bad_and_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("run"), "").unwrap();
        let check = directories(&Paths::below(dir.path()));
        assert_eq!(check.verdict, Verdict::Bad);
        assert!(check.found.contains("run"), "{}", check.found);
    }
}
