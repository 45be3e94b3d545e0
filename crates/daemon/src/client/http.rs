//! One HTTP/1.1 request and its response over a blocking Unix socket.
//!
//! The daemon is the only server this ever meets: it sends `Content-Length` and no chunks.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::patience::Patience;
use crate::version::{CLIENT_HEADER, NOTICE_HEADER};

/// What the daemon sends back at most, in bytes; a bound against a runaway, not a promise.
const MAX_RESPONSE: usize = 1 << 30;
const MAX_HEAD: usize = 64 * 1024;

/// What a request does: reads have no effect and may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Does something.
    Post,
}

/// The daemon's answer as it came.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// What the daemon wants people to know besides.
    pub notice: Option<String>,
    /// The JSON envelope.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// Not one byte of the request was taken, so nothing happened.
    #[error("the daemon hung up before the request")]
    NotTaken,
    /// The connection ended before the answer was complete.
    #[error("the daemon hung up before its answer")]
    HungUp,
    #[error("the daemon did not answer in time")]
    TimedOut,
    /// It is stopped, or answers nothing at all.
    #[error("the daemon does not answer")]
    NotThere,
    #[error("the daemon's answer is not HTTP as we speak it: {0}")]
    Malformed(&'static str),
    #[error(transparent)]
    Io(io::Error),
}

/// Sends one request and reads the whole answer, all within `patience`.
pub(crate) fn exchange(
    stream: &mut UnixStream,
    method: Method,
    path: &str,
    build: &str,
    body: &[u8],
    patience: Duration,
) -> Result<Response, HttpError> {
    let patience = Patience::plain(patience);
    exchange_with(stream, method, path, build, body, patience)
}

/// As [`exchange`], and looks in between whether the daemon is there at all.
pub(crate) fn exchange_with(
    stream: &mut UnixStream,
    method: Method,
    path: &str,
    build: &str,
    body: &[u8],
    mut patience: Patience<'_>,
) -> Result<Response, HttpError> {
    let verb = match method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let mut request = Vec::with_capacity(256 + body.len());
    // Writing to a Vec cannot fail.
    let _ = write!(
        request,
        "{verb} {path} HTTP/1.1\r\nhost: keeptab\r\n{CLIENT_HEADER}: {build}\r\nconnection: close\r\n"
    );
    if method == Method::Post {
        let _ = write!(
            request,
            "content-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        );
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body);

    let written = send(stream, &request, &mut patience)?;
    let response = receive(stream, &mut patience);
    match response {
        // A refusal may come before the whole body is read (413), so look for it first.
        Err(HttpError::HungUp) if written == 0 => Err(HttpError::NotTaken),
        other => other,
    }
}

/// Returns how many bytes were taken; hanging up half-way is not an error yet.
fn send(
    stream: &mut UnixStream,
    bytes: &[u8],
    patience: &mut Patience<'_>,
) -> Result<usize, HttpError> {
    let mut sent = 0;
    while sent < bytes.len() {
        stream
            .set_write_timeout(Some(patience.next()?))
            .map_err(HttpError::Io)?;
        match stream.write(&bytes[sent..]) {
            Ok(0) => break,
            Ok(n) => sent += n,
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted
                | io::ErrorKind::WouldBlock
                | io::ErrorKind::TimedOut => {}
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => break,
                _ => return Err(HttpError::Io(error)),
            },
        }
    }
    Ok(sent)
}

fn receive(stream: &mut UnixStream, patience: &mut Patience<'_>) -> Result<Response, HttpError> {
    let mut buffer = Vec::with_capacity(4096);
    let (head, mut response, length) = loop {
        read_some(stream, &mut buffer, 4096, patience)?;
        if let Some(parsed) = parse_head(&buffer)? {
            break parsed;
        }
        if buffer.len() > MAX_HEAD {
            return Err(HttpError::Malformed("endless header"));
        }
    };
    buffer.drain(..head);
    buffer.reserve_exact(length.saturating_sub(buffer.len()));
    while buffer.len() < length {
        let missing = length - buffer.len();
        read_some(stream, &mut buffer, missing.min(1 << 20), patience)?;
    }
    buffer.truncate(length);
    response.body = buffer;
    Ok(response)
}

