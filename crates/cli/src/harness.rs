//! Answering to the flags of `browser-harness-js` when called by that name, so that skills written
//! for it work unchanged: same snippets, same output rules, our daemon and our sessions.

use std::ffi::OsString;
use std::process::ExitCode;

use keeptab_daemon::api::{Health, JsRequest, SessionStatus};
use keeptab_daemon::client::Method;
use keeptab_daemon::{ApiError, Code, exit};
use serde_json::json;

use crate::app::App;
use crate::args::Globals;
use crate::commands::{daemon, js};
use crate::start::finish;

const HELP: &str = "\
browser-harness-js: run JavaScript against a browser over the DevTools protocol
(keeptab answers under this name; keeptab help shows the rest)

  browser-harness-js '<js>'      run a snippet and print its result
  browser-harness-js <<'EOF'     the same, from standard input
  browser-harness-js --status    print health as JSON; exit 1 when not running
  browser-harness-js --start     start the daemon
  browser-harness-js --stop      stop it; what snippets kept on globalThis is gone
  browser-harness-js --restart   both
  browser-harness-js --logs      follow its log
  browser-harness-js --help      this page

KEEPTAB_SESSION chooses the session; KEEPTAB_ALLOW=METHOD,… allows methods that reach
outside the page and are refused otherwise. BU_TARGET_ID and BU_CDP_PORT are what
connectToAssignedTarget() uses. CDP_REPL_PORT and CDP_REPL_LOG have no meaning here: there is no
port, but a socket that is yours alone, and the log is shown by --logs.
";

/// Plays the part.
pub(crate) fn run(args: &[OsString]) -> ExitCode {
    let words: Vec<String> = args
        .iter()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    finish(Globals::from_env(), |app| match words.as_slice() {
        ["--help" | "-h"] => {
            app.output().text(HELP);
            Ok(exit::OK)
        }
        ["--status"] => status(app),
        ["--start"] => {
            explain_ignored(app);
            daemon::start(app)
        }
        ["--stop"] => stop(app),
        ["--restart"] => {
            stop(app)?;
            daemon::start(app)
        }
        ["--logs"] => daemon::logs(app, true, 100),
        [flag, ..] if flag.starts_with("--") => Err(ApiError::new(
            Code::Invalid,
            format!("{flag} is no option of browser-harness-js"),
        )
        .hint("browser-harness-js --help")),
        [] => evaluate(app, js::standard_input()?),
        [code] => evaluate(app, (*code).to_owned()),
        _ => Err(
            ApiError::new(Code::Invalid, "give the snippet as one argument, in quotes")
                .hint("browser-harness-js 'await listPageTargets()'"),
        ),
    })
}

/// Whatever went wrong with a snippet is exit 1, as it was in that tool.
fn evaluate(app: &mut App, code: String) -> Result<u8, ApiError> {
    explain_ignored(app);
    let request = JsRequest {
        code,
        ..JsRequest::default()
    };
    match js::evaluate(app, request) {
        Ok(exit::OK) => Ok(exit::OK),
        Ok(_) => Ok(exit::FAILED),
        Err(error) => {
            app.output().error(&error);
            Ok(exit::FAILED)
        }
    }
}

/// Only at the start of a daemon, so that it does not show at every snippet.
fn explain_ignored(app: &mut App) {
    let running = app
        .client()
        .is_ok_and(|client| client.daemon_pid().is_ok_and(|pid| pid.is_some()));
    for name in ["CDP_REPL_PORT", "CDP_REPL_LOG"] {
        if !running && std::env::var_os(name).is_some() {
            app.output().note(&format!(
                "note: {name} has no meaning here; see browser-harness-js --help"
            ));
        }
    }
}

fn status(app: &mut App) -> Result<u8, ApiError> {
    let health: Option<Health> = app.client()?.call_running(Method::Get, "/v1/health", &())?;
    let Some(health) = health else {
        // The tool's own exit code, which its users test for.
        app.output().note("not running");
        return Ok(exit::FAILED);
    };
    let path = app.session_path("")?;
    let session: Option<SessionStatus> = app
        .client()?
        .call_running(Method::Get, &path, &())
        .unwrap_or_default();
    let active = session.as_ref().and_then(|session| session.active.as_ref());
    let status = json!({
        "ok": true,
        "uptime": health.uptime_s,
        "connected": session.as_ref().is_some_and(|session| session.healthy),
        "sessionId": active.map(|tab| format!("target:{}", tab.id)),
    });
    app.output().raw(status.to_string());
    Ok(exit::OK)
}

fn stop(app: &mut App) -> Result<u8, ApiError> {
    match daemon::halt(app, false)? {
        Some(_) => app.output().note("stopped"),
        None => app.output().note("not running"),
    }
    Ok(exit::OK)
}
