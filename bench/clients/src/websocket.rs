//! A WebSocket client with nothing left out that Chromium needs, and nothing more.

use crate::Wire;
use keeptab_bench_kit::Failure;
use std::io::{Read, Write};
use std::net::TcpStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What is read at a time.
const READ: usize = 128 << 10;

/// A TCP connection that blocks, or one that waits in a runtime.
pub trait Stream: Send + Sized {
    /// Connects to `host:port`.
    ///
    /// # Errors
    /// As the system says.
    fn connect(host: &str) -> impl Future<Output = std::io::Result<Self>> + Send;

    /// Reads what is there, and waits until there is something.
    ///
    /// # Errors
    /// As the system says.
    fn read(&mut self, into: &mut [u8]) -> impl Future<Output = std::io::Result<usize>> + Send;

    /// Writes everything.
    ///
    /// # Errors
    /// As the system says.
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = std::io::Result<()>> + Send;
}

impl Stream for TcpStream {
    async fn connect(host: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        Read::read(self, into)
    }

    async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.write_all(bytes)
    }
}

impl Stream for tokio::net::TcpStream {
    async fn connect(host: &str) -> std::io::Result<Self> {
        let stream = tokio::net::TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        AsyncReadExt::read(self, into).await
    }

    async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.write_all(bytes).await
    }
}

/// An open connection.
#[derive(Debug)]
pub struct WebSocket<S> {
    stream: S,
    out: Vec<u8>,
    input: Vec<u8>,
    from: usize,
    to: usize,
}

impl<S: Stream> WebSocket<S> {
    /// Connects to a `ws://` address.
    ///
    /// # Errors
    /// [`Failure`] when there is nobody, or it is no WebSocket.
    pub async fn connect(url: &str) -> Result<Self, Failure> {
        let rest = url.strip_prefix("ws://").ok_or("not a ws:// address")?;
        let (host, path) = rest.split_once('/').ok_or("no path")?;
        let mut stream = S::connect(host).await?;
        // The key may be any sixteen bytes; a browser on this machine is not checked for its answer to it.
        let request = format!(
            "GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a2VlcHRhYiBmbG9vciE=\r\n\r\n"
        );
        stream.write(request.as_bytes()).await?;
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte).await? == 0 {
                return Err(Failure("the browser hung up".into()));
            }
            head.push(byte[0]);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(Failure(String::from_utf8_lossy(&head).into_owned()));
        }
        Ok(Self {
            stream,
            out: Vec::new(),
            input: vec![0; READ],
            from: 0,
            to: 0,
        })
    }

    /// Makes sure that so many bytes are in the buffer.
    async fn need(&mut self, bytes: usize) -> Result<(), Failure> {
        if self.from + bytes > self.input.len() {
            self.input.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
            if bytes > self.input.len() {
                self.input.resize(bytes, 0);
            }
        }
        while self.to - self.from < bytes {
            match self.stream.read(&mut self.input[self.to..]).await? {
                0 => return Err(Failure("the browser is gone".into())),
                n => self.to += n,
            }
        }
        Ok(())
    }
}

impl<S: Stream> Wire for WebSocket<S> {
    async fn send(&mut self, message: &str) -> Result<(), Failure> {
        self.out.clear();
        self.out.push(0x81);
        // A mask of zeros is a mask: the payload goes out as it is.
        match message.len() {
            short @ 0..126 => self.out.push(0x80 | short as u8),
            middle @ 126..65536 => {
                self.out.push(0x80 | 126);
                self.out.extend((middle as u16).to_be_bytes());
            }
            long => {
                self.out.push(0x80 | 127);
                self.out.extend((long as u64).to_be_bytes());
            }
        }
        self.out.extend([0; 4]);
        self.out.extend(message.as_bytes());
        Ok(self.stream.write(&self.out).await?)
    }

    async fn receive(&mut self) -> Result<&[u8], Failure> {
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
        }
        self.need(2).await?;
        let short = self.input[self.from + 1];
        let head = match short {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        self.need(head).await?;
        let length = self.input[self.from + 2..self.from + head]
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let length = if head == 2 {
            usize::from(short)
        } else {
            length
        };
        if self.input[self.from] != 0x81 {
            return Err(Failure(format!(
                "an unexpected frame {:#x}",
                self.input[self.from]
            )));
        }
        self.need(head + length).await?;
        let begin = self.from + head;
        self.from = begin + length;
        Ok(&self.input[begin..begin + length])
    }
}
