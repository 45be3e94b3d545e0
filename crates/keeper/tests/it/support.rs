//! A keeper with a browser for one test, and a client that talks to it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use keeptab_keeper::{SpawnArgs, SpawnError, Spawned, spawn, wire};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value, json};

/// Nothing in these tests takes this long unless it is broken.
pub(crate) const LONG: Duration = Duration::from_secs(30);

pub(crate) struct Kept {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) spawned: Spawned,
    pub(crate) state: PathBuf,
}

/// The arguments for a keeper in `dir` with the fake browser.
pub(crate) fn args(dir: &Path, mode: &str) -> SpawnArgs {
    let fake = dir.join("fake browser");
    fs::write(&fake, include_str!("fake_browser.py")).expect("write the fake browser");
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o700)).expect("chmod");
    SpawnArgs {
        program: env!("CARGO_BIN_EXE_keeptab-keeper").into(),
        prefix: Vec::new(),
        socket: dir.join("run/s"),
        state: dir.join("run/one.keeper"),
        profile: dir.join("profile"),
        browser: fake,
        flags: vec![format!("--fake={mode}").into()],
        orphan_after: None,
        start_patience: None,
    }
}

impl Kept {
    pub(crate) fn fake(mode: &str) -> Self {
        Self::start(mode, |_| {}).expect("the keeper starts")
    }

    pub(crate) fn start(
        mode: &str,
        change: impl FnOnce(&mut SpawnArgs),
    ) -> Result<Self, SpawnError> {
        let dir = tempfile::tempdir().expect("tempdir");
        let mut args = args(dir.path(), mode);
        change(&mut args);
        let spawned = spawn(&args)?;
        Ok(Self {
            dir,
            spawned,
            state: args.state,
        })
    }

    pub(crate) fn raw(&self) -> Client {
        Client::new(&self.spawned.socket)
    }

    /// Connects as an owner; returns the keeper's hello with it.
    pub(crate) fn own(&self, epoch: u64) -> (Client, Value) {
        let mut client = self.raw();
        client.send(&wire::hello(epoch, "test"));
        let hello = client.next();
        assert_eq!(hello["keeper"], 1, "{hello}");
        client.id = hello["nextId"].as_i64().expect("nextId");
        (client, hello)
    }

    pub(crate) fn keeper_runs(&self) -> bool {
        runs(self.spawned.pid)
    }

    pub(crate) fn browser_runs(&self) -> bool {
        runs(self.spawned.browser_pid)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        for pid in [self.spawned.pid, self.spawned.browser_pid] {
            if runs(pid) {
                let pid = pid_of(pid);
                let _ = kill_process(pid, Signal::KILL);
                let _ = kill_process_group(pid, Signal::KILL);
            }
        }
    }
}

pub(crate) fn pid_of(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("a pid")
}

/// Whether a process runs and is no zombie.
pub(crate) fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !matches!(rest.trim().chars().next(), Some('Z' | 'X') | None))
}

/// Waits until `what` holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < end, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) struct Client {
    reader: File,
    pub(crate) writer: File,
    pub(crate) id: i64,
    got: Vec<u8>,
    searched: usize,
}

impl Client {
    pub(crate) fn new(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("connect");
        stream.set_read_timeout(Some(LONG)).expect("timeout");
        stream.set_write_timeout(Some(LONG)).expect("timeout");
        let reader = OwnedFd::from(stream.try_clone().expect("clone")).into();
        let writer = OwnedFd::from(stream).into();
        Self {
            reader,
            writer,
            id: 1,
            got: Vec::new(),
            searched: 0,
        }
    }

    /// Another end of the same connection, for a thread of its own.
    pub(crate) fn another_end(&self) -> Self {
        let reader = self.reader.try_clone().expect("clone");
        let writer = self.writer.try_clone().expect("clone");
        Self {
            reader,
            writer,
            id: self.id,
            got: Vec::new(),
            searched: 0,
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).expect("send");
    }

    /// Sends a message; the NUL is added.
    pub(crate) fn say(&mut self, message: &str) {
        self.send(format!("{message}\0").as_bytes());
    }

    /// Sends a command and returns its id, without waiting.
    pub(crate) fn post(&mut self, method: &str, params: Value) -> i64 {
        self.post_in(None, method, params)
    }

    pub(crate) fn post_in(&mut self, session: Option<&str>, method: &str, params: Value) -> i64 {
        let id = self.id;
        self.id += 1;
        let session = session.map_or(String::new(), |s| format!(",\"sessionId\":\"{s}\""));
        self.say(&format!(
            "{{\"id\":{id},\"method\":\"{method}\",\"params\":{params}{session}}}"
        ));
        id
    }

    /// Sends a command and waits for its reply; what else comes is dropped.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.post(method, params);
        self.reply(id)
    }

    pub(crate) fn call_in(&mut self, session: &str, method: &str, params: Value) -> Value {
        let id = self.post_in(Some(session), method, params);
        self.reply(id)
    }

    pub(crate) fn reply(&mut self, id: i64) -> Value {
        self.find(|message| message["id"] == id && message.get("keeper").is_none())
    }

    pub(crate) fn find(&mut self, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let message = self.next();
            if wanted(&message) {
                return message;
            }
        }
    }

    /// The fate of a command, as the ledger has it.
    pub(crate) fn fate(&mut self, id: i64) -> Value {
        self.send(&wire::fetch(i32::try_from(id).expect("an id")));
        self.find(|message| message["keeper"] == "reply" && message["id"] == id)
    }

    pub(crate) fn seen(&mut self) -> Value {
        self.call("Fake.seen", json!({}))["result"].clone()
    }

    /// The next message, parsed; `Null` at the end of the connection.
    pub(crate) fn next(&mut self) -> Value {
        match self.next_raw() {
            Some(text) => serde_json::from_slice(&text)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&text).into_owned())),
            None => Value::Null,
        }
    }

    pub(crate) fn next_raw(&mut self) -> Option<Vec<u8>> {
        let mut chunk = vec![0; 256 * 1024];
        loop {
            if let Some(end) = memchr::memchr(0, &self.got[self.searched..]) {
                let rest = self.got.split_off(self.searched + end + 1);
                let mut message = std::mem::replace(&mut self.got, rest);
                message.pop();
                self.searched = 0;
                return Some(message);
            }
            self.searched = self.got.len();
            match self.reader.read(&mut chunk) {
                Ok(0) => return None,
                Ok(count) => self.got.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no answer: {error}"),
            }
        }
    }
}
