//! Where a Chromium for tests may be.

use std::path::{Path, PathBuf};

const NAMES: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "microsoft-edge-stable",
    "microsoft-edge",
    "brave-browser",
];

const PLACES: &[&str] = &[
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Brave Browser.app/Contents/MacOS/Brave Browser",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    r"C:\Program Files\BraveSoftware\Brave-Browser\Application\brave.exe",
];

/// The Chromium-family browser that tests use: `$KEEPTAB_CHROMIUM` when set, else the first one in `PATH`, else the usual
/// places of macOS and Windows. Nothing is ever installed from here.
pub fn find_chromium() -> Option<PathBuf> {
    if let Some(chosen) = std::env::var_os("KEEPTAB_CHROMIUM") {
        return Some(PathBuf::from(chosen));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = NAMES
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |dir| dir.join(name)))
        .find(|file| file.is_file());
    in_path.or_else(|| {
        PLACES
            .iter()
            .map(Path::new)
            .find(|file| file.is_file())
            .map(PathBuf::from)
    })
}
