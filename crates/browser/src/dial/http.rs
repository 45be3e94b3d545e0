//! The little HTTP that reaching a browser takes: one request, one answer.
use std::io;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The head of an answer, and what was read beyond it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) rest: BytesMut,
}

const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;
const MAX_BODY: usize = 1024 * 1024;

/// Sends a request and reads the head of the answer.
pub(crate) async fn exchange<S>(stream: &mut S, request: &str) -> io::Result<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    send(stream, request).await?;
    read_head(stream).await
}

pub(crate) async fn send<S>(stream: &mut S, request: &str) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await
}

/// Reads the head of an answer.
pub(crate) async fn read_head<S>(stream: &mut S) -> io::Result<Answer>
where
    S: AsyncRead + Unpin,
{
    let mut buffer = BytesMut::with_capacity(4096);
    loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the connection was closed before an answer came",
            ));
        }
        if let Some(answer) = parse_head(&mut buffer)? {
            return Ok(answer);
        }
        if buffer.len() > MAX_HEAD {
            return Err(invalid("its headers are too long"));
        }
    }
}

fn parse_head(buffer: &mut BytesMut) -> io::Result<Option<Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let size = match response.parse(buffer) {
        Ok(httparse::Status::Complete(size)) => size,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(invalid(&format!("not HTTP ({error})"))),
    };
    let headers = response.headers.iter().map(|header| {
        let value = String::from_utf8_lossy(header.value).trim().to_owned();
        (header.name.to_ascii_lowercase(), value)
    });
    let answer = Answer {
        status: response.code.unwrap_or_default(),
        headers: headers.collect(),
        rest: BytesMut::new(),
    };
    buffer.advance(size);
    Ok(Some(Answer {
        rest: std::mem::take(buffer),
        ..answer
    }))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Answer {
    /// A header by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }

    /// `Retry-After`, where it is a number of seconds.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let seconds = self.header("retry-after")?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    /// Reads the body, at most 1 MiB of it.
    pub(crate) async fn body<S: AsyncRead + Unpin>(
        mut self,
        stream: &mut S,
    ) -> io::Result<Vec<u8>> {
        let chunked = self
            .header("transfer-encoding")
            .is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
        let length = self
            .header("content-length")
            .and_then(|value| value.parse::<usize>().ok());
        loop {
            let whole = match length {
                _ if chunked => dechunked(&self.rest),
                Some(length) if self.rest.len() >= length => Some(self.rest[..length].to_vec()),
                _ => None,
            };
            if let Some(whole) = whole {
                return Ok(whole);
            }
            if self.rest.len() > MAX_BODY {
                return Err(invalid("its body is too long"));
            }
            if stream.read_buf(&mut self.rest).await? == 0 {
                return match length {
                    None if !chunked => Ok(self.rest.to_vec()),
                    _ => Err(io::ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }
}

/// The body of a chunked answer, once all of it is there.
fn dechunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Ok(httparse::Status::Complete((head, size))) = httparse::parse_chunk_size(rest) else {
            return None;
        };
        if size == 0 {
            return Some(body);
        }
        let size = usize::try_from(size).ok()?;
        let chunk = rest.get(head..)?.get(..size)?;
        body.extend_from_slice(chunk);
        // Each chunk ends with a line break.
        rest = rest.get(head + size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(answer: &str) -> io::Result<(u16, Vec<u8>)> {
        let (mut ours, mut theirs) = tokio::io::duplex(64);
        let answer = answer.to_owned();
        let server = tokio::spawn(async move {
            let mut asked = [0; 3];
            theirs.read_exact(&mut asked).await.expect("request");
            // A client that refuses the answer may have gone before all of it is written.
            let _ = theirs.write_all(answer.as_bytes()).await;
        });
        let head = exchange(&mut ours, "GET").await?;
        let status = head.status;
        let body = head.body(&mut ours).await?;
        server.await.expect("server");
        Ok((status, body))
    }

    #[tokio::test]
    async fn bodies_of_every_kind() {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.0 200 OK\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        ] {
            let (status, body) = ask(answer).await.expect("answer");
            assert_eq!((status, body.as_slice()), (200, &b"hello"[..]), "{answer}");
        }
    }

    #[tokio::test]
    async fn answers_that_are_none() {
        assert!(ask("\0\0\0 nonsense\r\n\r\n").await.is_err());
        assert!(
            ask("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
                .await
                .is_err()
        );
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(MAX_HEAD + 10));
        assert!(ask(&endless).await.is_err());
    }
}
