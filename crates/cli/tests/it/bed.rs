//! A home directory for one test, and what is left in it taken down in the end.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use keeptab_testkit::{Chromium, Keeptab, Ran, Site, block_on};
use serde_json::Value;

pub(crate) struct Bed {
    keeptab: Keeptab,
}

impl Bed {
    pub(crate) fn new() -> Self {
        Bed {
            keeptab: Keeptab::new(env!("CARGO_BIN_EXE_keeptab")),
        }
    }

    pub(crate) fn home(&self) -> &Path {
        self.keeptab.home()
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = self.keeptab.command();
        for name in [
            "BU_TARGET_ID",
            "BU_CDP_PORT",
            "CDP_REPL_PORT",
            "CDP_REPL_LOG",
        ] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        self.keeptab.run(args)
    }

    pub(crate) fn run_with<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        input: &str,
    ) -> Ran {
        self.keeptab.run_with(args, input)
    }

    /// Runs what must succeed; its standard output without the line end.
    pub(crate) fn ok<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> String {
        let ran = self.run(args);
        assert_eq!(
            ran.code, 0,
            "stdout: {}\nstderr: {}",
            ran.stdout, ran.stderr
        );
        ran.stdout.trim_end_matches('\n').to_owned()
    }

    /// Runs what must fail, with this exit code; its standard error.
    pub(crate) fn fails<S: AsRef<OsStr>>(
        &self,
        code: i32,
        args: impl IntoIterator<Item = S>,
    ) -> String {
        let ran = self.run(args);
        assert_eq!(
            ran.code, code,
            "stdout: {}\nstderr: {}",
            ran.stdout, ran.stderr
        );
        assert_eq!(ran.stdout, "", "errors belong on standard error");
        assert!(!ran.stderr.trim().is_empty(), "a failure says something");
        ran.stderr
    }

    /// Runs with `--json`: the exit code and the one object on standard output.
    pub(crate) fn json<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> (i32, Value) {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        let ran = self.run(std::iter::once("--json".into()).chain(args));
        let value = serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("{error}: {} {}", ran.stdout, ran.stderr));
        (ran.code, value)
    }

    /// The title of the active tab, asked of the page itself.
    pub(crate) fn title(&self, session: &str) -> String {
        self.page(session, "document.title")
    }

    /// The value of an expression in the page of the active tab.
    pub(crate) fn page(&self, session: &str, expression: &str) -> String {
        let code = format!(
            "(await session.Runtime.evaluate({{expression: {}, returnByValue: true}})).result.value",
            Value::from(expression)
        );
        self.ok(["--session", session, "js", &code])
    }

    /// Kills the daemon and loses everything it knew: browsers run on, and no session has them.
    pub(crate) fn lose_the_records(&self) {
        let pid = self.daemon_pid();
        let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
        assert!(killed.unwrap().success());
        eventually("the daemon is gone", || !alive(pid));
        for name in ["store.db", "store.db-wal", "store.db-shm"] {
            let _ = std::fs::remove_file(self.home().join("data").join(name));
        }
    }

    /// What the state file of the keeper of a session says.
    pub(crate) fn keeper(&self, session: &str) -> Value {
        let path = self.home().join(format!("data/keepers/{session}.keeper"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// The process id of the running daemon.
    pub(crate) fn daemon_pid(&self) -> u32 {
        let (code, status) = self.json(["daemon", "status"]);
        assert_eq!(code, 0, "{status}");
        status["data"]["pid"]
            .as_u64()
            .and_then(|pid| u32::try_from(pid).ok())
            .unwrap()
    }
}

pub(crate) fn chromium() -> Chromium {
    block_on(Chromium::start())
}

pub(crate) fn site() -> Site {
    block_on(Site::start())
}

pub(crate) fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie has ended; somebody else has not looked yet.
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

/// Waits until something holds, for as long as a busy machine may take.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "never: {what}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
