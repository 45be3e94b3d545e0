//! Finding or starting the daemon, replacing an older one, and asking it.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::follow::Lines;
use super::http::{HttpError, Method, Response, exchange, exchange_with};
use super::patience::{Look, Patience, connect_within, is_stopped};
use super::start::Starter;
use crate::api::{Envelope, StopRequest, Stopped};
use crate::error::{ApiError, Code};
use crate::lock::DaemonLock;
use crate::paths::Paths;
use crate::version::Build;

/// How long an ending daemon may take to let go of its lock.
const STOP_PATIENCE: Duration = Duration::from_secs(20);

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Which build asks; an older daemon makes way for it.
    pub build: Build,
    /// The deadline of one command.
    pub timeout: Duration,
}

/// A client of the daemon of one user. Each request has a connection of its own.
#[derive(Debug)]
pub struct Client {
    paths: Paths,
    options: ClientOptions,
    build: String,
    notice: Option<String>,
}

impl Client {
    /// A client; connects to nothing yet.
    #[must_use]
    pub fn new(paths: Paths, options: ClientOptions) -> Self {
        Client {
            build: options.build.to_string(),
            paths,
            options,
            notice: None,
        }
    }

    /// The deadline of one command.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.options.timeout
    }

    /// Where the daemon's files are.
    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// What the daemon wanted people to know with its last answer.
    pub fn take_notice(&mut self) -> Option<String> {
        self.notice.take()
    }

    /// Asks and decodes. Starts the daemon when there is none.
    ///
    /// # Errors
    /// What the daemon reports, or why it could not be asked.
    pub fn call<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        let response = self.ask(method, path, body)?;
        decode(&response)
    }

    /// Asks; the answer stays as it came. Starts the daemon when there is none.
    ///
    /// # Errors
    /// Only why the daemon could not be asked; what it reports is in the answer.
    pub fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Response, ApiError> {
        let body = encode(method, body)?;
        let deadline = Instant::now() + self.stop_patience();
        loop {
            let stream = match self.connect()? {
                Some(stream) => stream,
                None => Starter::this_program()?.start(&self.paths)?,
            };
            let Some(response) = self.exchange(stream, method, path, &body)? else {
                // A daemon that was just ending did not take it. Its lock tells when it is gone.
                if Instant::now() >= deadline {
                    return Err(ApiError::new(
                        Code::NoDaemon,
                        "the daemon is ending and does not get done",
                    )
                    .hint("keeptab daemon status"));
                }
                std::thread::sleep(Duration::from_millis(10));
                continue;
            };
            match outdated(&response) {
                Some(old) => self.replace(&old)?,
                None => return Ok(response),
            }
        }
    }

    /// Asks only a daemon that is there; `None` when there is none.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn call_running<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Option<T>, ApiError> {
        match self.ask_running(method, path, body)? {
            Some(response) => decode(&response).map(Some),
            None => Ok(None),
        }
    }

    /// As [`Client::call_running`]; the answer stays as it came.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn ask_running(
        &mut self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Option<Response>, ApiError> {
        let body = encode(method, body)?;
        match self.connect()? {
            Some(stream) => self.exchange(stream, method, path, &body),
            None => Ok(None),
        }
    }

    /// Follows events of a daemon that is there; `None` when there is none.
    ///
    /// # Errors
    /// What the daemon reports, or why it could not be asked.
    pub fn follow(&mut self, path: &str) -> Result<Option<Lines>, ApiError> {
        match self.connect()? {
            Some(stream) => {
                if !self.is_there(Look::Glance) {
                    return Err(self.not_there());
                }
                Lines::open(stream, path, &self.build, self.options.timeout).map(Some)
            }
            None => Ok(None),
        }
    }

    /// Starts the daemon unless it runs.
    ///
    /// # Errors
    /// It could not be started.
    pub fn ensure_running(&mut self) -> Result<bool, ApiError> {
        if self.connect()?.is_some() {
            return Ok(false);
        }
        Starter::this_program()?.start(&self.paths)?;
        Ok(true)
    }

    /// Ends the daemon and waits until it is gone; `None` when there was none.
    ///
    /// # Errors
    /// It would not end, or did not in time.
    pub fn stop(&mut self, request: &StopRequest) -> Result<Option<Stopped>, ApiError> {
        let stopped = self.call_running(Method::Post, "/v1/daemon/stop", request)?;
        if let Some(Stopped { pid, .. }) = stopped {
            self.wait_until_gone(pid)?;
        }
        Ok(stopped)
    }

    /// Whose lock it is: the process id of the running daemon.
    ///
    /// # Errors
    /// The lock file cannot be read.
    pub fn daemon_pid(&self) -> Result<Option<u32>, ApiError> {
        DaemonLock::holder(&self.paths.lock()).map_err(|error| {
            ApiError::new(
                Code::Machine,
                format!("cannot read {}: {error}", self.paths.lock().display()),
            )
        })
    }

    fn replace(&mut self, old: &str) -> Result<(), ApiError> {
        let request = StopRequest {
            build: Some(old.to_owned()),
            ..StopRequest::default()
        };
        self.stop(&request)?;
        Ok(())
    }

    /// Another caller may have started the next daemon by then; that one is not ours to wait for.
    fn wait_until_gone(&self, pid: u32) -> Result<(), ApiError> {
        let deadline = Instant::now() + self.stop_patience();
        while self.daemon_pid()? == Some(pid) {
            if Instant::now() >= deadline {
                return Err(ApiError::new(
                    Code::Deadline,
                    format!("the daemon (process {pid}) was told to end, but it is still there"),
                )
                .hint(format!("kill {pid}")));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// How long an ending daemon is waited for.
    fn stop_patience(&self) -> Duration {
        STOP_PATIENCE.min(self.options.timeout)
    }

    fn connect(&self) -> Result<Option<UnixStream>, ApiError> {
        let socket = self.paths.socket();
        match connect_within(&socket, self.options.timeout) {
            Ok(stream) => Ok(Some(stream)),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
                // So many wait already that it takes nobody in.
                io::ErrorKind::WouldBlock => Err(self.not_there()),
                _ => Err(ApiError::new(
                    Code::NoDaemon,
                    format!("cannot open {}: {error}", socket.display()),
                )),
            },
        }
    }

    /// `None` when the daemon did not take the request because it is ending.
    fn exchange(
        &mut self,
        mut stream: UnixStream,
        method: Method,
        path: &str,
        body: &[u8],
    ) -> Result<Option<Response>, ApiError> {
        let is_there = |look| self.is_there(look);
        let patience = Patience::new(self.options.timeout, &is_there);
        match exchange_with(&mut stream, method, path, &self.build, body, patience) {
            Ok(response) if response.status == 503 => Ok(None),
            Ok(mut response) => {
                self.notice = response.notice.take();
                Ok(Some(response))
            }
            Err(HttpError::NotTaken) => Ok(None),
            Err(HttpError::HungUp) if method == Method::Get => Ok(None),
            Err(HttpError::HungUp) => Err(ApiError::new(
                Code::OutcomeUnknown,
                "the daemon ended before it answered; whether the command was carried out is unknown",
            )
            .hint("the browser and its tabs are still there; look before you repeat it: keeptab tab")),
            Err(HttpError::TimedOut) => Err(ApiError::new(
                Code::Deadline,
                format!(
                    "not done within {:.1} s; the daemon is still at it",
                    self.options.timeout.as_secs_f64()
                ),
            )),
            Err(HttpError::NotThere) => Err(self.not_there()),
            Err(error) => Err(ApiError::new(Code::NoDaemon, error.to_string())),
        }
    }
}

impl Client {
    /// Whether a daemon that has not answered yet is there at all.
    fn is_there(&self, look: Look) -> bool {
        match look {
            Look::Glance => !self.daemon_pid().ok().flatten().is_some_and(is_stopped),
            Look::Ask(limit) => {
                let asked = connect_within(&self.paths.socket(), limit)
                    .map_err(HttpError::Io)
                    .and_then(|mut stream| {
                        let health = "/v1/health";
                        exchange(&mut stream, Method::Get, health, &self.build, b"", limit)
                    });
                // Any answer will do, also that it is ending. And if it is gone, reading will tell.
                match asked {
                    Err(HttpError::TimedOut) => false,
                    Err(HttpError::Io(error)) => error.kind() != io::ErrorKind::WouldBlock,
                    _ => true,
                }
            }
        }
    }

    /// The error for a daemon that is there and answers nobody.
    fn not_there(&self) -> ApiError {
        let pid = self.daemon_pid().ok().flatten().filter(|pid| *pid != 0);
        let (what, next) = match pid {
            Some(pid) if is_stopped(pid) => (
                format!("the daemon (process {pid}) is stopped, and answers nobody"),
                format!("let it go on: kill -CONT {pid}"),
            ),
            Some(pid) => (
                format!("the daemon (process {pid}) does not answer"),
                format!("end it; browsers and tabs go on without it: kill -9 {pid}, then repeat"),
            ),
            None => (
                "the daemon does not answer".to_owned(),
                "keeptab daemon logs".to_owned(),
            ),
        };
        ApiError::new(
            Code::Deadline,
            format!("{what}; what was asked may still happen when it goes on"),
        )
        .hint(next)
    }
}

fn encode(method: Method, body: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    if method == Method::Get {
        return Ok(Vec::new());
    }
    serde_json::to_vec(body).map_err(|error| {
        ApiError::new(Code::Internal, format!("cannot write the request: {error}"))
    })
}

/// Takes the data out of an answer.
///
/// # Errors
/// What the daemon reports, or that its answer makes no sense.
pub(crate) fn decode<T: DeserializeOwned>(response: &Response) -> Result<T, ApiError> {
    let nonsense = |error: serde_json::Error| {
        ApiError::new(
            Code::Internal,
            format!("cannot read the daemon's answer: {error}"),
        )
        .hint("keeptab daemon restart")
    };
    let envelope: Envelope<'_> = serde_json::from_slice(&response.body).map_err(nonsense)?;
    match (envelope.data, envelope.error) {
        (_, Some(error)) => Err(error),
        (data, None) => {
            serde_json::from_str(data.map_or("null", |raw| raw.get())).map_err(nonsense)
        }
    }
}

/// The build of the daemon, when it says that it should make way for us.
fn outdated(response: &Response) -> Option<String> {
    if response.status != Code::DaemonOutdated.http_status() {
        return None;
    }
    let envelope: Envelope<'_> = serde_json::from_slice(&response.body).ok()?;
    let error = envelope
        .error
        .filter(|error| error.code == Code::DaemonOutdated)?;
    Some(error.details?.get("build")?.as_str()?.to_owned())
}
