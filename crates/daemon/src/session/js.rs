//! Running snippets in the scope of a session.

use std::sync::Arc;

use keeptab_script::{Assigned, ErrorKind, EvalRequest, Repl, ScriptError};
use serde_json::value::RawValue;

use super::connect::{deadline, remaining};
use super::entry::Session;
use super::errors::from_script;
use super::host::SessionHost;
use super::losses::of_tab;
use crate::api::{JsRequest, JsResult};
use crate::error::{ApiError, Code};
use crate::policy;

impl Session {
    /// Runs a snippet. Several callers may do so at once; they share the scope.
    ///
    /// # Errors
    /// The snippet failed; what it wrote to standard error is in the details.
    pub(crate) async fn js(self: &Arc<Self>, request: JsRequest) -> Result<JsResult, ApiError> {
        let until = deadline(request.timeout_ms);
        request
            .allow
            .iter()
            .try_for_each(|name| policy::known(name))?;
        // Only waits while the browser is being taken over or changed.
        drop(self.my_turn(until).await?);
        let outcome = self
            .repl()?
            .eval(EvalRequest {
                code: request.code,
                file_name: request.file.unwrap_or_else(|| "snippet.js".to_owned()),
                timeout: remaining(until),
                strict: request.strict,
                assigned: Assigned {
                    target_id: request.target_id,
                    port: request.cdp_port,
                },
                allow: request.allow,
            })
            .await;
        self.adopt_known_popups();
        let Some(error) = outcome.error.filter(|_| !outcome.ok) else {
            let value = outcome
                .json
                .and_then(|json| RawValue::from_string(json.as_str().to_owned()).ok());
            return Ok(JsResult {
                stdout: outcome.stdout,
                stderr: outcome.stderr,
                cut: outcome.truncated,
                value,
            });
        };
        let mut ours = from_script(&error);
        let mut said = outcome.stderr;
        if error.kind == ErrorKind::TargetGone
            && let Some(tab) = self.active_line(self.known_tabs().as_deref())
            && tab.state == "closed"
        {
            let named = self.tab_gone(&tab);
            said.push_str(&format!("{}\n", named.message));
            ours.message = format!("{}: {}", ours.message, named.message);
            ours.hint = named.hint;
        }
        self.name_the_tab(&error, &mut ours, &mut said);
        if error.kind == ErrorKind::NotConnected
            && let Err(why) = self.live()
        {
            // Which of the ways of not being connected this is, and what to type: one hint is enough.
            if let Some(hint) = &error.hint {
                said = said.replace(&format!("hint: {hint}\n"), "");
            }
            said.push_str(&format!("{}\n", why.message));
            ours = ApiError {
                details: ours.details,
                ..why
            };
        }
        if let Some(serde_json::Value::Object(details)) = &mut ours.details {
            details.insert("stderr".to_owned(), said.into());
            details.insert("stdout".to_owned(), outcome.stdout.into());
            details.insert("scope_lost".to_owned(), outcome.scope_lost.into());
        }
        Err(ours)
    }

    /// When the active tab is why the snippet failed: what is wrong with it, and what to type.
    fn name_the_tab(&self, error: &ScriptError, ours: &mut ApiError, said: &mut String) {
        let may_be_the_tab = matches!(
            error.kind,
            ErrorKind::TargetGone | ErrorKind::DialogOpen | ErrorKind::Deadline
        );
        let found = may_be_the_tab
            .then(|| self.held().ok())
            .flatten()
            .and_then(|held| self.active_target(&held).ok());
        let Some(named) = found.and_then(|(_, info)| of_tab(&info)) else {
            return;
        };
        // A snippet may also be late by itself.
        if error.kind == ErrorKind::Deadline && named.code != Code::TabHung {
            return;
        }
        said.push_str(&format!("{}\n", named.message));
        ours.message = format!("{}: {}", ours.message, named.message);
        ours.code = named.code;
        ours.hint = named.hint;
    }

    fn repl(self: &Arc<Self>) -> Result<&Repl, ApiError> {
        let pool = self.daemon()?.pool().clone();
        Ok(self
            .repl
            .get_or_init(|| Repl::new(pool, Arc::new(SessionHost::new(self)))))
    }
}
