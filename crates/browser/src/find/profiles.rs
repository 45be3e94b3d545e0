//! Where each browser keeps its default profile.
use std::path::{Path, PathBuf};

use super::{Os, Places};

/// The default profile directory of a browser, whether it exists or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownProfile {
    /// Name of the browser.
    pub name: &'static str,
    /// Its user data directory.
    pub dir: PathBuf,
}

/// What a directory is relative to.
#[derive(Debug, Clone, Copy)]
enum Base {
    /// Linux: `$XDG_CONFIG_HOME`, else `~/.config`.
    Config,
    /// `~`
    Home,
    /// macOS: `~/Library/Application Support`.
    Support,
    /// Windows: `%LOCALAPPDATA%`.
    Local,
    /// Windows: `%APPDATA%`.
    Roaming,
}

const LINUX: &[(&str, Base, &str)] = &[
    ("Google Chrome", Base::Config, "google-chrome"),
    ("Google Chrome Beta", Base::Config, "google-chrome-beta"),
    ("Google Chrome Dev", Base::Config, "google-chrome-unstable"),
    ("Google Chrome Canary", Base::Config, "google-chrome-canary"),
    (
        "Chrome for Testing",
        Base::Config,
        "google-chrome-for-testing",
    ),
    ("Chromium", Base::Config, "chromium"),
    ("Chromium", Base::Home, "snap/chromium/common/chromium"),
    (
        "Chromium",
        Base::Home,
        ".var/app/org.chromium.Chromium/config/chromium",
    ),
    (
        "Google Chrome",
        Base::Home,
        ".var/app/com.google.Chrome/config/google-chrome",
    ),
    ("Brave", Base::Config, "BraveSoftware/Brave-Browser"),
    (
        "Brave",
        Base::Home,
        ".var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser",
    ),
    ("Microsoft Edge", Base::Config, "microsoft-edge"),
    ("Microsoft Edge Beta", Base::Config, "microsoft-edge-beta"),
    ("Microsoft Edge Dev", Base::Config, "microsoft-edge-dev"),
    ("Vivaldi", Base::Config, "vivaldi"),
    ("Opera", Base::Config, "opera"),
    ("Comet", Base::Config, "comet"),
    ("Arc", Base::Config, "Arc/User Data"),
];

const MACOS: &[(&str, Base, &str)] = &[
    ("Google Chrome", Base::Support, "Google/Chrome"),
    ("Google Chrome Beta", Base::Support, "Google/Chrome Beta"),
    ("Google Chrome Dev", Base::Support, "Google/Chrome Dev"),
    (
        "Google Chrome Canary",
        Base::Support,
        "Google/Chrome Canary",
    ),
    (
        "Chrome for Testing",
        Base::Support,
        "Google/Chrome for Testing",
    ),
    ("Chromium", Base::Support, "Chromium"),
    ("Brave", Base::Support, "BraveSoftware/Brave-Browser"),
    ("Microsoft Edge", Base::Support, "Microsoft Edge"),
    ("Microsoft Edge Beta", Base::Support, "Microsoft Edge Beta"),
    ("Microsoft Edge Dev", Base::Support, "Microsoft Edge Dev"),
    ("Vivaldi", Base::Support, "Vivaldi"),
    ("Opera", Base::Support, "com.operasoftware.Opera"),
    ("Comet", Base::Support, "Comet"),
    ("Arc", Base::Support, "Arc/User Data"),
];

const WINDOWS: &[(&str, Base, &str)] = &[
    ("Google Chrome", Base::Local, "Google/Chrome/User Data"),
    (
        "Google Chrome Beta",
        Base::Local,
        "Google/Chrome Beta/User Data",
    ),
    (
        "Google Chrome Dev",
        Base::Local,
        "Google/Chrome Dev/User Data",
    ),
    (
        "Google Chrome Canary",
        Base::Local,
        "Google/Chrome SxS/User Data",
    ),
    (
        "Chrome for Testing",
        Base::Local,
        "Google/Chrome for Testing/User Data",
    ),
    ("Chromium", Base::Local, "Chromium/User Data"),
    (
        "Brave",
        Base::Local,
        "BraveSoftware/Brave-Browser/User Data",
    ),
    ("Microsoft Edge", Base::Local, "Microsoft/Edge/User Data"),
    (
        "Microsoft Edge Beta",
        Base::Local,
        "Microsoft/Edge Beta/User Data",
    ),
    (
        "Microsoft Edge Dev",
        Base::Local,
        "Microsoft/Edge Dev/User Data",
    ),
    ("Vivaldi", Base::Local, "Vivaldi/User Data"),
    ("Opera", Base::Roaming, "Opera Software/Opera Stable"),
    ("Comet", Base::Local, "Perplexity/Comet/User Data"),
    ("Arc", Base::Local, "Arc/User Data"),
];

