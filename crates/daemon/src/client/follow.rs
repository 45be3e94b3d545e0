//! An answer that has no end: lines, as they come.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::api::Envelope;
use crate::error::{ApiError, Code};
use crate::version::CLIENT_HEADER;

/// The longest line of a head or piece that is believed.
const MAX_HEAD_LINE: u64 = 64 * 1024;
/// The longest event that is believed, in bytes.
const MAX_EVENT: usize = 64 << 20;

/// Events of the daemon, one JSON object each.
#[derive(Debug)]
pub struct Lines {
    stream: BufReader<UnixStream>,
    /// Bytes of the present piece that were not read.
    left: usize,
    /// The piece's closing line end was not read.
    open: bool,
    over: bool,
}

impl Lines {
    /// Sends the request and reads the head of the answer.
    ///
    /// # Errors
    /// What the daemon reports instead of events, or why it could not be asked.
    pub(super) fn open(
        mut stream: UnixStream,
        path: &str,
        build: &str,
        limit: Duration,
    ) -> Result<Self, ApiError> {
        // Only for the head: between events nothing may come for hours.
        stream
            .set_read_timeout(Some(limit))
            .map_err(|error| broken(&error))?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: keeptab\r\n{CLIENT_HEADER}: {build}\r\nconnection: close\r\n\r\n"
        );
        stream
            .write_all(request.as_bytes())
            .map_err(|error| broken(&error))?;
        let mut lines = Lines {
            stream: BufReader::new(stream),
            left: 0,
            open: false,
            over: false,
        };
        let status = lines.head_line()?;
        let mut chunked = false;
        loop {
            let line = lines.head_line()?;
            if line.is_empty() {
                break;
            }
            let line = line.to_ascii_lowercase();
            chunked |= line.starts_with("transfer-encoding:") && line.ends_with("chunked");
        }
        if status.split(' ').nth(1) == Some("200") && chunked {
            let endless = lines.stream.get_ref().set_read_timeout(None);
            endless.map_err(|error| broken(&error))?;
            return Ok(lines);
        }
        Err(lines.refusal())
    }

    fn refusal(&mut self) -> ApiError {
        let mut body = Vec::new();
        let read = (&mut self.stream)
            .take(MAX_HEAD_LINE)
            .read_to_end(&mut body);
        let envelope = read
            .ok()
            .and_then(|_| serde_json::from_slice::<Envelope<'_>>(&body).ok());
        envelope
            .and_then(|envelope| envelope.error)
            .unwrap_or_else(|| nonsense("no events and no error"))
    }

    fn head_line(&mut self) -> Result<String, ApiError> {
        let mut line = String::new();
        let read = (&mut self.stream).take(MAX_HEAD_LINE).read_line(&mut line);
        match read {
            Ok(0) => Err(nonsense("it hung up")),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(error) => Err(broken(&error)),
        }
    }

    /// The next event; `None` when the daemon ended. Waits as long as it takes.
    ///
    /// # Errors
    /// The connection failed, or what comes makes no sense.
    pub fn next_line(&mut self) -> Result<Option<String>, ApiError> {
        let mut line = Vec::new();
        while self.more()? {
            let buffer = match self.stream.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(broken(&error)),
            };
            if buffer.is_empty() {
                self.over = true;
                break;
            }
            let here = &buffer[..buffer.len().min(self.left)];
            let end = here.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(here.len(), |end| end + 1);
            line.extend_from_slice(&here[..taken]);
            self.stream.consume(taken);
            self.left -= taken;
            if end.is_some() {
                line.pop();
                return String::from_utf8(line)
                    .map(Some)
                    .map_err(|_| nonsense("an event is not text"));
            }
            if line.len() > MAX_EVENT {
                return Err(nonsense("an event has no end"));
            }
        }
        Ok(None)
    }

    /// Whether there is something to read, now or later.
    fn more(&mut self) -> Result<bool, ApiError> {
        while self.left == 0 && !self.over {
            if std::mem::take(&mut self.open) && !self.head_line()?.is_empty() {
                return Err(nonsense("a piece is longer than it says"));
            }
            let mut size = String::new();
            let read = (&mut self.stream).take(MAX_HEAD_LINE).read_line(&mut size);
            if read.map_err(|error| broken(&error))? == 0 {
                // It was killed; that is an end as well.
                self.over = true;
                break;
            }
            let size = size.trim_end().split(';').next().unwrap_or_default();
            self.left =
                usize::from_str_radix(size, 16).map_err(|_| nonsense("a piece has no length"))?;
            self.open = self.left > 0;
            self.over = self.left == 0;
        }
        Ok(!self.over)
    }
}

fn broken(error: &io::Error) -> ApiError {
    ApiError::new(
        Code::NoDaemon,
        format!("the connection to the daemon failed: {error}"),
    )
    .hint("keeptab daemon status")
}

fn nonsense(what: &str) -> ApiError {
    ApiError::new(
        Code::Internal,
        format!("cannot read the daemon's answer: {what}"),
    )
    .hint("keeptab daemon restart")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(pieces: &'static [&'static [u8]]) -> Result<Vec<String>, ApiError> {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let server = std::thread::spawn(move || {
            let mut request = [0; 4096];
            let _ = theirs.read(&mut request).unwrap();
            for piece in pieces {
                theirs.write_all(piece).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        });
        let mut all = Vec::new();
        let outcome =
            Lines::open(ours, "/v1/events", "b", Duration::from_secs(60)).and_then(|mut lines| {
                while let Some(line) = lines.next_line()? {
                    all.push(line);
                }
                Ok(())
            });
        server.join().unwrap();
        outcome.map(|()| all)
    }

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn events_are_put_together_from_pieces_of_any_size() {
        let lines = answered(&[
            HEAD,
            b"3\r\n{\"a\r\n",
            b"8\r\n\":1}\n{\"b\r\n4\r\n\":2}\r\n1",
            b"\r\n\n\r\n0\r\n\r\n",
        ]);
        assert_eq!(lines.unwrap(), ["{\"a\":1}", "{\"b\":2}"]);
    }

    #[test]
    fn a_daemon_that_is_killed_is_an_end() {
        assert_eq!(
            answered(&[HEAD, b"2\r\n{}\r\n1\r\n\n\r\n"]).unwrap(),
            ["{}"]
        );
        assert_eq!(answered(&[HEAD, b"9\r\n{}\n"]).unwrap(), ["{}"]);
    }

    #[test]
    fn an_error_instead_of_events_is_that_error() {
        let error = answered(&[
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 70\r\n\r\n",
            br#"{"ok":false,"error":{"code":"no_such_session","message":"there is no"}}"#,
        ])
        .unwrap_err();
        assert_eq!(error.code, Code::NoSuchSession);
    }

    #[test]
    fn nonsense_is_named() {
        let error = answered(&[HEAD, b"many\r\n{}\r\n"]).unwrap_err();
        assert!(error.to_string().contains("length"), "{error}");
    }
}
