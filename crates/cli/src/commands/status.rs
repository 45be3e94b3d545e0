//! `keeptab status`: how the session does.

use keeptab_daemon::api::{Policies, SessionStatus, UnknownOutcome};
use keeptab_daemon::client::Method;
use keeptab_daemon::{ApiError, exit};

use super::tab::describe;
use crate::app::App;
use crate::output::Output;
use crate::watch::watch;

/// Say how the session does
///
/// Ends with 0 when commands can be sent, with 5 when somebody must act, with 6 when there is no
/// such session, and with 8 when the connection, the browser or the daemon is down. Does not start
/// the daemon.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab status
  keeptab status --watch                  what happens to the connection, as it happens
  keeptab status -q && keeptab js -f next-step.js")]
pub(crate) struct Args {
    /// Go on, with one line per change, until the session is closed or the daemon ends
    #[arg(long, short)]
    watch: bool,
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    if args.watch {
        return watch(app);
    }
    let path = app.session_path("")?;
    let Some(response) = app.client()?.ask_running(Method::Get, &path, &())? else {
        return Err(App::no_daemon());
    };
    let status: SessionStatus = App::data_of(&response.body)?;
    let code = match status.state.as_str() {
        _ if status.healthy => exit::OK,
        "waiting_for_human" => exit::NEEDS_PERSON,
        _ => exit::NO_CONNECTION,
    };
    if app.output().is_json() {
        app.output().envelope(response.body);
    } else {
        app.output().text(&human(&status, app.output()));
    }
    Ok(code)
}

fn human(status: &SessionStatus, out: &Output) -> String {
    let mut lines = vec![format!("{}: {}", status.session, status.detail)];
    if let Some(browser) = &status.browser {
        let whose = if status.launched {
            "launched by keeptab"
        } else {
            "attached"
        };
        lines.push(format!("browser: {browser}, {whose}, {}", status.endpoint));
    }
    lines.push(format!(
        "epoch: {}   fence: {}   tabs: {}   gaps: {}",
        status.epoch, status.fence, status.tabs, status.gaps
    ));
    if let Some(gap) = &status.last_gap
        && !gap.unknown_outcomes.is_empty()
    {
        let of = |unknown: &UnknownOutcome| match &unknown.target {
            Some(tab) => format!("{} [{}]", unknown.method, tab.get(..8).unwrap_or(tab)),
            None => unknown.method.clone(),
        };
        let named: Vec<String> = gap.unknown_outcomes.iter().map(of).collect();
        lines.push(format!(
            "outcome unknown since the last gap: {}",
            named.join(", ")
        ));
    }
    if !status.record.console || !status.record.network {
        lines.push(format!("record: {}", status.record));
    }
    if status.healthy {
        let ms = |value: Option<f64>| value.map_or("?".to_owned(), |ms| format!("{ms:.1}"));
        let last = status.last_byte_ms.unwrap_or(0);
        lines.push(format!(
            "round trip: {} ms (p99 {} ms)   last byte: {last} ms ago   losses: {}",
            ms(status.rtt_p50_ms),
            ms(status.rtt_p99_ms),
            status.losses
        ));
    } else if status.attempts > 0 || status.next_attempt_ms.is_some() {
        let next = match status.next_attempt_ms {
            Some(ms) => format!("in {:.1} s", ms as f64 / 1e3),
            None if matches!(status.state.as_str(), "reconnecting" | "connecting") => {
                "now".to_owned()
            }
            None => "none, it has given up".to_owned(),
        };
        lines.push(format!("attempts: {}   next: {next}", status.attempts));
    }
    if status.in_flight + status.waiting > 0 {
        lines.push(format!(
            "commands: {} without an answer, {} waiting",
            status.in_flight, status.waiting
        ));
    }
    if status.policies != Policies::default() {
        lines.push(format!("policies: {}", status.policies));
    }
    for done in &status.done {
        lines.push(format!("by itself: {done}"));
    }
    if status.dropped > 0 {
        lines.push(format!(
            "dropped: {} events came faster than they were read",
            status.dropped
        ));
    }
    match &status.active {
        Some(tab) => lines.push(format!("active: {}", describe(tab))),
        None => lines.push("active: none".into()),
    }
    if !status.left_behind.is_empty() {
        lines.push(format!(
            "left behind by other sessions: {} (keeptab sweep --dry-run)",
            status.left_behind.join(", ")
        ));
    }
    if let Some(hint) = &status.hint {
        lines.push(format!("try: {}", out.hint(hint)));
    }
    lines.join("\n")
}