fn read_some(
    stream: &mut UnixStream,
    buffer: &mut Vec<u8>,
    at_most: usize,
    patience: &mut Patience<'_>,
) -> Result<(), HttpError> {
    stream
        .set_read_timeout(Some(patience.next()?))
        .map_err(HttpError::Io)?;
    let before = buffer.len();
    buffer.resize(before + at_most, 0);
    let outcome = stream.read(&mut buffer[before..]);
    buffer.truncate(before + *outcome.as_ref().unwrap_or(&0));
    match outcome {
        Ok(0) => Err(HttpError::HungUp),
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                Ok(())
            }
            // On Linux a Unix socket resets only when its peer had not read all that was sent: a daemon
            // that was killed before it took the request.
            io::ErrorKind::ConnectionReset if before == 0 && cfg!(target_os = "linux") => {
                Err(HttpError::NotTaken)
            }
            io::ErrorKind::ConnectionReset => Err(HttpError::HungUp),
            _ => Err(HttpError::Io(error)),
        },
    }
}

/// The length of the head, the answer without its body, and the length of the body.
fn parse_head(bytes: &[u8]) -> Result<Option<(usize, Response, usize)>, HttpError> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let used = match head.parse(bytes) {
        Ok(httparse::Status::Complete(used)) => used,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(HttpError::Malformed("no status line")),
    };
    let mut length = None;
    let mut notice = None;
    for header in head.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            length = std::str::from_utf8(header.value)
                .ok()
                .and_then(|text| text.parse().ok());
        } else if header.name.eq_ignore_ascii_case(NOTICE_HEADER) {
            notice = Some(String::from_utf8_lossy(header.value).into_owned());
        }
    }
    let length = length.ok_or(HttpError::Malformed("no length"))?;
    if length > MAX_RESPONSE {
        return Err(HttpError::Malformed("an answer beyond all bounds"));
    }
    let status = head.code.ok_or(HttpError::Malformed("no status"))?;
    Ok(Some((
        used,
        Response {
            status,
            notice,
            body: Vec::new(),
        },
        length,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(pieces: &'static [&'static [u8]]) -> Result<Response, HttpError> {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let server = std::thread::spawn(move || {
            let mut request = [0; 4096];
            let _ = theirs.read(&mut request).unwrap();
            for piece in pieces {
                theirs.write_all(piece).unwrap();
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let answer = exchange(
            &mut ours,
            Method::Post,
            "/v1/x",
            "b",
            b"{}",
            Duration::from_secs(20),
        );
        server.join().unwrap();
        answer
    }

    #[test]
    fn an_answer_in_pieces_is_put_together() {
        let response = answered(&[
            b"HTTP/1.1 200 OK\r\ncontent-",
            b"length: 5\r\nKeeptab-Notice: old\r\n\r\nhe",
            b"llo",
        ])
        .unwrap();
        assert_eq!(
            (response.status, response.body.as_slice()),
            (200, b"hello".as_slice())
        );
        assert_eq!(response.notice.as_deref(), Some("old"));
    }

    #[test]
    fn half_an_answer_is_not_an_answer() {
        let cut = answered(&[b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe"]);
        assert!(matches!(cut, Err(HttpError::HungUp)), "{cut:?}");
        let nothing = answered(&[]);
        assert!(matches!(nothing, Err(HttpError::HungUp)), "{nothing:?}");
    }

    #[test]
    fn a_refusal_before_the_body_was_read_is_seen() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let server = std::thread::spawn(move || {
            let mut some = [0; 100];
            theirs.read_exact(&mut some).unwrap();
            theirs
                .write_all(b"HTTP/1.1 413 Payload Too Large\r\ncontent-length: 2\r\n\r\n{}")
                .unwrap();
        });
        let body = vec![b'x'; 8 << 20];
        let answer = exchange(
            &mut ours,
            Method::Post,
            "/v1/x",
            "b",
            &body,
            Duration::from_secs(20),
        );
        server.join().unwrap();
        assert_eq!(answer.unwrap().status, 413);
    }

    #[test]
    fn silence_ends_at_the_deadline() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let answer = exchange(
            &mut ours,
            Method::Get,
            "/v1/x",
            "b",
            b"",
            Duration::from_millis(50),
        );
        assert!(matches!(answer, Err(HttpError::TimedOut)), "{answer:?}");
        drop(theirs);
    }

    #[test]
    fn nonsense_is_named() {
        let nonsense = answered(&[b"SSH-2.0-OpenSSH\r\n\r\n"]);
        assert!(
            matches!(nonsense, Err(HttpError::Malformed(_))),
            "{nonsense:?}"
        );
    }
}
