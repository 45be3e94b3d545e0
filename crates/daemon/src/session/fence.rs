//! A browser connection on which other sessions' tabs do not exist.

use std::sync::{Arc, Weak};

use keeptab_browser::TargetId;
use keeptab_protocol::Raw;
use keeptab_script::{BoxFuture, Command, Connection, ErrorKind, Feed, ScriptError, Wanted};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::entry::Session;
use super::errors::to_script;
use super::losses::of_tab;
use super::tabs::short;

/// The connection of one session's snippets.
pub(super) struct Fence {
    browser: keeptab_browser::Session,
    session: Weak<Session>,
}

impl Fence {
    pub(super) fn new(browser: keeptab_browser::Session, session: Weak<Session>) -> Self {
        Fence { browser, session }
    }

    /// # Errors
    /// The command is for a tab of another session.
    fn check(session: &Session, command: &Command) -> Result<(), ScriptError> {
        let mut meant = command.target.as_deref().and_then(TargetId::from_handle);
        if meant.is_none() && names_a_target(&command.method) {
            #[derive(Deserialize)]
            struct Named {
                #[serde(rename = "targetId")]
                target: Option<String>,
            }
            let named = command
                .params
                .parse::<Named>()
                .ok()
                .and_then(|named| named.target);
            meant = named.map(|id| TargetId::from(id.as_str()));
        }
        let Some(target) = meant else { return Ok(()) };
        if let Some(error) = session.gone_with_its_browser(target.as_str()) {
            return Err(to_script(error));
        }
        let owner = session
            .daemon()
            .ok()
            .and_then(|daemon| daemon.owner_of(target.as_str(), session.name()));
        match owner {
            None => Ok(()),
            Some(owner) => Err(ScriptError::new(
                ErrorKind::Refused,
                format!(
                    "{} was not sent: tab {} belongs to session \"{owner}\"",
                    command.method,
                    short(target.as_str())
                ),
            )
            .with_hint("await listPageTargets()")),
        }
    }
}

impl Connection for Fence {
    fn call(&self, command: Command) -> BoxFuture<'static, Result<Raw, ScriptError>> {
        let Some(session) = self.session.upgrade() else {
            return Box::pin(async move { Err(ScriptError::not_connected(&command.method)) });
        };
        if let Err(error) = Fence::check(&session, &command) {
            return Box::pin(async move { Err(error) });
        }
        let browser = self.browser.clone();
        let target = command.target.as_deref().and_then(TargetId::from_handle);
        let answer = Fence::send(session, browser.clone(), command);
        let session = Weak::clone(&self.session);
        Box::pin(async move {
            let answered = answer.await;
            answered.map_err(|error| match (target, session.upgrade()) {
                (Some(target), Some(session)) => {
                    with_next_command(&session, &browser, &target, error)
                }
                _ => error,
            })
        })
    }

    fn subscribe(&self, wanted: Wanted, capacity: usize) -> Box<dyn Feed> {
        self.browser.subscribe(wanted, capacity)
    }

    fn is_connected(&self) -> bool {
        self.browser.is_connected()
    }
}

/// The hint of the library tells programs what to do; whoever runs a snippet types commands.
fn with_next_command(
    session: &Session,
    browser: &keeptab_browser::Session,
    target: &TargetId,
    error: ScriptError,
) -> ScriptError {
    if !matches!(error.kind, ErrorKind::DialogOpen | ErrorKind::TargetGone) {
        return error;
    }
    let info = browser.tab(target.clone()).info();
    let Some(next) = info.as_ref().and_then(of_tab).and_then(|named| named.hint) else {
        return error;
    };
    if session.active_id().as_deref() == Some(target.as_str()) {
        return error.with_hint(next);
    }
    error.with_hint(format!(
        "keeptab tab switch {}, then: {next}",
        short(target.as_str())
    ))
}

impl Fence {
    /// Sends what is allowed; what other sessions have is taken out of the answer.
    fn send(
        session: Arc<Session>,
        browser: keeptab_browser::Session,
        command: Command,
    ) -> BoxFuture<'static, Result<Raw, ScriptError>> {
        match command.method.as_str() {
            "Target.getTargets" => Box::pin(async move {
                let found = Connection::call(&browser, command).await?;
                Ok(without_others(&session, &found).unwrap_or(found))
            }),
            "Target.createTarget" => Box::pin(async move {
                let made = Connection::call(&browser, command).await?;
                #[derive(Deserialize)]
                struct Made {
                    #[serde(rename = "targetId")]
                    target: String,
                }
                if let Ok(Made { target }) = made.parse()
                    && session.claim(&target).is_ok()
                {
                    session.save();
                }
                Ok(made)
            }),
            _ => Connection::call(&browser, command),
        }
    }
}

/// The commands that name a tab in their parameters instead of being sent to it.
fn names_a_target(method: &str) -> bool {
    matches!(
        method,
        "Target.attachToTarget"
            | "Target.activateTarget"
            | "Target.closeTarget"
            | "Target.getTargetInfo"
            | "Browser.getWindowForTarget"
    )
}

/// The list of targets without those of other sessions; `None` when nothing has to go.
fn without_others(session: &Arc<Session>, found: &Raw) -> Option<Raw> {
    #[derive(Deserialize)]
    struct Listed<'a> {
        #[serde(rename = "targetInfos", borrow)]
        targets: Vec<&'a RawValue>,
    }
    #[derive(Serialize)]
    struct Kept<'a> {
        #[serde(rename = "targetInfos")]
        targets: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Target {
        #[serde(rename = "targetId")]
        id: String,
    }
    let daemon = session.daemon().ok()?;
    let listed: Listed<'_> = serde_json::from_str(found.as_str()).ok()?;
    let before = listed.targets.len();
    let targets: Vec<&RawValue> = listed
        .targets
        .into_iter()
        .filter(|target| {
            let id = serde_json::from_str::<Target>(target.get()).map(|target| target.id);
            id.is_ok_and(|id| daemon.owner_of(&id, session.name()).is_none())
        })
        .collect();
    if targets.len() == before {
        return None;
    }
    Raw::of(&Kept { targets }).ok()
}
