//! Browsers that could be started.
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Os, Places};

/// Environment variable that names the browser to start, before all that is found.
pub const OVERRIDE_VARIABLE: &str = "KEEPTAB_CHROMIUM";

/// A browser on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstalledBrowser {
    /// Name of the product.
    pub name: String,
    /// The program to start.
    pub path: PathBuf,
}

/// Programs in `PATH`, the plainest browser first: it knows no account and asks no questions.
const PROGRAMS: &[(&str, &str)] = &[
    ("chromium", "Chromium"),
    ("chromium-browser", "Chromium"),
    ("google-chrome-stable", "Google Chrome"),
    ("google-chrome", "Google Chrome"),
    ("chrome", "Google Chrome"),
    ("google-chrome-beta", "Google Chrome Beta"),
    ("google-chrome-unstable", "Google Chrome Dev"),
    ("microsoft-edge-stable", "Microsoft Edge"),
    ("microsoft-edge", "Microsoft Edge"),
    ("brave-browser", "Brave"),
    ("brave", "Brave"),
    ("vivaldi-stable", "Vivaldi"),
    ("vivaldi", "Vivaldi"),
    ("opera", "Opera"),
    ("headless_shell", "Headless Shell"),
    ("chrome-headless-shell", "Headless Shell"),
];

