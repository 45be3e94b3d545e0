//! A REPL with a real worker, and a connection that answers as it is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keeptab_browser::Session;
use keeptab_protocol::Raw;
use keeptab_script::{
    BoxFuture, Command, ConnectOptions, Connection, ErrorKind, EvalOutcome, EvalRequest, Feed,
    Host, Limits, Notice, Pool, Program, Repl, ScriptError, Wanted,
};
use tokio::sync::mpsc;

/// Deadline of evals that are meant to end by themselves: far away, for slow machines.
pub(crate) const AMPLE: Duration = Duration::from_secs(60);

pub(crate) fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_keeptab-js-worker"), [""; 0])
}

/// A REPL for tests: patient with a slow machine when a deadline passes.
pub(crate) struct Rig {
    pub(crate) repl: Repl,
    pub(crate) host: Arc<FakeHost>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with_limits(patient())
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        let host = Arc::new(FakeHost::default());
        let repl = Repl::new(
            Pool::new(program(), limits),
            Arc::clone(&host) as Arc<dyn Host>,
        );
        Self { repl, host }
    }

    /// With a browser behind it.
    pub(crate) fn connected() -> Self {
        let rig = Self::new();
        rig.host.state.lock().unwrap().connected = true;
        rig
    }

    /// With a browser behind it, and an active tab `target:T1`.
    pub(crate) fn on_a_tab() -> Self {
        Self::on_a_tab_with(patient())
    }

    pub(crate) fn on_a_tab_with(limits: Limits) -> Self {
        let rig = Self::with_limits(limits);
        rig.host.state.lock().unwrap().connected = true;
        rig.host.state.lock().unwrap().active = Some("target:T1".into());
        rig
    }

    pub(crate) async fn eval(&self, code: &str) -> EvalOutcome {
        self.repl
            .eval(EvalRequest::new(code).with_timeout(AMPLE))
            .await
    }

    /// Standard output of code that must succeed.
    pub(crate) async fn out(&self, code: &str) -> String {
        let outcome = self.eval(code).await;
        assert!(outcome.ok, "{code}: {outcome:#?}");
        outcome.stdout
    }

    /// The error of code that must fail.
    pub(crate) async fn error(&self, code: &str) -> ScriptError {
        let outcome = self.eval(code).await;
        assert!(!outcome.ok, "{code}: {outcome:#?}");
        outcome.error.expect("a failed eval has an error")
    }
}

/// Limits that give a loaded machine time to stop by itself.
pub(crate) fn patient() -> Limits {
    let mut limits = Limits::default();
    limits.grace = Duration::from_secs(20);
    limits
}

/// Kills the workers that this test has started, and no other's.
#[cfg(target_os = "linux")]
pub(crate) fn kill_workers() {
    let children = std::fs::read_to_string("/proc/thread-self/children").expect("/proc");
    for pid in children.split_whitespace() {
        let pid = rustix::process::Pid::from_raw(pid.parse().expect("a number")).expect("not 0");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("our own child");
    }
}

type Answer = Box<dyn Fn(&Command) -> Result<Raw, ScriptError> + Send>;

#[derive(Default)]
pub(crate) struct FakeHost {
    pub(crate) state: Arc<Mutex<FakeState>>,
}

#[derive(Default)]
pub(crate) struct FakeState {
    pub(crate) connected: bool,
    pub(crate) active: Option<String>,
    pub(crate) commands: Vec<Command>,
    pub(crate) connects: Vec<ConnectOptions>,
    pub(crate) refused: Vec<String>,
    pub(crate) subscriptions: Vec<Wanted>,
    answers: HashMap<String, Answer>,
    delays: HashMap<String, Duration>,
    feeds: Vec<(Wanted, mpsc::UnboundedSender<Notice>)>,
}

impl FakeHost {
    /// Answers a method with this JSON.
    pub(crate) fn answer(&self, method: &str, json: &'static str) {
        self.answer_with(method, move |_| Ok(Raw::from_static(json)));
    }

    pub(crate) fn answer_with(
        &self,
        method: &str,
        answer: impl Fn(&Command) -> Result<Raw, ScriptError> + Send + 'static,
    ) {
        self.state
            .lock()
            .unwrap()
            .answers
            .insert(method.into(), Box::new(answer));
    }

    /// Lets a method's answer take this long.
    pub(crate) fn delay(&self, method: &str, by: Duration) {
        self.state.lock().unwrap().delays.insert(method.into(), by);
    }

    /// The commands that arrived so far, as `method target params`.
    pub(crate) fn commands(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let line = |c: &Command| {
            format!(
                "{} {} {}",
                c.method,
                c.target.as_deref().unwrap_or("-"),
                c.params.as_str()
            )
        };
        state.commands.iter().map(line).collect()
    }

