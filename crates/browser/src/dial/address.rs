//! The address of a server, as far as a CDP client needs URLs.
use std::fmt;

/// Where to connect to and what to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) tls: bool,
    /// `user:password`, as written.
    pub(crate) user_info: Option<String>,
    /// Name or address; an IPv6 address without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query, beginning with `/`.
    pub(crate) path: String,
    /// Whether the scheme was `http` or `https`.
    pub(crate) is_http: bool,
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadAddress {
    #[error("it must begin with ws://, wss://, http:// or https://")]
    Scheme,
    #[error("it has no host name")]
    Host,
    #[error("its port is not a number from 1 to 65535")]
    Port,
    #[error("it holds a space or a control character")]
    Character,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, BadAddress> {
        if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(BadAddress::Character);
        }
        let (scheme, rest) = url.split_once("://").ok_or(BadAddress::Scheme)?;
        let (tls, is_http) = match scheme.to_ascii_lowercase().as_str() {
            "ws" => (false, false),
            "wss" => (true, false),
            "http" => (false, true),
            "https" => (true, true),
            _ => return Err(BadAddress::Scheme),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (user_info, host_port) = match authority.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, authority),
        };
        let (host, port) = split_port(host_port)?;
        if host.is_empty() {
            return Err(BadAddress::Host);
        }
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        Ok(Self {
            tls,
            user_info,
            host: host.to_owned(),
            port: port.unwrap_or(if tls { 443 } else { 80 }),
            path,
            is_http,
        })
    }

    /// The same server, another path.
    pub(crate) fn at(&self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..self.clone()
        }
    }

    /// Host and port as they stand in a `Host` header.
    pub(crate) fn host_port(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        let host = bracketed(&self.host);
        if self.port == usual {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// The path without its query: who is meant, without what may be secret.
    pub(crate) fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Whether the host is this machine.
    pub(crate) fn is_local(&self) -> bool {
        match self.host.parse::<std::net::IpAddr>() {
            Ok(ip) => ip.is_loopback(),
            Err(_) => {
                let host = self.host.to_ascii_lowercase();
                host == "localhost" || host.ends_with(".localhost")
            }
        }
    }
}

impl fmt::Display for Address {
    /// The whole address, as a WebSocket URL. May hold secrets: see [`redacted`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "wss" } else { "ws" };
        write!(f, "{scheme}://")?;
        if let Some(user) = &self.user_info {
            write!(f, "{user}@")?;
        }
        write!(f, "{}{}", self.host_port(), self.path)
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

fn split_port(host_port: &str) -> Result<(&str, Option<u16>), BadAddress> {
    let (host, port) = if let Some(rest) = host_port.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(BadAddress::Host)?;
        (host, rest.strip_prefix(':'))
    } else {
        match host_port.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (host_port, None),
        }
    };
    let port = match port {
        None | Some("") => None,
        Some(text) => match text.parse::<u16>() {
            Ok(port) if port > 0 => Some(port),
            _ => return Err(BadAddress::Port),
        },
    };
    Ok((host, port))
}

/// An address without user info and query, which may be secret.
pub(crate) fn redacted(url: &str) -> String {
    match Address::parse(url) {
        Ok(address) => {
            let query = if address.path.contains('?') {
                "?…"
            } else {
                ""
            };
            let bare = Address {
                user_info: None,
                path: address.bare_path().to_owned(),
                ..address
            };
            format!("{bare}{query}")
        }
        Err(_) => "an address that cannot be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_address() {
        let address = Address::parse("ws://127.0.0.1:9222/devtools/browser/u-1").expect("address");
        assert_eq!(address.host, "127.0.0.1");
        assert_eq!(address.port, 9222);
        assert_eq!(address.path, "/devtools/browser/u-1");
        assert!(!address.tls && !address.is_http && address.is_local());

        let address = Address::parse("wss://u:p%40@cloud.example?token=s").expect("address");
        assert_eq!(address.user_info.as_deref(), Some("u:p%40"));
        assert_eq!(
            (address.host.as_str(), address.port),
            ("cloud.example", 443)
        );
        assert_eq!(address.path, "/?token=s");
        assert_eq!(address.host_port(), "cloud.example");
        assert_eq!(address.bare_path(), "/");
        assert!(!address.is_local());

        let address = Address::parse("HTTP://[::1]:9222").expect("address");
        assert_eq!((address.host.as_str(), address.port), ("::1", 9222));
        assert_eq!(address.host_port(), "[::1]:9222");
        assert!(address.is_http && address.is_local());
        assert_eq!(address.to_string(), "ws://[::1]:9222/");
    }

    #[test]
    fn what_is_not_an_address() {
        for (text, why) in [
            ("localhost:9222", BadAddress::Scheme),
            ("ftp://host/", BadAddress::Scheme),
            ("ws://", BadAddress::Host),
            ("ws://:1/", BadAddress::Host),
            ("ws://h:0/", BadAddress::Port),
            ("ws://h:70000/", BadAddress::Port),
            ("ws://[::1/", BadAddress::Host),
            ("ws://h/\r\nX: y", BadAddress::Character),
        ] {
            assert_eq!(Address::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn secrets_are_left_out() {
        let shown = redacted("wss://me:secret@cloud.example/x?token=secret#secret");
        assert_eq!(shown, "wss://cloud.example/x?…");
        assert!(!redacted("me:secret@host").contains("secret"));
    }
}