const MACOS_APPS: &[(&str, &str)] = &[
    ("Chromium", "Chromium.app/Contents/MacOS/Chromium"),
    (
        "Google Chrome",
        "Google Chrome.app/Contents/MacOS/Google Chrome",
    ),
    (
        "Google Chrome Beta",
        "Google Chrome Beta.app/Contents/MacOS/Google Chrome Beta",
    ),
    (
        "Google Chrome Canary",
        "Google Chrome Canary.app/Contents/MacOS/Google Chrome Canary",
    ),
    (
        "Microsoft Edge",
        "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    ),
    ("Brave", "Brave Browser.app/Contents/MacOS/Brave Browser"),
    ("Vivaldi", "Vivaldi.app/Contents/MacOS/Vivaldi"),
    ("Opera", "Opera.app/Contents/MacOS/Opera"),
    ("Arc", "Arc.app/Contents/MacOS/Arc"),
    ("Comet", "Comet.app/Contents/MacOS/Comet"),
];

const WINDOWS_PROGRAMS: &[(&str, &str)] = &[
    ("Chromium", "Chromium/Application/chrome.exe"),
    ("Google Chrome", "Google/Chrome/Application/chrome.exe"),
    (
        "Google Chrome Beta",
        "Google/Chrome Beta/Application/chrome.exe",
    ),
    (
        "Google Chrome Canary",
        "Google/Chrome SxS/Application/chrome.exe",
    ),
    ("Microsoft Edge", "Microsoft/Edge/Application/msedge.exe"),
    ("Brave", "BraveSoftware/Brave-Browser/Application/brave.exe"),
    ("Vivaldi", "Vivaldi/Application/vivaldi.exe"),
    ("Opera", "Programs/Opera/opera.exe"),
];

/// Directories that programs are often in without being in `PATH`.
const LINUX_DIRECTORIES: &[&str] = &[
    "/usr/bin",
    "/usr/local/bin",
    "/snap/bin",
    "/opt/google/chrome",
    "/opt/microsoft/msedge",
    "/opt/brave.com/brave",
    "/opt/vivaldi",
    "/usr/lib/chromium",
];

/// Browsers on this machine, best first. One that [`OVERRIDE_VARIABLE`] names comes first, whether it
/// exists or not: who names a browser means no other.
pub fn installed_browsers() -> Vec<InstalledBrowser> {
    installed_in(&Places::current())
}

impl Places {
    /// [`installed_browsers`] for these places.
    pub fn installed_browsers(&self) -> Vec<InstalledBrowser> {
        installed_in(self)
    }
}

fn installed_in(places: &Places) -> Vec<InstalledBrowser> {
    let mut found = Found::default();
    if let Some(path) = places.variable(OVERRIDE_VARIABLE) {
        found.list.push(InstalledBrowser {
            name: OVERRIDE_VARIABLE.to_owned(),
            path,
        });
    }
    match places.os() {
        Os::MacOs => {
            let home = places.home().map(|home| home.join("Applications"));
            for base in [Some(PathBuf::from("/Applications")), home]
                .into_iter()
                .flatten()
            {
                found.look(&base, MACOS_APPS);
            }
        }
        Os::Windows => {
            for variable in ["LOCALAPPDATA", "ProgramFiles", "ProgramFiles(x86)"] {
                if let Some(base) = places.variable(variable) {
                    found.look(&base, WINDOWS_PROGRAMS);
                }
            }
        }
        Os::Linux => {}
    }
    let mut directories = places.search_path();
    if places.os() == Os::Linux {
        directories.extend(LINUX_DIRECTORIES.iter().map(PathBuf::from));
    }
    let ending = if places.os() == Os::Windows {
        ".exe"
    } else {
        ""
    };
    for (program, name) in PROGRAMS {
        for directory in &directories {
            found.add(name, directory.join(format!("{program}{ending}")));
        }
    }
    found.list
}

#[derive(Default)]
struct Found {
    list: Vec<InstalledBrowser>,
    /// Where the programs found so far really are, as several names may lead to one.
    real: Vec<PathBuf>,
}

impl Found {
    fn look(&mut self, base: &Path, table: &[(&str, &str)]) {
        for (name, program) in table {
            let path = program
                .split('/')
                .fold(base.to_owned(), |path, part| path.join(part));
            self.add(name, path);
        }
    }

    fn add(&mut self, name: &str, path: PathBuf) {
        if !is_program(&path) {
            return;
        }
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if self.real.contains(&real) {
            return;
        }
        self.real.push(real);
        self.list.push(InstalledBrowser {
            name: name.to_owned(),
            path,
        });
    }
}

/// Whether this is a file that can be run.
pub(crate) fn is_program(path: &Path) -> bool {
    let Ok(about) = path.metadata() else {
        return false;
    };
    #[cfg(unix)]
    let may_run = std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let may_run = true;
    about.is_file() && may_run
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn program(path: &Path) {
        fs::create_dir_all(path.parent().expect("parent")).expect("directory");
        fs::write(path, "#!/bin/sh\n").expect("file");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("mode");
    }

    #[test]
    fn programs_in_the_path_once_each_and_best_first() {
        let dir = tempfile::tempdir().expect("directory");
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        program(&one.join("google-chrome"));
        symlink(one.join("google-chrome"), one.join("google-chrome-stable")).expect("link");
        program(&two.join("chromium"));
        fs::write(one.join("opera"), "not a program").expect("file");
        let path = std::env::join_paths([&one, &two]).expect("path");
        // Windows looks nowhere else on this machine, but for the ending it is as good as Linux.
        let places = Places::new(Os::Linux, [("PATH", path)]);
        let found = places.installed_browsers();
        let of_ours: Vec<_> = found
            .iter()
            .filter(|browser| browser.path.starts_with(dir.path()))
            .map(|browser| browser.name.as_str())
            .collect();
        assert_eq!(of_ours, ["Chromium", "Google Chrome"]);
    }

    #[test]
    fn applications_of_macos_and_windows() {
        let dir = tempfile::tempdir().expect("directory");
        let app = "Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
        program(&dir.path().join(app));
        let places = Places::new(Os::MacOs, [("HOME", dir.path())]);
        assert_eq!(places.installed_browsers()[0].path, dir.path().join(app));
        let edge = "Microsoft/Edge/Application/msedge.exe";
        program(&dir.path().join(edge));
        let places = Places::new(Os::Windows, [("ProgramFiles", dir.path())]);
        assert_eq!(places.installed_browsers()[0].name, "Microsoft Edge");
    }

    #[test]
    fn a_named_browser_comes_first_even_when_it_is_missing() {
        let places = Places::new(Os::Linux, [(OVERRIDE_VARIABLE, "/nowhere/chrome")]);
        assert_eq!(
            places.installed_browsers()[0].path,
            Path::new("/nowhere/chrome")
        );
    }
}
