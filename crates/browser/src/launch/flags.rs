//! The command line of a browser that is driven and not used.
use std::ffi::OsString;
use std::path::Path;

use super::{LaunchOptions, Via};

/// Nothing asks, updates, reports or slows down by itself.
const QUIET: &[&str] = &[
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-client-side-phishing-detection",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-quic",
    "--disable-search-engine-choice-screen",
    "--disable-backgrounding-occluded-windows",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-hang-monitor",
    "--disable-ipc-flooding-protection",
    "--hide-crash-restore-bubble",
    "--metrics-recording-only",
    "--password-store=basic",
    "--use-mock-keychain",
    "--disable-features=Translate,MediaRouter,OptimizationHints,DialMediaRouteProvider",
];

/// The arguments. The caller's come after ours and so have the last word; the page comes last.
pub(super) fn arguments(options: &LaunchOptions, profile: &Path, sandbox: bool) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = QUIET.iter().map(OsString::from).collect();
    let mut directory = OsString::from("--user-data-dir=");
    directory.push(profile);
    arguments.push(directory);
    arguments.push(match options.via {
        Via::Pipe => "--remote-debugging-pipe".into(),
        Via::Port(port) => format!("--remote-debugging-port={port}").into(),
    });
    if options.headless {
        arguments
            .extend(["--headless=new", "--mute-audio", "--hide-scrollbars"].map(OsString::from));
    }
    if !sandbox {
        arguments.push("--no-sandbox".into());
    }
    if let Some((width, height)) = options.window_size {
        arguments.push(format!("--window-size={width},{height}").into());
    }
    arguments.extend(options.args.iter().map(OsString::from));
    let names_page = options.args.iter().any(|arg| !arg.starts_with('-'));
    if !names_page {
        arguments.push("about:blank".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(options: &LaunchOptions, sandbox: bool) -> Vec<String> {
        let arguments = arguments(options, Path::new("/p q"), sandbox).into_iter();
        arguments
            .map(|arg| arg.into_string().expect("text"))
            .collect()
    }

    #[test]
    fn a_pipe_opens_no_port_and_the_sandbox_stays() {
        let line = line(&LaunchOptions::new(), true);
        assert!(line.contains(&"--remote-debugging-pipe".to_owned()));
        assert!(
            !line
                .iter()
                .any(|arg| arg.starts_with("--remote-debugging-port"))
        );
        assert!(!line.contains(&"--no-sandbox".to_owned()));
        assert!(!line.iter().any(|arg| arg.contains("remote-allow-origins")));
        assert!(line.contains(&"--user-data-dir=/p q".to_owned()));
        assert_eq!(line.last().map(String::as_str), Some("about:blank"));
    }

    #[test]
    fn the_caller_has_the_last_word() {
        let options = LaunchOptions::new()
            .via(Via::Port(0))
            .headless(false)
            .window_size(800, 600)
            .arg("--disable-features=X")
            .arg("https://example.org/");
        let line = line(&options, false);
        assert!(line.contains(&"--remote-debugging-port=0".to_owned()));
        assert!(line.contains(&"--no-sandbox".to_owned()));
        assert!(!line.iter().any(|arg| arg.starts_with("--headless")));
        assert_eq!(
            &line[line.len() - 2..],
            ["--disable-features=X", "https://example.org/"]
        );
    }
}
