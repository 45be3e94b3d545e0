//! Following a session: one line per change, until it is closed or the daemon ends.

use keeptab_daemon::api::EventsQuery;
use keeptab_daemon::{ApiError, Code, exit};
use serde::Deserialize;

use crate::app::App;
use crate::output::Output;

/// What is read of an event; the rest is for programs.
#[derive(Deserialize)]
struct Event {
    event: String,
    #[serde(default)]
    session: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    what: String,
    #[serde(default)]
    hint: Option<String>,
    #[serde(default)]
    count: u64,
}

/// Prints how the session is, and then every change.
pub(crate) fn watch(app: &mut App) -> Result<u8, ApiError> {
    // Also checks that the name can be one.
    app.session_path("")?;
    let query = EventsQuery {
        streams: Some("state".to_owned()),
        session: Some(app.session().to_owned()),
    };
    let query = serde_urlencoded::to_string(&query).map_err(|error| {
        ApiError::new(Code::Internal, format!("cannot write the request: {error}"))
    })?;
    let Some(mut lines) = app.client()?.follow(&format!("/v1/events?{query}"))? else {
        return Err(App::no_daemon());
    };
    while let Some(line) = lines.next_line()? {
        let event: Event = serde_json::from_str(&line).map_err(|error| {
            ApiError::new(
                Code::Internal,
                format!("cannot read the daemon's answer: {error}"),
            )
        })?;
        if app.output().is_json() {
            app.output().line(&line);
        } else if let Some(text) = human(&event, app.output()) {
            app.output().text(&text);
        }
        if event.event == "session" && event.what == "closed" {
            return Ok(exit::OK);
        }
    }
    Err(ApiError::new(Code::NoDaemon, "the daemon ended").hint("keeptab status"))
}

fn human(event: &Event, out: &Output) -> Option<String> {
    match event.event.as_str() {
        "state" => Some(format!("{}: {}", event.session, event.text)),
        "loss" => {
            let hint = event.hint.as_deref();
            let hint = hint.map_or_else(String::new, |hint| format!("; try: {}", out.hint(hint)));
            Some(format!(
                "{}: {}: {}{hint}",
                event.session, event.what, event.text
            ))
        }
        "session" => Some(format!("{}: session {}", event.session, event.what)),
        "dropped" => Some(format!("({} changes were not shown)", event.count)),
        _ => None,
    }
}