/// The default profile directories of all browsers we know, for this kind of machine.
pub fn known_profiles(places: &Places) -> Vec<KnownProfile> {
    let table = match places.os() {
        Os::Linux => LINUX,
        Os::MacOs => MACOS,
        Os::Windows => WINDOWS,
    };
    let known = table.iter().filter_map(|(name, base, dir)| {
        let base = base_dir(places, *base)?;
        // Joined part by part, so that each system gets its own separator.
        let dir = dir.split('/').fold(base, |path, part| path.join(part));
        Some(KnownProfile { name, dir })
    });
    known.collect()
}

/// Whether a directory is the default profile of some browser.
pub(crate) fn default_profile_of(places: &Places, dir: &Path) -> Option<&'static str> {
    let same = |other: &Path| {
        other == dir
            || match (other.canonicalize(), dir.canonicalize()) {
                (Ok(a), Ok(b)) => a == b,
                _ => false,
            }
    };
    let found = known_profiles(places)
        .into_iter()
        .find(|known| same(&known.dir))?;
    Some(found.name)
}

fn base_dir(places: &Places, base: Base) -> Option<PathBuf> {
    match base {
        Base::Config => places
            .variable("XDG_CONFIG_HOME")
            .or_else(|| Some(places.home()?.join(".config"))),
        Base::Home => places.home(),
        Base::Support => Some(places.home()?.join("Library").join("Application Support")),
        Base::Local => places
            .variable("LOCALAPPDATA")
            .or_else(|| Some(places.home()?.join("AppData").join("Local"))),
        Base::Roaming => places
            .variable("APPDATA")
            .or_else(|| Some(places.home()?.join("AppData").join("Roaming"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs(places: &Places) -> Vec<String> {
        let known = known_profiles(places).into_iter();
        known
            .map(|known| known.dir.to_string_lossy().replace('\\', "/"))
            .collect()
    }

    #[test]
    fn every_browser_that_is_promised_is_known_on_every_system() {
        let linux = dirs(&Places::new(Os::Linux, [("HOME", "/home/ada")]));
        for part in [
            "google-chrome",
            "chromium",
            "microsoft-edge",
            "BraveSoftware/Brave-Browser",
            "vivaldi",
            "opera",
            "comet",
        ] {
            assert!(
                linux.contains(&format!("/home/ada/.config/{part}")),
                "{part}"
            );
        }
        let mac = dirs(&Places::new(Os::MacOs, [("HOME", "/Users/ada")]));
        for part in [
            "Google/Chrome",
            "Google/Chrome Canary",
            "Chromium",
            "Microsoft Edge",
            "BraveSoftware/Brave-Browser",
            "Arc/User Data",
            "Vivaldi",
            "com.operasoftware.Opera",
            "Comet",
        ] {
            let wanted = format!("/Users/ada/Library/Application Support/{part}");
            assert!(mac.contains(&wanted), "{part}");
        }
        let windows = dirs(&Places::new(
            Os::Windows,
            [("LOCALAPPDATA", "C:/L"), ("APPDATA", "C:/R")],
        ));
        for wanted in [
            "C:/L/Google/Chrome/User Data",
            "C:/L/Google/Chrome SxS/User Data",
            "C:/L/Chromium/User Data",
            "C:/L/Microsoft/Edge/User Data",
            "C:/L/BraveSoftware/Brave-Browser/User Data",
            "C:/L/Arc/User Data",
            "C:/L/Vivaldi/User Data",
            "C:/R/Opera Software/Opera Stable",
            "C:/L/Perplexity/Comet/User Data",
        ] {
            assert!(windows.contains(&wanted.to_owned()), "{wanted}");
        }
    }

    #[test]
    fn variables_come_before_habits() {
        let places = Places::new(
            Os::Linux,
            [("HOME", "/home/ada"), ("XDG_CONFIG_HOME", "/cfg")],
        );
        assert!(dirs(&places).contains(&"/cfg/chromium".to_owned()));
        let places = Places::new(Os::Windows, [("USERPROFILE", "C:/Users/ada")]);
        let wanted = "C:/Users/ada/AppData/Local/Chromium/User Data".to_owned();
        assert!(dirs(&places).contains(&wanted));
        assert!(dirs(&Places::new(Os::Linux, [("LANG", "C")])).is_empty());
    }

    #[test]
    fn a_default_profile_is_recognised_through_a_link() {
        let home = tempfile::tempdir().expect("directory");
        let chrome = home.path().join(".config/google-chrome");
        std::fs::create_dir_all(&chrome).expect("profile");
        let places = Places::new(Os::Linux, [("HOME", home.path())]);
        assert_eq!(default_profile_of(&places, &chrome), Some("Google Chrome"));
        assert_eq!(default_profile_of(&places, home.path()), None);
        #[cfg(unix)]
        {
            let alias = home.path().join("alias");
            std::os::unix::fs::symlink(&chrome, &alias).expect("link");
            assert_eq!(default_profile_of(&places, &alias), Some("Google Chrome"));
        }
    }
}
