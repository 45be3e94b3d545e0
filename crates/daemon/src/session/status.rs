//! How a session does, in words.

use std::time::Duration;

use keeptab_browser::{Gap, Health, State, StateChange};
use tokio::time::{Instant, timeout};

use super::connect::describe;
use super::entry::{Held, Hold, Session};
use crate::api::{LastGap, SessionStatus, UnknownOutcome};
use crate::error::ApiError;
use crate::handover::Place;

/// How long the browser may take to say which one it is.
const PRODUCT_PATIENCE: Duration = Duration::from_secs(2);

impl Session {
    /// The browser, if commands can reach it now or after the recovery that is under way.
    ///
    /// # Errors
    /// There is none, it has ended, or its connection was given up.
    pub(super) fn live(&self) -> Result<Held, ApiError> {
        let held = self.held()?;
        let state = held.browser.state().borrow().clone();
        match self.loss(&held, &state) {
            Some(error) => Err(error),
            None => Ok(held),
        }
    }

    /// How it does.
    pub(crate) async fn status(&self) -> SessionStatus {
        let mut status = SessionStatus {
            session: self.name().to_owned(),
            state: String::new(),
            detail: String::new(),
            healthy: false,
            browser: None,
            endpoint: String::new(),
            launched: self.is_launched(),
            epoch: 0,
            fence: "none".to_owned(),
            active: None,
            tabs: 0,
            record: self.observer.recording(),
            policies: self.policies(),
            done: self.what_was_done(),
            last_byte_ms: None,
            rtt_p50_ms: None,
            rtt_p99_ms: None,
            attempts: 0,
            next_attempt_ms: None,
            in_flight: 0,
            waiting: 0,
            losses: 0,
            hint: None,
            gaps: 0,
            last_gap: None,
            dropped: 0,
            age_s: self.age().as_secs(),
            left_behind: Vec::new(),
        };
        let busy = self.is_busy();
        let held = self.with(|inner| match &inner.hold {
            Hold::Held(held) => Some(held.clone()),
            Hold::Nothing => {
                status.state = "no_browser".to_owned();
                status.detail = "no browser".to_owned();
                None
            }
            Hold::Missing(missing) if busy => {
                status.state = "connecting".to_owned();
                status.detail = "its browser is being taken over".to_owned();
                status.endpoint = describe(&missing.place);
                // As the daemon before knew them.
                status.tabs = inner.claimed.len();
                None
            }
            Hold::Missing(missing) => {
                status.state = missing.why.code.name().to_owned();
                status.detail = self.without_name(&missing.why);
                status.hint = missing.why.hint.clone();
                status.endpoint = describe(&missing.place);
                None
            }
        });
        if let Some(held) = &held {
            let status_of_link = held.browser.status();
            let health = status_of_link.health;
            status.gaps = health.counters.gaps;
            status.last_gap = held.browser.last_gap().map(|gap| in_short(&gap));
            status.dropped = status_of_link.dropped;
            fill(&mut status, &health);
            status.state = health.state.name().to_owned();
            status.detail = say_now(&health.state);
            if health.state.is_final()
                && let Some(error) = self.loss(held, &health.state)
            {
                status.state = error.code.name().to_owned();
                status.detail = self.without_name(&error);
                status.hint = error.hint;
            }
            status.healthy = matches!(health.state, State::Connected { .. });
            status.browser = product(held, &health.state).await;
            status.endpoint = describe(&held.place);
            status.epoch = health.epoch.0;
            if matches!(held.place, Place::Keeper(_)) {
                status.fence = "keeper".to_owned();
            }
            let tabs = self.own_tabs(held).await.0;
            status.tabs = tabs.len();
            status.active = self.active_line(Some(&tabs));
        } else {
            status.active = self.active_line(None);
        }
        status
    }

    /// What is wrong, where the name of the session stands before it already.
    fn without_name(&self, error: &ApiError) -> String {
        let name = format!("session \"{}\": ", self.name());
        let message = error.message.as_str();
        message.strip_prefix(&name).unwrap_or(message).to_owned()
    }
}

/// Which browser it is. After a takeover nobody has asked yet.
async fn product(held: &Held, state: &State) -> Option<String> {
    if matches!(state, State::Connected { .. }) {
        let _ = timeout(PRODUCT_PATIENCE, held.learn_product()).await;
    }
    held.product.get().cloned()
}

fn in_short(gap: &Gap) -> LastGap {
    let unknown = gap.unknown.iter().map(|unknown| UnknownOutcome {
        method: unknown.method.to_string(),
        target: unknown.target.as_ref().map(|id| id.as_str().to_owned()),
    });
    LastGap {
        cause: gap.cause.to_string(),
        summary: gap.summary(),
        unknown_outcomes: unknown.collect(),
    }
}

/// The figures of the link.
fn fill(status: &mut SessionStatus, health: &Health) {
    let whole = |time: Duration| u64::try_from(time.as_millis()).ok();
    // Microseconds are as fine as anybody wants to know.
    let fine = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    let now = Instant::now().into_std();
    status.last_byte_ms = health.last_byte.and_then(whole);
    if matches!(health.state, State::Connected { .. }) {
        // Figures of a connection that is gone say nothing about the next one.
        status.rtt_p50_ms = health.rtt_p50.map(fine);
        status.rtt_p99_ms = health.rtt_p99.map(fine);
    }
    status.attempts = health.attempts;
    status.next_attempt_ms = health
        .next_attempt
        .and_then(|next| whole(next.saturating_duration_since(now)));
    status.in_flight = health.in_flight;
    status.waiting = health.parked;
    status.losses = health.counters.losses;
}

/// The state for somebody who did not see how it came about: an outage with its cause.
pub(super) fn say_now(state: &State) -> String {
    match state {
        State::Reconnecting {
            attempt,
            cause,
            next,
            ..
        } if *attempt > 0 => {
            let doing = match next {
                Some(_) => "waiting before",
                None => "making",
            };
            format!("Connection lost ({cause}); {doing} attempt {attempt}")
        }
        state => say(state),
    }
}

/// The state as its log line has it.
pub(super) fn say(state: &State) -> String {
    StateChange {
        state: state.clone(),
        outage: None,
        cost: None,
    }
    .to_string()
}
