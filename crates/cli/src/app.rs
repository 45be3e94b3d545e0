//! What a command has at hand: its flags, the output and the daemon.

use keeptab_daemon::api::Envelope;
use keeptab_daemon::client::{Client, ClientOptions, Method};
use keeptab_daemon::{ApiError, Build, Code, Paths, exit};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::args::Globals;
use crate::output::Output;

/// One run of the program.
#[derive(Debug)]
pub(crate) struct App {
    globals: Globals,
    output: Output,
    client: Option<Client>,
}

impl App {
    pub(crate) fn new(globals: Globals) -> Self {
        let named = globals.is_session_named.then(|| globals.session.clone());
        let output = Output::new(globals.json, globals.quiet, globals.verbose).for_session(named);
        App {
            globals,
            output,
            client: None,
        }
    }

    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    pub(crate) fn session(&self) -> &str {
        &self.globals.session
    }

    pub(crate) fn timeout_ms(&self) -> Option<u64> {
        u64::try_from(self.globals.timeout.as_millis()).ok()
    }

    /// The path of a door of the session: `/v1/sessions/<name>/<rest>`.
    ///
    /// # Errors
    /// The name could never be one of a session.
    pub(crate) fn session_path(&self, rest: &str) -> Result<String, ApiError> {
        let name = self.session();
        let fits = !name.is_empty()
            && name.len() <= 64
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && !name.starts_with('.');
        if !fits {
            return Err(ApiError::new(
                Code::Invalid,
                format!("{name:?} cannot be the name of a session: letters, digits, '-', '_' and '.', at most 64"),
            )
            .hint("keeptab --session my-shop open URL"));
        }
        Ok(format!("/v1/sessions/{name}{rest}"))
    }

    /// The daemon's client.
    ///
    /// # Errors
    /// The environment does not say where the daemon's files are.
    pub(crate) fn client(&mut self) -> Result<&mut Client, ApiError> {
        if self.client.is_none() {
            let paths = paths()?;
            let options = ClientOptions {
                build: build(),
                timeout: self.globals.timeout,
            };
            self.client = Some(Client::new(paths, options));
        }
        self.client
            .as_mut()
            .ok_or_else(|| ApiError::new(Code::Internal, "no client"))
    }

    /// Asks the daemon and prints its answer: as it came with `--json`, else as `human` says.
    ///
    /// # Errors
    /// What the daemon reports, or why it could not be asked.
    pub(crate) fn request<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        human: impl FnOnce(&Output, T),
    ) -> Result<u8, ApiError> {
        let json = self.output.is_json();
        let response = self.client()?.ask(method, path, body)?;
        let nonsense = |error: serde_json::Error| {
            ApiError::new(
                Code::Internal,
                format!("cannot read the daemon's answer: {error}"),
            )
        };
        let envelope: Envelope<'_> = serde_json::from_slice(&response.body).map_err(nonsense)?;
        if let Some(error) = envelope.error {
            return Err(error);
        }
        if json {
            self.output.envelope(response.body);
        } else {
            let data = envelope.data.map_or("null", |raw| raw.get());
            human(&self.output, serde_json::from_str(data).map_err(nonsense)?);
        }
        Ok(exit::OK)
    }

    /// What an answer of the daemon holds.
    ///
    /// # Errors
    /// What the daemon reports, or that the answer makes no sense.
    pub(crate) fn data_of<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
        let nonsense = |error: serde_json::Error| {
            ApiError::new(
                Code::Internal,
                format!("cannot read the daemon's answer: {error}"),
            )
        };
        let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(nonsense)?;
        if let Some(error) = envelope.error {
            return Err(error);
        }
        let data = envelope.data.map_or("null", |raw| raw.get());
        serde_json::from_str(data).map_err(nonsense)
    }

    /// What a command that starts no daemon says when there is none.
    pub(crate) fn no_daemon() -> ApiError {
        ApiError::new(Code::NoDaemon, "the daemon is not running").hint(
            "keeptab sessions (starts it, with the sessions that it held), or: keeptab open URL",
        )
    }

    /// Passes on what the daemon wanted people to know besides its answer.
    pub(crate) fn report_notice(&mut self) {
        if let Some(notice) = self.client.as_mut().and_then(Client::take_notice) {
            self.output.note(&format!("note: {notice}"));
        }
    }
}

/// Where our files are.
///
/// # Errors
/// The environment does not say.
pub(crate) fn paths() -> Result<Paths, ApiError> {
    Paths::from_env().map_err(|error| {
        ApiError::new(Code::Machine, error.to_string()).hint("export KEEPTAB_HOME=/some/directory")
    })
}

/// Which build this program is.
pub(crate) fn build() -> Build {
    Build::current(env!("CARGO_PKG_VERSION"), env!("KEEPTAB_BUILD_ID"))
}
