//! Connecting to the same browser again, because somebody asks for it.

use std::io;
use std::time::Duration;

use keeptab_browser::{ResolveOptions, State, resolve_ws_url};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::connect::{deadline, is_remote, remaining};
use super::entry::{Held, Session};
use super::errors::from_connect;
use super::status::say_now;
use crate::api::SessionStatus;
use crate::error::{ApiError, Code};
use crate::handover::Place;

/// How often a port of this machine may refuse before nobody is believed to be there.
const REFUSALS: u32 = 3;
/// The pause between two such tries: enough for a browser that is just opening its port.
const PAUSE: Duration = Duration::from_millis(200);

impl Session {
    /// Connects to the same browser again, now.
    ///
    /// # Errors
    /// There is no browser, it has ended, or it does not answer in time.
    pub(crate) async fn reconnect(
        &self,
        timeout_ms: Option<u64>,
    ) -> Result<SessionStatus, ApiError> {
        let until = deadline(timeout_ms);
        let _turn = self.my_turn(until).await?;
        if self.is_missing() {
            self.take_over(until).await?;
            return Ok(self.status().await);
        }
        let held = self.held()?;
        self.is_worth_trying(&held, until).await?;
        match timeout(remaining(until), held.browser.reconnect()).await {
            Ok(Ok(())) => Ok(self.status().await),
            Ok(Err(error)) => {
                // The state knows better than the last attempt whether the browser has ended.
                self.live()?;
                Err(from_connect(&error))
            }
            Err(_) => {
                let state = held.browser.state().borrow().clone();
                let message = format!(
                    "session \"{}\" is not connected yet: {}",
                    self.name(),
                    say_now(&state)
                );
                Err(ApiError::new(Code::Deadline, message))
            }
        }
    }

    /// What is known of an attached browser at the moment in which it is let go of.
    pub(super) async fn how_it_goes_on(&self, held: &Held) -> &'static str {
        const GONE: &str = "its browser was not there any more";
        let state = held.browser.state().borrow().clone();
        if matches!(state, State::Connected { .. }) {
            return "the browser goes on";
        }
        let ended = self.loss(held, &state).is_some_and(|loss| {
            matches!(
                loss.code,
                Code::BrowserGone
                    | Code::BrowserReplaced
                    | Code::SessionEnded
                    | Code::SessionExpired
            )
        });
        if ended {
            return GONE;
        }
        match local_server(&held.place).await {
            Some(server) if refuses(&server, deadline(None)).await => GONE,
            _ => "its browser could not be reached",
        }
    }

    /// Finds out what needs no attempt of the link, which would take its time and then put a lesser cause
    /// in the place of the first one.
    ///
    /// # Errors
    /// The browser has ended, or nobody listens where it was.
    async fn is_worth_trying(&self, held: &Held, until: Instant) -> Result<(), ApiError> {
        let loss = self.live().err();
        if let Some(loss) = loss
            && matches!(loss.code, Code::BrowserGone | Code::KeeperDied)
        {
            return Err(loss);
        }
        let goes_on = match *held.browser.state().borrow() {
            State::Reconnecting { .. } => true,
            State::Disconnected { .. } => false,
            _ => return Ok(()),
        };
        let Some(server) = local_server(&held.place).await else {
            return Ok(());
        };
        if !refuses(&server, until).await {
            return Ok(());
        }
        let hint = if goes_on {
            "it is tried by itself for a while: keeptab status --watch; or give it up: keeptab close"
        } else {
            "keeptab close, then: keeptab attach, or keeptab open URL"
        };
        Err(ApiError::new(
            Code::Disconnected,
            format!(
                "session \"{}\": nobody listens at {}:{} any more (connection refused), so its browser has \
                 ended or has closed its port",
                self.name(),
                server.0,
                server.1
            ),
        )
        .hint(hint))
    }
}

/// Host and port of a browser on this machine.
async fn local_server(place: &Place) -> Option<(String, u16)> {
    if is_remote(place) {
        return None;
    }
    match place {
        Place::Port { host, port } => Some((host.clone(), *port)),
        Place::Ws(url) => host_and_port(url),
        Place::Profile(dir) => {
            let from = ResolveOptions {
                profile_dir: Some(dir.clone()),
                ..ResolveOptions::default()
            };
            host_and_port(&resolve_ws_url(&from).await.ok()?)
        }
        Place::Keeper(_) | Place::Pipe => None,
    }
}

/// Whether a port refuses, and goes on to. Nothing is sent over a connection that is accepted, so that no
/// browser asks its person because of it.
async fn refuses((host, port): &(String, u16), until: Instant) -> bool {
    for attempt in 1..=REFUSALS {
        let tried = timeout_at(until, TcpStream::connect((host.as_str(), *port))).await;
        let refused = matches!(
            tried,
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused
        );
        if !refused {
            return false;
        }
        if attempt < REFUSALS {
            sleep(PAUSE).await;
        }
    }
    true
}

/// Of a URL; an IPv6 address comes without its brackets.
pub(super) fn host_and_port(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let server = authority.rsplit('@').next()?;
    let (host, port) = match server.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    let usual = if matches!(scheme, "wss" | "https") {
        443
    } else {
        80
    };
    let port = match port {
        Some(port) => port.parse().ok()?,
        None => usual,
    };
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_in_addresses() {
        for (url, host, port) in [
            ("ws://127.0.0.1:9222/devtools/browser/x", "127.0.0.1", 9222),
            ("ws://localhost", "localhost", 80),
            (
                "wss://user:key@cloud.example/x?token=1:2",
                "cloud.example",
                443,
            ),
            ("http://[::1]:9222/", "::1", 9222),
        ] {
            assert_eq!(host_and_port(url), Some((host.to_owned(), port)), "{url}");
        }
        assert_eq!(host_and_port("127.0.0.1:9222"), None);
        assert_eq!(host_and_port("ws://h:port/"), None);
    }
}
