//! The HTTP part: reading heads, putting the right names in, and relaying a plain request such as `/json/version`.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No head of a DevTools client or server comes near this.
const LONGEST_HEAD: usize = 64 << 10;

/// The head of a request or a response, in lines, without the empty one.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) lines: Vec<String>,
}

impl Head {
    /// Reads up to and including the empty line, and nothing after it.
    pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Option<Self>> {
        let mut bytes = Vec::with_capacity(512);
        while !bytes.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if from.read(&mut byte).await? == 0 {
                return Ok(None);
            }
            bytes.push(byte[0]);
            if bytes.len() > LONGEST_HEAD {
                return Err(std::io::Error::other("an endless head"));
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(Some(Self {
            lines: text
                .lines()
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
        }))
    }

    /// A header's value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.lines.iter().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Sets a header, or takes it out.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) {
        let mut index = 0;
        self.lines.retain(|line| {
            index += 1;
            index == 1
                || !line
                    .split_once(':')
                    .is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
        });
        if let Some(value) = value {
            self.lines.push(format!("{name}: {value}"));
        }
    }

    /// Whether a client asks for a WebSocket here.
    pub(super) fn is_upgrade(&self) -> bool {
        self.get("upgrade")
            .is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
    }

    /// The status of a response; 0 when there is none.
    pub(super) fn status(&self) -> u16 {
        self.lines
            .first()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|s| s.parse().ok())
            .unwrap_or(0)
    }

    /// The wire form.
    pub(super) fn wire(&self) -> Vec<u8> {
        format!("{}\r\n\r\n", self.lines.join("\r\n")).into_bytes()
    }
}

/// Answers a request with a status and nothing else.
pub(super) async fn answer(
    client: &mut TcpStream,
    status: u16,
    retry_after: Option<Duration>,
) -> std::io::Result<()> {
    let retry = retry_after
        .map(|d| format!("Retry-After: {}\r\n", d.as_secs()))
        .unwrap_or_default();
    let text =
        format!("HTTP/1.1 {status} Fault\r\nContent-Length: 0\r\nConnection: close\r\n{retry}\r\n");
    client.write_all(text.as_bytes()).await?;
    client.shutdown().await
}

/// Relays one plain request and its answer, in which the upstream's address becomes the proxy's.
pub(super) async fn relay(
    client: &mut TcpStream,
    mut upstream: TcpStream,
    mut request: Head,
    own: SocketAddr,
    target: &str,
) -> std::io::Result<()> {
    request.set("Host", Some(target));
    request.set("Connection", Some("close"));
    upstream.write_all(&request.wire()).await?;
    if let Some(length) = request
        .get("content-length")
        .and_then(|text| text.parse().ok())
    {
        let mut body = (&mut *client).take(length);
        tokio::io::copy(&mut body, &mut upstream).await?;
    }
    let Some(mut response) = Head::read(&mut upstream).await? else {
        return Ok(());
    };
    let mut body = Vec::new();
    match response
        .get("content-length")
        .and_then(|text| text.parse::<u64>().ok())
    {
        Some(length) => (&mut upstream).take(length).read_to_end(&mut body).await?,
        None => upstream.read_to_end(&mut body).await?,
    };
    if let Ok(text) = std::str::from_utf8(&body) {
        body = text.replace(target, &own.to_string()).into_bytes();
    }
    response.set("Content-Length", Some(&body.len().to_string()));
    response.set("Connection", Some("close"));
    client.write_all(&response.wire()).await?;
    client.write_all(&body).await?;
    client.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reads_and_changes_a_head() {
        let wire = b"GET /x HTTP/1.1\r\nHost: a:1\r\nUPGRADE: WebSocket\r\n\r\nrest";
        let mut from = &wire[..];
        let mut head = Head::read(&mut from).await.unwrap().unwrap();
        assert_eq!(from, b"rest");
        assert!(head.is_upgrade());
        head.set("host", Some("b:2"));
        assert_eq!(head.get("Host"), Some("b:2"));
        assert_eq!(head.lines[0], "GET /x HTTP/1.1");
    }

    #[tokio::test]
    async fn a_status_is_read() {
        let head = Head::read(&mut &b"HTTP/1.1 503 Busy\r\n\r\n"[..])
            .await
            .unwrap()
            .unwrap();
        assert_eq!(head.status(), 503);
    }
}
