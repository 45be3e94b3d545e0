//! A daemon in a thread of the test, with a home directory of its own.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use keeptab_daemon::client::{Client, ClientOptions};
use keeptab_daemon::{Build, Config, Ended, Paths, StartError, run};

/// Generous: the machine may be busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Home {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) paths: Paths,
    pub(crate) daemon: Option<JoinHandle<Result<Ended, StartError>>>,
}

pub(crate) fn build(id: &str, stamp: u64) -> Build {
    Build {
        version: "1.0.0".into(),
        id: id.into(),
        stamp,
    }
}

impl Home {
    /// A home without a daemon.
    pub(crate) fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::below(dir.path());
        Home {
            dir,
            paths,
            daemon: None,
        }
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            paths: self.paths.clone(),
            build: build("test", 10),
            program: PathBuf::from("/nonexistent/keeptab"),
            background: false,
            allowed_uid: None,
        }
    }

    /// A home with a daemon that answers.
    pub(crate) fn running() -> Self {
        let mut home = Home::empty();
        home.start(home.config());
        home
    }

    pub(crate) fn start(&mut self, config: Config) {
        self.daemon = Some(std::thread::spawn(move || run(config)));
        self.connect();
    }

    pub(crate) fn connect(&self) -> UnixStream {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match UnixStream::connect(self.paths.socket()) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    return stream;
                }
                Err(error) => assert!(Instant::now() < deadline, "no daemon: {error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends bytes and reads until the daemon hangs up: the status and the body.
    pub(crate) fn raw(&self, request: &[u8]) -> (u16, String) {
        let mut stream = self.connect();
        // It may hang up before it has read all of it.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        let body = answer
            .split_once("\r\n\r\n")
            .map_or("", |(_, body)| body)
            .to_owned();
        (status, body)
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.raw(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
    }

    pub(crate) fn post(&self, path: &str, headers: &str, body: &str) -> (u16, String) {
        let length = body.len();
        self.raw(
            format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
            )
            .as_bytes(),
        )
    }

    pub(crate) fn post_json(&self, path: &str, body: &str) -> (u16, String) {
        self.post(path, "content-type: application/json\r\n", body)
    }

    pub(crate) fn client(&self, build: Build) -> Client {
        Client::new(
            self.paths.clone(),
            ClientOptions {
                build,
                timeout: PATIENCE,
            },
        )
    }

    /// Stops the daemon and says how it ended.
    pub(crate) fn stop(&mut self) -> Ended {
        let (status, body) = self.post_json("/v1/daemon/stop", r#"{"discard": true}"#);
        assert_eq!(status, 200, "{body}");
        self.daemon.take().unwrap().join().unwrap().unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.daemon.is_some() && !std::thread::panicking() {
            self.stop();
        }
    }
}
