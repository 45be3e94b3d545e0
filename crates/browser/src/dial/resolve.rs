//! From an endpoint to the address of its WebSocket.
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use keeptab_link::DialError;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::attempt::unreachable;
use super::http::exchange;
use super::refusal::classify;
use super::{Address, redacted};
use crate::find::{self, active_port};
use crate::transport::handshake::authorization;
use crate::transport::net;
use crate::{ConnectError, ConnectKind, Endpoint};

/// What [`resolve_ws_url`] starts from; exactly one of address, port and profile must be given.
#[derive(Debug, Clone, Default)]
pub struct ResolveOptions {
    /// A WebSocket address, given back as it is, or an HTTP address.
    pub ws_url: Option<String>,
    /// Host of [`ResolveOptions::port`]; `127.0.0.1` when absent.
    pub host: Option<String>,
    /// A DevTools port.
    pub port: Option<u16>,
    /// The profile directory of a running browser.
    pub profile_dir: Option<PathBuf>,
}

/// The WebSocket address of a browser.
///
/// Cancel safe.
///
/// # Errors
/// [`ConnectKind::Invalid`] when not exactly one thing to start from was given; else what reaching the
/// browser can fail with.
pub async fn resolve_ws_url(options: &ResolveOptions) -> Result<String, ConnectError> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let endpoint = match (&options.ws_url, options.port, &options.profile_dir) {
        (Some(url), None, None) => Endpoint::Ws(url.clone()),
        (None, Some(port), None) => Endpoint::Port {
            host: options
                .host
                .clone()
                .unwrap_or_else(|| "127.0.0.1".to_owned()),
            port,
        },
        (None, None, Some(dir)) => Endpoint::Profile(dir.clone()),
        _ => {
            let message = "give exactly one of wsUrl, port and profileDir";
            return Err(ConnectError::new(ConnectKind::Invalid, message));
        }
    };
    let resolved = resolve(&endpoint, Instant::now() + PATIENCE).await;
    let resolved =
        resolved.map_err(|error| ConnectError::from_dial(&endpoint.to_string(), error))?;
    Ok(resolved.address.to_string())
}

/// Where to dial.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) address: Address,
    /// Whether the browser asks its person first, where that is known.
    pub(super) asks: Option<bool>,
}

pub(super) async fn resolve(endpoint: &Endpoint, deadline: Instant) -> Result<Resolved, DialError> {
    match endpoint {
        Endpoint::Ws(url) => {
            let address = parse(url)?;
            if address.is_http {
                ask_version(&address, Whose::Theirs, deadline).await
            } else {
                Ok(Resolved {
                    address,
                    asks: None,
                })
            }
        }
        Endpoint::Port { host, port } => {
            let address = parse(&format!("http://{}:{port}/", bracketed(host)))?;
            ask_version(&address, Whose::Ours, deadline).await
        }
        Endpoint::Profile(dir) => from_profile(dir),
        Endpoint::Auto | Endpoint::Keeper(_) => Err(DialError::Gone {
            reason: format!("{endpoint} has no WebSocket address").into(),
        }),
    }
}

fn parse(url: &str) -> Result<Address, DialError> {
    Address::parse(url).map_err(|error| DialError::Refused {
        status: 0,
        reason: format!("{} is not an address: {error}", redacted(url)).into(),
    })
}

fn bracketed(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => host.to_owned(),
    }
}

fn from_profile(dir: &Path) -> Result<Resolved, DialError> {
    let active = active_port(dir).map_err(|error| {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => format!(
                "{} has no DevToolsActivePort, in which a browser says where it listens; one that was started with a \
                 fixed --remote-debugging-port writes none",
                dir.display()
            ),
            _ => error.to_string(),
        };
        DialError::Unreachable {
            reason: reason.into(),
        }
    })?;
    Ok(Resolved {
        address: parse(&active.ws_url())?,
        asks: Some(find::asks_its_person(dir)),
    })
}

/// Whose host name counts when the browser reports another one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The one we connected to: it is the browser itself, and says how it was addressed.
    Ours,
    /// The one in the answer: a service may hand out addresses elsewhere.
    Theirs,
}

/// Asks `/json/version`.
async fn ask_version(
    server: &Address,
    whose: Whose,
    deadline: Instant,
) -> Result<Resolved, DialError> {
    let asked = async {
        match get_version(server, &server.host_port()).await? {
            // Chromium answers to addresses and to localhost only; a container has a name.
            Version::BadHost(ip) => get_version(server, &ip).await,
            other => Ok(other),
        }
    };
    let version = timeout_at(deadline, asked).await;
    match version.map_err(|_| unreachable(server, "no answer to /json/version in time"))?? {
        Version::Url(url) => {
            let address = parse(&url)?;
            let theirs = whose == Whose::Theirs && !address.is_local();
            let address = if theirs {
                address
            } else {
                server.at(&address.path)
            };
            Ok(Resolved {
                address,
                asks: Some(false),
            })
        }
        // With remote debugging switched on at chrome://inspect there is no /json, and every WebSocket
        // is shown to the person at the browser.
        Version::Hidden => Ok(Resolved {
            address: server.at("/devtools/browser"),
            asks: Some(true),
        }),
        Version::BadHost(_) => Err(unreachable(server, "it does not accept our Host header")),
    }
}

enum Version {
    Url(String),
    /// 404 on this machine.
    Hidden,
    /// The browser does not like the host name; here is its address.
    BadHost(String),
}

async fn get_version(server: &Address, host: &str) -> Result<Version, DialError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answered {
        web_socket_debugger_url: String,
    }
    let (path, query) = match server.path.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (server.path.as_str(), String::new()),
    };
    let request = format!(
        "GET {}/json/version{query} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n{}\r\n",
        path.trim_end_matches('/'),
        authorization(server),
    );
    let failed = |error: io::Error| unreachable(server, &error.to_string());
    let mut stream = net::connect(server).await?;
    let peer = stream.peer();
    let answer = exchange(&mut stream, &request).await.map_err(failed)?;
    match answer.status {
        200 => {
            let body = answer.body(&mut stream).await.map_err(failed)?;
            let answered: Answered = serde_json::from_slice(&body)
                .map_err(|_| unreachable(server, "/json/version names no WebSocket address"))?;
            Ok(Version::Url(answered.web_socket_debugger_url))
        }
        404 if server.is_local() => Ok(Version::Hidden),
        500 if host.parse::<IpAddr>().is_err() && !server.is_local() => match peer {
            Some(peer) => Ok(Version::BadHost(peer.to_string())),
            None => Err(classify(answer, &mut stream).await),
        },
        _ => Err(classify(answer, &mut stream).await),
    }
}
