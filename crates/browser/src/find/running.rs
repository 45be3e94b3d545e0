//! Browsers that run with remote debugging switched on.
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Places, active_port, known_profiles};

/// A running browser that can be connected to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunningBrowser {
    /// Name of the product, such as `Google Chrome`.
    pub name: String,
    /// Its user data directory.
    pub profile_dir: PathBuf,
    /// The port on 127.0.0.1.
    pub port: u16,
    /// Path of its WebSocket.
    pub ws_path: String,
    /// The whole address of its WebSocket.
    pub ws_url: String,
    /// When remote debugging was switched on: milliseconds since 1970.
    pub mtime_ms: u64,
}

/// How long a port on this machine may take to accept.
const PATIENCE: Duration = Duration::from_millis(500);

/// Running browsers in the usual profile directories, the one started last first. One that was started with a
/// fixed `--remote-debugging-port` does not say so there, and is not found.
///
/// A browser counts as running when its port accepts a connection; nothing is sent, so that a browser
/// which asks its person before it lets anyone in does not ask. Cancel safe.
pub async fn running_browsers() -> Vec<RunningBrowser> {
    running_in(&Places::current()).await
}

impl Places {
    /// [`running_browsers`] for these places.
    pub async fn running_browsers(&self) -> Vec<RunningBrowser> {
        running_in(self).await
    }
}

async fn running_in(places: &Places) -> Vec<RunningBrowser> {
    let mut checks = JoinSet::new();
    for known in known_profiles(places) {
        let Ok(active) = active_port(&known.dir) else {
            continue;
        };
        let browser = RunningBrowser {
            name: known.name.to_owned(),
            profile_dir: known.dir,
            port: active.port,
            ws_url: active.ws_url(),
            ws_path: active.ws_path,
            mtime_ms: active.mtime_ms,
        };
        checks.spawn(async move {
            let address = ("127.0.0.1", browser.port);
            match timeout(PATIENCE, TcpStream::connect(address)).await {
                Ok(Ok(_)) => Some(browser),
                _ => None,
            }
        });
    }
    let mut running: Vec<_> = checks.join_all().await.into_iter().flatten().collect();
    running.sort_by(|a, b| {
        let newest_first = b.mtime_ms.cmp(&a.mtime_ms);
        newest_first.then_with(|| a.profile_dir.cmp(&b.profile_dir))
    });
    running
}

/// Whether the browser of this profile asks its person before it lets anyone in (Chrome 144 and later,
/// switched on at `chrome://inspect`). Read from its preferences, so that nobody is asked by finding out.
pub(crate) fn asks_its_person(profile_dir: &Path) -> bool {
    #[derive(serde::Deserialize, Default)]
    #[serde(default)]
    struct LocalState {
        devtools: DevTools,
    }
    #[derive(serde::Deserialize, Default)]
    #[serde(default)]
    struct DevTools {
        remote_debugging: RemoteDebugging,
    }
    #[derive(serde::Deserialize, Default)]
    #[serde(default)]
    struct RemoteDebugging {
        #[serde(rename = "user-enabled")]
        user_enabled: bool,
    }
    let Ok(text) = std::fs::read(profile_dir.join("Local State")) else {
        return false;
    };
    let state = serde_json::from_slice::<LocalState>(&text).unwrap_or_default();
    state.devtools.remote_debugging.user_enabled
}

#[cfg(test)]
mod tests {
    use super::super::Os;
    use super::*;
    use std::fs::{self, File};
    use std::net::TcpListener;
    use std::time::SystemTime;

    fn profile(home: &Path, name: &str, port: u16, age: Duration) {
        let dir = home.join(".config").join(name);
        fs::create_dir_all(&dir).expect("profile");
        let path = dir.join("DevToolsActivePort");
        fs::write(&path, format!("{port}\n/devtools/browser/{name}")).expect("file");
        let file = File::options().write(true).open(path).expect("open");
        file.set_modified(SystemTime::now() - age).expect("time");
    }

    #[tokio::test]
    async fn the_last_started_comes_first_and_dead_ones_not_at_all() {
        let home = tempfile::tempdir().expect("directory");
        let listen = || TcpListener::bind(("127.0.0.1", 0)).expect("port");
        let (old, new, dead) = (listen(), listen(), listen());
        let port = |listener: &TcpListener| listener.local_addr().expect("address").port();
        profile(home.path(), "chromium", port(&old), Duration::from_secs(60));
        profile(
            home.path(),
            "google-chrome",
            port(&new),
            Duration::from_secs(5),
        );
        profile(home.path(), "vivaldi", port(&dead), Duration::ZERO);
        drop(dead);
        let places = Places::new(Os::Linux, [("HOME", home.path())]);
        let found = places.running_browsers().await;
        let names: Vec<_> = found.iter().map(|browser| browser.name.as_str()).collect();
        assert_eq!(names, ["Google Chrome", "Chromium"]);
        assert_eq!(found[0].port, port(&new));
        assert!(found[0].ws_url.ends_with("/devtools/browser/google-chrome"));
    }

    #[test]
    fn the_preference_that_asks() {
        let dir = tempfile::tempdir().expect("directory");
        assert!(!asks_its_person(dir.path()));
        for (text, asks) in [
            (
                r#"{"devtools":{"remote_debugging":{"user-enabled":true}}}"#,
                true,
            ),
            (
                r#"{"devtools":{"remote_debugging":{"user-enabled":false}}}"#,
                false,
            ),
            (r#"{"browser":{}}"#, false),
            ("nonsense", false),
        ] {
            fs::write(dir.path().join("Local State"), text).expect("file");
            assert_eq!(asks_its_person(dir.path()), asks, "{text}");
        }
    }
}
