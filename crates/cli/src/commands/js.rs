//! `keeptab js`: a snippet in the session's persistent scope.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;

use keeptab_daemon::api::{Envelope, JsRequest, JsResult};
use keeptab_daemon::client::Method;
use keeptab_daemon::{ApiError, Code, exit};
use serde::Deserialize;

use crate::app::App;
use crate::output::Output;

/// Run JavaScript beside the browser, with its DevTools at hand
///
/// The value of a single expression is printed; a program of several statements prints what it
/// returns. Strings come bare, objects as compact JSON, nothing for undefined, null and empty values.
/// What is put on globalThis stays for the next call of the session, until it is closed or the daemon
/// ends or is restarted; let and const do not.
///
/// `session.<Domain>.<method>({...})` calls any DevTools method on the active tab;
/// `keeptab spec` documents them all.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab js '1 + 1'
  keeptab js 'await session.Page.navigate({url: \"https://example.com\"})'
  keeptab js '(await session.Runtime.evaluate({expression: \"document.title\"})).result.value'
  keeptab js -f login.js
  keeptab js <<'EOF'
  const tabs = await listPageTargets();
  await session.use(tabs[0].targetId);
  return tabs.length;
  EOF

Globals (keeptab spec NAME documents each, keeptab spec --dts declares them all):
  session      .DOMAIN.METHOD(params) .connect .use .setActiveSession .getActiveSession
               .onEvent .waitFor .isConnected .close
  cdp          .send .attachToTarget .spec .waitFor .on .sleep
  CDP          names and docs of the protocol, to read
  functions    listPageTargets detectBrowsers resolveWsUrl connectToAssignedTarget
  the web's    console, timers, URL, TextEncoder, AbortController, structuredClone, crypto")]
pub(crate) struct Args {
    /// The snippet; read from standard input without it
    code: Option<String>,
    /// Read the snippet from this file
    #[arg(long, short, value_name = "FILE", conflicts_with = "code")]
    file: Option<PathBuf>,
    /// Exceptions in the page and failed navigations are errors, not warnings
    #[arg(long)]
    strict: bool,
    /// Allow this snippet a method that reaches outside the page, such as DOM.setFileInputFiles
    /// or SystemInfo.*; also from KEEPTAB_ALLOW
    #[arg(long, value_name = "METHOD", value_delimiter = ',')]
    allow: Vec<String>,
}

#[cfg(test)]
impl Args {
    /// The snippet, when nothing else was said.
    pub(crate) fn plain_code(&self) -> Option<&str> {
        let plain = self.file.is_none() && !self.strict && self.allow.is_empty();
        self.code.as_deref().filter(|_| plain)
    }
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    let (code, file) = match (args.code, args.file) {
        (Some(code), _) if code != "-" => (code, None),
        (_, Some(path)) => {
            let code = std::fs::read_to_string(&path).map_err(|error| {
                ApiError::new(
                    Code::Invalid,
                    format!("cannot read {}: {error}", path.display()),
                )
                .hint("keeptab js -f FILE")
            })?;
            (code, Some(path.to_string_lossy().into_owned()))
        }
        _ => (standard_input()?, None),
    };
    evaluate(
        app,
        JsRequest {
            code,
            file,
            strict: args.strict,
            allow: args.allow,
            ..JsRequest::default()
        },
    )
}

/// `keeptab js CODE` and nothing else.
pub(crate) fn run_code(app: &mut App, code: String) -> Result<u8, ApiError> {
    evaluate(
        app,
        JsRequest {
            code,
            ..JsRequest::default()
        },
    )
}

/// The snippet on standard input.
///
/// # Errors
/// A person is sitting there, or it is not text.
pub(crate) fn standard_input() -> Result<String, ApiError> {
    let mut input = io::stdin();
    if input.is_terminal() {
        return Err(ApiError::new(Code::Invalid, "no snippet given").hint("keeptab js 'CODE'"));
    }
    let mut code = String::new();
    input.read_to_string(&mut code).map_err(|error| {
        ApiError::new(Code::Invalid, format!("cannot read the snippet: {error}"))
    })?;
    Ok(code)
}

