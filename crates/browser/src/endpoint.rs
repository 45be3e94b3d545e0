//! Where a browser is.
use std::fmt;
use std::path::PathBuf;

use crate::{ConnectError, ConnectKind};

/// Where to reach a browser. The address is looked up again before every attempt to connect, so a
/// browser that moved to another port is found again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// A WebSocket address, `ws://…/devtools/browser/<uuid>` or `wss://…`. An `http://` or
    /// `https://` address is asked for its WebSocket address at `/json/version`.
    Ws(String),
    /// A DevTools port, asked for its WebSocket address at `/json/version`.
    Port {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// A profile directory of a running browser, in which `DevToolsActivePort` says where.
    Profile(PathBuf),
    /// The browser on this machine that was started last with remote debugging switched on. Once it
    /// is found, the session stays with it.
    Auto,
    /// The Unix socket of a keeper process.
    Keeper(PathBuf),
}

impl Endpoint {
    /// A DevTools port on this machine.
    pub fn port(port: u16) -> Self {
        Self::Port {
            host: "127.0.0.1".into(),
            port,
        }
    }
}

impl Endpoint {
    /// Whether it can be one at all, before anybody is asked.
    pub(crate) fn check(&self) -> Result<(), ConnectError> {
        let why = match self {
            Self::Ws(url) => match crate::dial::Address::parse(url) {
                Ok(_) => return Ok(()),
                Err(why) => format!("this is not the address of a browser: {why}"),
            },
            Self::Port { port: 0, .. } => "a port is a number from 1 to 65535".to_owned(),
            _ => return Ok(()),
        };
        Err(ConnectError::new(ConnectKind::Invalid, why))
    }
}

impl fmt::Display for Endpoint {
    /// For people and logs: user info and query of an address are left out, as they may be secret; the socket
    /// of a keeper, as it says nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ws(url) => f.write_str(&crate::dial::redacted(url)),
            Self::Port { host, port } => write!(f, "{host}:{port}"),
            Self::Profile(dir) => write!(f, "profile {}", dir.display()),
            Self::Auto => f.write_str("the running browser"),
            Self::Keeper(_) => f.write_str("the browser's keeper"),
        }
    }
}
