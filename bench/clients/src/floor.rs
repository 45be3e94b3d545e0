//! The floor over any wire: commands out, messages in, told apart by their first bytes.

use keeptab_bench_kit::{Client, Failure, Tab, Trigger, between};
use memchr::memmem;
use std::fmt::Write;

/// A transport of whole messages. Those of the floor block; that of the waiting floor waits in a runtime.
pub trait Wire: Send {
    /// Sends one message.
    ///
    /// # Errors
    /// [`Failure`] when the other side is gone.
    fn send(&mut self, message: &str) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Waits for the next message; it is valid until the next call.
    ///
    /// # Errors
    /// [`Failure`] when the other side is gone.
    fn receive(&mut self) -> impl Future<Output = Result<&[u8], Failure>> + Send;
}

/// The client.
#[derive(Debug)]
pub struct Floor<W> {
    wire: W,
    last: u32,
    sessions: Vec<String>,
    line: String,
}

impl<W: Wire> Floor<W> {
    /// On an open wire.
    pub fn new(wire: W) -> Self {
        Self {
            wire,
            last: 0,
            sessions: Vec::new(),
            line: String::new(),
        }
    }

    pub(crate) async fn send(
        &mut self,
        tab: Option<Tab>,
        method: &str,
        params: &str,
    ) -> Result<(), Failure> {
        self.last += 1;
        self.line.clear();
        write!(
            self.line,
            "{{\"id\":{},\"method\":\"{method}\",\"params\":{params}",
            self.last
        )?;
        if let Some(session) = tab.and_then(|tab| self.sessions.get(tab)) {
            write!(self.line, ",\"sessionId\":\"{session}\"")?;
        }
        self.line.push('}');
        self.wire.send(&self.line).await
    }

    /// Waits for the next reply, whichever it is, and shows it and the events before it.
    pub(crate) async fn reply<T>(
        &mut self,
        mut event: impl FnMut(&[u8]) + Send,
        take: impl FnOnce(&[u8]) -> T + Send,
    ) -> Result<T, Failure> {
        loop {
            let message = self.wire.receive().await?;
            if !message.starts_with(b"{\"id\":") {
                event(message);
            } else if memmem::find(&message[..message.len().min(40)], b"\"error\":").is_some() {
                return Err(Failure(String::from_utf8_lossy(message).into_owned()));
            } else {
                return Ok(take(message));
            }
        }
    }

    pub(crate) async fn text(&mut self, method: &str, params: &str) -> Result<String, Failure> {
        self.send(None, method, params).await?;
        self.reply(
            |_| (),
            |message| String::from_utf8_lossy(message).into_owned(),
        )
        .await
    }
}

impl<W: Wire> Floor<W> {
    /// Attaches to several tabs in one burst.
    pub(crate) async fn attach_all(&mut self, targets: &[String]) -> Result<(), Failure> {
        for target in targets {
            let params = format!("{{\"targetId\":\"{target}\",\"flatten\":true}}");
            self.send(None, "Target.attachToTarget", &params).await?;
        }
        for _ in targets {
            let attached = self
                .reply(
                    |_| (),
                    |message| String::from_utf8_lossy(message).into_owned(),
                )
                .await?;
            let session = between(&attached, "\"sessionId\":\"", "\"").ok_or("no sessionId")?;
            self.sessions.push(session.to_owned());
        }
        Ok(())
    }
}

impl<W: Wire> Client for Floor<W> {
    async fn open(&mut self, url: &str) -> Result<Tab, Failure> {
        let made = self
            .text("Target.createTarget", &format!("{{\"url\":\"{url}\"}}"))
            .await?;
        let target = between(&made, "\"targetId\":\"", "\"").ok_or("no targetId")?;
        self.attach(target).await
    }

    async fn attach(&mut self, target: &str) -> Result<Tab, Failure> {
        let params = format!("{{\"targetId\":\"{target}\",\"flatten\":true}}");
        let attached = self.text("Target.attachToTarget", &params).await?;
        self.sessions.push(
            between(&attached, "\"sessionId\":\"", "\"")
                .ok_or("no sessionId")?
                .to_owned(),
        );
        Ok(self.sessions.len() - 1)
    }

    async fn call(
        &mut self,
        tab: Option<Tab>,
        method: &str,
        params: &str,
    ) -> Result<usize, Failure> {
        self.send(tab, method, params).await?;
        self.reply(|_| (), <[u8]>::len).await
    }

    async fn pipeline(
        &mut self,
        tab: Tab,
        command: Trigger<'_>,
        n: usize,
        in_flight: usize,
    ) -> Result<(), Failure> {
        let mut sent = 0;
        for received in 0..n {
            while sent < n && sent < received + in_flight {
                self.send(Some(tab), command.0, command.1).await?;
                sent += 1;
            }
            self.reply(|_| (), |_| ()).await?;
        }
        Ok(())
    }

    async fn events(
        &mut self,
        tab: Tab,
        event: &str,
        n: usize,
        trigger: Trigger<'_>,
    ) -> Result<usize, Failure> {
        let head = format!("{{\"method\":\"{event}\"");
        let mut came = 0;
        let mut count = |message: &[u8]| came += usize::from(message.starts_with(head.as_bytes()));
        self.send(Some(tab), trigger.0, trigger.1).await?;
        self.reply(&mut count, |_| ()).await?;
        while came < n {
            came += usize::from(self.wire.receive().await?.starts_with(head.as_bytes()));
        }
        Ok(came)
    }

    async fn event(
        &mut self,
        tab: Tab,
        event: &str,
        trigger: Trigger<'_>,
    ) -> Result<String, Failure> {
        let head = format!("{{\"method\":\"{event}\"");
        let mut found = None;
        self.send(Some(tab), trigger.0, trigger.1).await?;
        self.reply(
            |message| {
                if found.is_none() && message.starts_with(head.as_bytes()) {
                    found = Some(String::from_utf8_lossy(message).into_owned());
                }
            },
            |_| (),
        )
        .await?;
        found.ok_or_else(|| Failure(format!("no {event}")))
    }
}
