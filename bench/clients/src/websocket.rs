//! A WebSocket client with nothing left out that Chromium needs, and nothing more.

use crate::Wire;
use keeptab_bench_kit::Failure;
use std::io::{Read, Write};
use std::net::TcpStream;

/// What is read at a time.
const READ: usize = 128 << 10;

/// An open connection.
#[derive(Debug)]
pub struct WebSocket {
    stream: TcpStream,
    out: Vec<u8>,
    input: Vec<u8>,
    from: usize,
    to: usize,
}

impl WebSocket {
    /// Connects to a `ws://` address.
    ///
    /// # Errors
    /// [`Failure`] when there is nobody, or it is no WebSocket.
    pub fn connect(url: &str) -> Result<Self, Failure> {
        let rest = url.strip_prefix("ws://").ok_or("not a ws:// address")?;
        let (host, path) = rest.split_once('/').ok_or("no path")?;
        let mut stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        // The key may be any sixteen bytes; a browser on this machine is not checked for its answer to it.
        write!(
            stream,
            "GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a2VlcHRhYiBmbG9vciE=\r\n\r\n"
        )?;
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
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
    fn need(&mut self, bytes: usize) -> Result<(), Failure> {
        if self.from + bytes > self.input.len() {
            self.input.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
            if bytes > self.input.len() {
                self.input.resize(bytes, 0);
            }
        }
        while self.to - self.from < bytes {
            match self.stream.read(&mut self.input[self.to..])? {
                0 => return Err(Failure("the browser is gone".into())),
                n => self.to += n,
            }
        }
        Ok(())
    }
}

impl Wire for WebSocket {
    fn send(&mut self, message: &str) -> Result<(), Failure> {
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
        Ok(self.stream.write_all(&self.out)?)
    }

    fn receive(&mut self) -> Result<&[u8], Failure> {
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
        }
        self.need(2)?;
        let short = self.input[self.from + 1];
        let head = match short {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        self.need(head)?;
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
        self.need(head + length)?;
        let begin = self.from + head;
        self.from = begin + length;
        Ok(&self.input[begin..begin + length])
    }
}
