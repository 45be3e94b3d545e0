//! The process that holds the page, a browser and the proxy, see `crates/testkit/examples/stage.rs`.

use crate::steps::Failed;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running stage. It ends when its input does, which is when this is dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// What it said at its start.
    pub(crate) hello: Value,
}

impl Stage {
    pub(crate) fn start(program: &Path) -> Result<Self, Failed> {
        let failed = |error| Failed::new(format!("cannot start {}: {error}", program.display()));
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let orders = child.stdin.take();
        let answers = child
            .stdout
            .take()
            .ok_or_else(|| Failed::new("the stage has no output"))?;
        let mut stage = Self {
            child,
            orders,
            answers: BufReader::new(answers),
            hello: Value::Null,
        };
        stage.hello = stage.answer()?;
        Ok(stage)
    }

    /// The address of the test site, without a slash at its end.
    pub(crate) fn site(&self) -> Result<&str, Failed> {
        self.said("site")
    }

    /// The browser's WebSocket address, through the proxy.
    pub(crate) fn ws(&self) -> Result<&str, Failed> {
        self.said("ws")
    }

    /// One of the texts it said at its start.
    pub(crate) fn said(&self, key: &str) -> Result<&str, Failed> {
        self.hello[key]
            .as_str()
            .ok_or_else(|| Failed::new(format!("the stage did not say its {key}")))
    }

    /// Gives one order and takes its answer.
    pub(crate) fn order(&mut self, order: &str) -> Result<Value, Failed> {
        let orders = self
            .orders
            .as_mut()
            .ok_or_else(|| Failed::new("the stage takes no orders"))?;
        let sent = writeln!(orders, "{order}").and_then(|()| orders.flush());
        sent.map_err(|error| Failed::new(format!("the stage is gone: {error}")))?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Value, Failed> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(1..) => serde_json::from_str(&line)
                .map_err(|error| Failed::new(format!("the stage said {line:?}: {error}"))),
            Ok(0) => Err(Failed::new("the stage ended; what it said is above")),
            Err(error) => Err(Failed::new(format!("cannot read from the stage: {error}"))),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.child.wait();
    }
}
