//! How a WebSocket begins (RFC 6455, 4.1).
use std::hash::{BuildHasher, RandomState};

use bytes::BytesMut;
use data_encoding::BASE64;
use keeptab_link::DialError;
use sha1::{Digest, Sha1};

use crate::dial::{Address, Answer};

/// Added to the key by every server, so that one which is none is noticed.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The request that turns a connection into a WebSocket, and the answer it must bring.
pub(crate) struct Upgrade {
    pub(crate) request: String,
    accept: String,
}

impl Upgrade {
    /// No `Origin`, because Chromium refuses every origin but its own; and no compression, because on one
    /// machine it costs more than it saves.
    pub(crate) fn new(address: &Address) -> Self {
        let key = BASE64.encode(&nonce());
        let accept = BASE64.encode(&Sha1::digest(format!("{key}{GUID}")));
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{}\r\n",
            address.path,
            address.host_port(),
            authorization(address),
        );
        Self { request, accept }
    }

    /// Whether the server agreed; what it has sent already, if so.
    pub(crate) fn check(&self, answer: Answer) -> Result<BytesMut, DialError> {
        let has = |name: &str, wanted: &str| {
            let value = answer.header(name).unwrap_or_default();
            value
                .split(',')
                .any(|part| part.trim().eq_ignore_ascii_case(wanted))
        };
        let agreed = answer.status == 101
            && has("upgrade", "websocket")
            && has("connection", "upgrade")
            && answer.header("sec-websocket-accept") == Some(&self.accept)
            && answer.header("sec-websocket-extensions").is_none();
        if agreed {
            Ok(answer.rest)
        } else {
            Err(DialError::Refused {
                status: answer.status,
                reason: "the server does not speak WebSocket as asked".into(),
            })
        }
    }
}

/// The `Authorization` header for an address with user info, with its line end; else nothing.
pub(crate) fn authorization(address: &Address) -> String {
    match &address.user_info {
        Some(user) => {
            let user = percent_decoded(user);
            let user = if user.contains(&b':') {
                user
            } else {
                [&user[..], b":"].concat()
            };
            format!("Authorization: Basic {}\r\n", BASE64.encode(&user))
        }
        None => String::new(),
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(byte) => {
                out.push(byte);
                rest = &after[2..];
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    out
}

/// Sixteen bytes nobody else uses. They need not be secret, only different.
fn nonce() -> [u8; 16] {
    let hash = RandomState::new();
    let (a, b) = (
        hash.hash_one(1_u8).to_ne_bytes(),
        hash.hash_one(2_u8).to_ne_bytes(),
    );
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&a);
    nonce[8..].copy_from_slice(&b);
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_no_origin_and_no_extensions() {
        let address = Address::parse("ws://ada:p%3Aw@127.0.0.1:9222/devtools/browser/u?x=1")
            .expect("address");
        let request = Upgrade::new(&address).request;
        assert!(
            request.starts_with("GET /devtools/browser/u?x=1 HTTP/1.1\r\nHost: 127.0.0.1:9222\r\n")
        );
        assert!(request.ends_with("\r\n\r\n"));
        assert!(!request.contains("Origin") && !request.contains("Extensions"));
        // "ada:p:w"
        assert!(
            request.contains("Authorization: Basic YWRhOnA6dw==\r\n"),
            "{request}"
        );
        assert_ne!(
            request,
            Upgrade::new(&address).request,
            "each key is used once"
        );
    }
}
