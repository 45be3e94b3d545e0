//! What a worker asks of its owner, carried out.

use std::sync::Arc;
use std::time::Duration;

use keeptab_browser::{ResolveOptions, find, resolve_ws_url};
use keeptab_protocol::{Raw, spec};
use serde_json::json;

use crate::host::{Command, ConnectOptions, Host};
use crate::outcome::{ErrorKind, ScriptError};
use crate::wire::Call;

/// Carries out a command of a snippet: checks it, then sends it.
pub(crate) async fn command(
    host: Arc<dyn Host>,
    command: Command,
    granted: bool,
) -> Result<Raw, ScriptError> {
    spec::validate(&command.method, command.params.as_str()).map_err(|invalid| {
        let name = spec::command(&command.method).map_or("", |_| command.method.as_str());
        let error = ScriptError::new(ErrorKind::Invalid, invalid.message);
        error.with_hint(format!("keeptab spec {name}").trim_end())
    })?;
    host.permit(&command.method, &command.params, granted)?;
    let connection = host
        .connection()
        .ok_or_else(|| ScriptError::not_connected(&command.method))?;
    connection.call(command).await
}

/// Carries out anything else.
pub(crate) async fn call(host: Arc<dyn Host>, call: Call) -> Result<Raw, ScriptError> {
    match call {
        Call::Connect { options } => {
            let target = options.target_id.clone();
            host.connect(options).await?;
            if let Some(target) = target {
                let handle = attach(&host, &target).await?;
                host.set_active_target(Some(handle));
            }
            encode(&json!({ "active": host.active_target() }))
        }
        Call::Close => {
            host.close().await?;
            Ok(Raw::from_static("null"))
        }
        Call::Use { target_id } => encode(&attach(&host, &target_id).await?),
        Call::Browsers => encode(&find::running_browsers().await),
        Call::Resolve { options } => encode(&resolve(options).await?),
    }
}

/// Attaches to a target, which must exist, and gives its handle.
async fn attach(host: &Arc<dyn Host>, target_id: &str) -> Result<String, ScriptError> {
    let params = encode(&json!({ "targetId": target_id, "flatten": true }))?;
    let attach = Command {
        method: "Target.attachToTarget".into(),
        params,
        target: None,
        timeout: None,
    };
    let raw = command(Arc::clone(host), attach, false).await?;
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Attached {
        session_id: String,
    }
    let attached: Attached = raw
        .parse()
        .map_err(|e| ScriptError::new(ErrorKind::OutcomeUnknown, e.to_string()))?;
    Ok(attached.session_id)
}

async fn resolve(options: ConnectOptions) -> Result<String, ScriptError> {
    let patience = options
        .timeout_ms
        .map_or(Duration::from_secs(10), Duration::from_millis);
    let wanted = ResolveOptions {
        ws_url: options.ws_url,
        host: options.host,
        port: options.port,
        profile_dir: options.profile_dir.map(Into::into),
    };
    let resolved = tokio::time::timeout(patience, resolve_ws_url(&wanted))
        .await
        .map_err(|_| {
            let message = format!("no browser answered within {} ms", patience.as_millis());
            ScriptError::new(ErrorKind::Deadline, message).with_hint("await detectBrowsers()")
        })?;
    resolved.map_err(|error| {
        let mut failed = ScriptError::new(ErrorKind::NotConnected, error.to_string());
        failed.hint = error.hint().map(str::to_owned);
        failed
    })
}

fn encode<T: serde::Serialize + ?Sized>(value: &T) -> Result<Raw, ScriptError> {
    Raw::of(value).map_err(|e| ScriptError::new(ErrorKind::Invalid, e.to_string()))
}
