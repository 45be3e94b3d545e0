//! Programs run in turn, each from its start to its end.

use crate::steps::Failed;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A named median in milliseconds, and what it lies between.
#[derive(Debug)]
pub(in crate::bench) struct Timing {
    pub(in crate::bench) name: String,
    pub(in crate::bench) ms: f64,
    pub(in crate::bench) least: f64,
    pub(in crate::bench) most: f64,
}

/// The programs, in the order in which each round runs them.
#[derive(Default)]
pub(super) struct Contest<'a> {
    entries: Vec<Entry<'a>>,
    between: Option<Box<dyn FnMut() + 'a>>,
}

struct Entry<'a> {
    name: String,
    make: Box<dyn FnMut() -> Command + 'a>,
    times: Vec<Duration>,
    failed: bool,
}

impl<'a> Contest<'a> {
    pub(super) fn add(&mut self, name: &str, make: impl FnMut() -> Command + 'a) {
        self.entries.push(Entry {
            name: name.to_owned(),
            make: Box::new(make),
            times: Vec::new(),
            failed: false,
        });
    }

    /// Something to do after each program, outside the measured time.
    pub(super) fn after_each(&mut self, action: impl FnMut() + 'a) {
        self.between = Some(Box::new(action));
    }

    /// Runs `n` rounds after one that is not counted. keeptab must not fail.
    pub(super) fn run(mut self, n: usize) -> Result<Vec<Timing>, Failed> {
        for round in 0..=n {
            for entry in self.entries.iter_mut().filter(|entry| !entry.failed) {
                let mut command = (entry.make)();
                command
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped());
                let begun = Instant::now();
                let output = command
                    .output()
                    .map_err(|error| Failed::new(format!("{}: {error}", entry.name)))?;
                let time = begun.elapsed();
                if !output.status.success() {
                    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                    let what = format!("{} ({}): {said}", entry.name, output.status);
                    if entry.name.starts_with("keeptab") {
                        return Err(Failed::new(what));
                    }
                    // A fast failure is no result: a peer that fails once is out.
                    println!("      without {what}");
                    entry.failed = true;
                }
                if round > 0 {
                    entry.times.push(time);
                }
                if let Some(action) = &mut self.between {
                    action();
                }
            }
        }
        let timing = |mut entry: Entry<'_>| {
            entry.times.sort_unstable();
            let at = |index: usize| {
                let time = entry.times.get(index);
                time.map_or(0.0, |time| time.as_secs_f64() * 1000.0)
            };
            Timing {
                ms: at(entry.times.len() / 2),
                least: at(0),
                most: at(entry.times.len().saturating_sub(1)),
                name: entry.name,
            }
        };
        Ok(self
            .entries
            .into_iter()
            .filter(|entry| !entry.failed)
            .map(timing)
            .collect())
    }
}