    /// Sends a notice to every feed that wants it.
    pub(crate) fn notify(&self, notice: &Notice) {
        let mut state = self.state.lock().unwrap();
        state.feeds.retain(|(wanted, feed)| {
            let fits = match (notice, wanted) {
                (Notice::Event { .. }, Wanted::Nothing) => false,
                (Notice::Event { method, .. }, Wanted::Methods(methods)) => {
                    methods.contains(method)
                }
                _ => true,
            };
            !fits || feed.send(notice.clone()).is_ok()
        });
    }

    pub(crate) fn event(&self, method: &str, params: &'static str) {
        self.notify(&Notice::Event {
            method: method.into(),
            target: Some("target:T1".into()),
            params: Raw::from_static(params),
        });
    }

    /// Waits until the newest subscription is this one.
    pub(crate) async fn subscribed(&self, wanted: &Wanted) {
        let arrived = async {
            while self.state.lock().unwrap().subscriptions.last() != Some(wanted) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(AMPLE, arrived)
            .await
            .expect("the subscription comes");
    }

    /// Waits until this many commands have arrived.
    pub(crate) async fn received(&self, count: usize) {
        let arrived = async {
            while self.state.lock().unwrap().commands.len() < count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(AMPLE, arrived)
            .await
            .expect("the commands come");
    }
}

impl Host for FakeHost {
    fn name(&self) -> String {
        "test".into()
    }

    fn session(&self) -> Option<Session> {
        None
    }

    fn connect(&self, options: ConnectOptions) -> BoxFuture<'_, Result<(), ScriptError>> {
        let mut state = self.state.lock().unwrap();
        state.connects.push(options.clone());
        let result = if options.port == Some(1) {
            Err(
                ScriptError::new(ErrorKind::NotConnected, "nothing answers on port 1")
                    .with_hint("await detectBrowsers()"),
            )
        } else {
            state.connected = true;
            Ok(())
        };
        Box::pin(async { result })
    }

    fn close(&self) -> BoxFuture<'_, Result<(), ScriptError>> {
        let mut state = self.state.lock().unwrap();
        state.connected = false;
        state.active = None;
        Box::pin(async { Ok(()) })
    }

    fn active_target(&self) -> Option<String> {
        self.state.lock().unwrap().active.clone()
    }

    fn set_active_target(&self, handle: Option<String>) {
        self.state.lock().unwrap().active = handle;
    }

    fn permit(&self, method: &str, _params: &Raw, granted: bool) -> Result<(), ScriptError> {
        if !granted
            && self
                .state
                .lock()
                .unwrap()
                .refused
                .iter()
                .any(|refused| refused == method)
        {
            return Err(ScriptError::new(
                ErrorKind::Refused,
                format!("{method} is not allowed here"),
            ));
        }
        Ok(())
    }

    fn connection(&self) -> Option<Arc<dyn Connection>> {
        let connected = self.state.lock().unwrap().connected;
        connected.then(|| Arc::new(FakeConnection(Arc::clone(&self.state))) as Arc<dyn Connection>)
    }
}

struct FakeConnection(Arc<Mutex<FakeState>>);

impl Connection for FakeConnection {
    fn call(&self, command: Command) -> BoxFuture<'static, Result<Raw, ScriptError>> {
        let mut state = self.0.lock().unwrap();
        state.commands.push(command.clone());
        let delay = state.delays.get(&command.method).copied();
        let answer = match state.answers.get(&command.method) {
            Some(answer) => answer(&command),
            None if command.method == "Target.attachToTarget" => {
                #[derive(serde::Deserialize)]
                #[serde(rename_all = "camelCase")]
                struct Attach {
                    target_id: String,
                }
                let attach: Attach = command.params.parse().unwrap();
                Ok(Raw::of(
                    &serde_json::json!({ "sessionId": format!("target:{}", attach.target_id) }),
                )
                .unwrap())
            }
            None => Ok(Raw::object_empty()),
        };
        drop(state);
        Box::pin(async move {
            if let Some(delay) = delay {
                tokio::time::sleep(delay).await;
            }
            answer
        })
    }

    fn subscribe(&self, wanted: Wanted, _capacity: usize) -> Box<dyn Feed> {
        let (send, receive) = mpsc::unbounded_channel();
        let mut state = self.0.lock().unwrap();
        state.subscriptions.push(wanted.clone());
        state.feeds.push((wanted, send));
        Box::new(FakeFeed(receive))
    }

    fn is_connected(&self) -> bool {
        self.0.lock().unwrap().connected
    }
}

struct FakeFeed(mpsc::UnboundedReceiver<Notice>);

impl Feed for FakeFeed {
    fn next(&mut self) -> BoxFuture<'_, Option<Notice>> {
        Box::pin(self.0.recv())
    }
}
