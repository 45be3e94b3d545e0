//! The line protocol between `cargo xtask bench` and a client.

use crate::client::{Client, Failure};
use crate::work;
use serde::{Deserialize, Serialize};
use std::io::Write;

/// Where a client finds what it needs: its one argument.
#[derive(Debug, Deserialize)]
pub struct Place {
    /// The WebSocket address of the shared browser.
    pub ws: String,
    /// The address of the test site, without a slash at its end.
    pub site: String,
    /// The browser's program, for clients that start one of their own.
    pub chromium: String,
    /// The flags for a browser of one's own.
    pub flags: Vec<String>,
    /// A directory that a browser of one's own may use as its profile.
    pub profile: String,
    /// A tab that is open in the shared browser; empty for a browser of one's own.
    pub target: String,
    /// Only connect, attach to that tab (or to a new one), evaluate once and end.
    #[serde(default)]
    pub cold: bool,
}

/// One workload to run.
#[derive(Debug, Deserialize)]
pub struct Order {
    /// Its name, see [`crate::Client`]'s users in `work.rs`.
    pub work: String,
    /// How often.
    pub n: usize,
}

/// What was measured inside the client.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// The whole workload, in microseconds.
    pub wall_us: f64,
    /// The median of one operation, in microseconds, where operations are single.
    pub p50_us: Option<f64>,
    /// How many operations there were.
    pub ops: usize,
}

/// Reads the argument.
///
/// # Errors
/// [`Failure`] when there is none or it is not a [`Place`].
pub fn hello() -> Result<Place, Failure> {
    let argument = std::env::args().nth(1).ok_or("the place is missing")?;
    Ok(serde_json::from_str(&argument)?)
}

/// Answers orders until the input ends.
///
/// # Errors
/// [`Failure`] when the input or output is gone. A workload that fails is an answer.
pub async fn serve(client: &mut impl Client, place: &Place) -> Result<(), Failure> {
    if place.cold {
        let tab = match place.target.as_str() {
            "" => client.open("about:blank").await?,
            target => client.attach(target).await?,
        };
        client
            .call(Some(tab), "Runtime.evaluate", r#"{"expression":"1+1"}"#)
            .await?;
        return Ok(());
    }
    let mut work = work::Work::begin(client, &place.site).await?;
    say("{\"ready\":true}")?;
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line)? > 0 {
        let order: Order = serde_json::from_str(&line)?;
        line.clear();
        match work.run(&order).await {
            Ok(figures) => say(&serde_json::to_string(&figures)?)?,
            Err(Failure(why)) => say(&serde_json::json!({ "error": why }).to_string())?,
        }
    }
    Ok(())
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