/// Runs a snippet and prints what came of it.
///
/// # Errors
/// It could not be run; what the snippet itself did wrong is printed here.
pub(crate) fn evaluate(app: &mut App, mut request: JsRequest) -> Result<u8, ApiError> {
    request.timeout_ms = app.timeout_ms();
    request.target_id = std::env::var("BU_TARGET_ID")
        .ok()
        .filter(|id| !id.is_empty());
    request.cdp_port = match std::env::var("BU_CDP_PORT") {
        Ok(port) if !port.is_empty() => Some(port.parse().map_err(|_| {
            ApiError::new(Code::Invalid, format!("BU_CDP_PORT is no port: {port:?}"))
                .hint("export BU_CDP_PORT=9222")
        })?),
        _ => None,
    };
    if let Ok(allowed) = std::env::var("KEEPTAB_ALLOW") {
        let names = allowed.split(',').map(str::trim);
        request
            .allow
            .extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
    }
    let path = app.session_path("/js")?;
    let response = app.client()?.ask(Method::Post, &path, &request)?;
    let nonsense = |error: serde_json::Error| {
        ApiError::new(
            Code::Internal,
            format!("cannot read the daemon's answer: {error}"),
        )
    };
    let envelope: Envelope<'_> = serde_json::from_slice(&response.body).map_err(nonsense)?;
    match (envelope.error, envelope.data) {
        (Some(error), _) => failed(app, error),
        (None, _) if app.output().is_json() => {
            let data = envelope.data.map_or("{}", |raw| raw.get());
            let Whole { cut } = serde_json::from_str(data).map_err(nonsense)?;
            app.output().envelope(response.body);
            Ok(code(cut))
        }
        (None, data) => {
            let data = data.map_or("null", |raw| raw.get());
            let result: JsResult = serde_json::from_str(data).map_err(nonsense)?;
            app.output().console(&result.stderr);
            app.output().raw(result.stdout);
            Ok(code(result.cut))
        }
    }
}

/// Whether the result came whole; the rest of it need not be read for that.
#[derive(Deserialize)]
struct Whole {
    #[serde(default)]
    cut: bool,
}

/// The beginning of a result is not the result: a script that pipes it on must be able to tell.
fn code(cut: bool) -> u8 {
    if cut { exit::PARTIAL } else { exit::OK }
}

/// A snippet that failed has said so itself, with a stack; that is what people should see.
fn failed(app: &mut App, error: ApiError) -> Result<u8, ApiError> {
    let said = error
        .details
        .as_ref()
        .and_then(|details| details.get("stderr")?.as_str());
    match said.filter(|said| !said.is_empty() && !app.output().is_json()) {
        Some(said) => {
            app.output().console(&with_hint(said, &error, app.output()));
            if let Some(hint) = error.hint.as_ref().filter(|hint| !says(said, hint)) {
                app.output().note(&format!("  try: {hint}"));
            }
            Ok(error.exit_code())
        }
        None => Err(error),
    }
}

/// The snippet's own text; a hint of ours in it as it can be typed.
fn with_hint<'a>(said: &'a str, error: &ApiError, out: &Output) -> Cow<'a, str> {
    match &error.hint {
        Some(hint) if says(said, hint) => {
            let line = format!("hint: {hint}");
            Cow::Owned(said.replace(&line, &format!("hint: {}", out.hint(hint))))
        }
        _ => Cow::Borrowed(said),
    }
}

/// Whether the snippet's own text ends with this hint already.
fn says(text: &str, hint: &str) -> bool {
    text.lines()
        .any(|line| line.strip_prefix("hint: ") == Some(hint))
}
