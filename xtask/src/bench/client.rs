//! The clients as processes: asked for workloads in turn, and watched from outside.

use super::install::{Kit, Recipe};
use super::plan::{Plan, Workload};
use crate::stage::Stage;
use crate::steps::Failed;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The client that everything is a ratio to.
pub(super) const FLOOR: &str = "floor";

/// A client that says nothing for so long has hung.
const PATIENCE: Duration = Duration::from_secs(120);

/// One measurement of one workload.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sample {
    pub(super) wall_us: f64,
    pub(super) p50_us: Option<f64>,
    pub(super) cpu_us_each: f64,
    pub(super) peak_mb: f64,
}

/// All samples by workload and client, and what failed.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) samples: BTreeMap<(&'static str, &'static str), Vec<Sample>>,
    pub(super) failures: BTreeMap<(&'static str, &'static str), String>,
}

/// Runs all rounds. In each, every client does the same workload, one client after the other.
pub(super) fn rounds(plan: &Plan, kit: &Kit) -> Result<Figures, Failed> {
    let mut figures = Figures::default();
    if plan.workloads.is_empty() {
        return Ok(figures);
    }
    let stage = Stage::start(&kit.stage)?;
    let mut clients = Vec::new();
    for recipe in &kit.clients {
        match Running::start(recipe, kit, &stage) {
            Ok(client) => clients.push(client),
            Err(why) => {
                println!("      without {}: {why}", recipe.name);
                figures
                    .failures
                    .insert(("start", recipe.name), why.to_string());
            }
        }
    }
    for round in 0..plan.rounds {
        for work in plan.workloads.iter().filter(|work| work.runs_in(round)) {
            // Each round begins with another client, so that none always follows the same one.
            let first = round % clients.len().max(1);
            clients.rotate_left(first);
            for client in &mut clients {
                let key = (work.name, client.name);
                if figures.failures.contains_key(&key)
                    || !Plan::can(work, client.name)
                    || !Plan::has_turn(client.name, round)
                {
                    continue;
                }
                match client.measure(work, plan.size(work, client.name)) {
                    Ok(sample) => figures.samples.entry(key).or_default().push(sample),
                    Err(why) => {
                        println!("      {}, {}: {why}", client.name, work.name);
                        figures.failures.insert(key, why.to_string());
                    }
                }
            }
            println!(
                "      round {} of {}: {}",
                round + 1,
                plan.rounds,
                work.title
            );
        }
    }
    Ok(figures)
}

struct Running {
    name: &'static str,
    child: Child,
    orders: ChildStdin,
    answers: Receiver<String>,
    profile: std::path::PathBuf,
}

#[derive(Deserialize)]
struct Answer {
    wall_us: Option<f64>,
    p50_us: Option<f64>,
    ops: Option<usize>,
    error: Option<String>,
}

impl Running {
    fn start(recipe: &Recipe, kit: &Kit, stage: &Stage) -> Result<Self, Failed> {
        let profile = std::env::temp_dir().join(format!(
            "keeptab-bench-{}-{}",
            std::process::id(),
            recipe.name
        ));
        let mut command = recipe.command(&kit.place(stage, &profile, false));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| Failed::new(format!("cannot start: {error}")))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (orders, output) = pipes.ok_or_else(|| Failed::new("no pipes"))?;
        let (give, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if give.send(line).is_err() {
                    break;
                }
            }
        });
        let client = Self {
            name: recipe.name,
            child,
            orders,
            answers,
            profile,
        };
        let hello: Value = serde_json::from_str(&client.line()?).unwrap_or_default();
        match hello["ready"] == true {
            true => Ok(client),
            false => Err(Failed::new(format!("said {hello} instead of ready"))),
        }
    }

    fn line(&self) -> Result<String, Failed> {
        self.answers
            .recv_timeout(PATIENCE)
            .map_err(|error| match error {
                std::sync::mpsc::RecvTimeoutError::Timeout => Failed::new("hangs"),
                std::sync::mpsc::RecvTimeoutError::Disconnected => Failed::new("ended"),
            })
    }

    fn measure(&mut self, work: &Workload, n: usize) -> Result<Sample, Failed> {
        let pid = self.child.id();
        usage::reset_peak(pid);
        let before = usage::cpu_us(pid);
        let order = serde_json::json!({ "work": work.name, "n": n });
        writeln!(self.orders, "{order}").map_err(|error| Failed::new(format!("gone: {error}")))?;
        let answer: Answer = serde_json::from_str(&self.line()?)
            .map_err(|error| Failed::new(format!("unreadable: {error}")))?;
        let cpu_us = usage::cpu_us(pid) - before;
        match (answer.error, answer.wall_us) {
            (None, Some(wall_us)) => Ok(Sample {
                wall_us,
                p50_us: answer.p50_us,
                cpu_us_each: cpu_us / answer.ops.unwrap_or(1).max(1) as f64,
                peak_mb: usage::peak_mb(pid),
            }),
            (error, _) => Err(Failed::new(error.unwrap_or_else(|| "no figures".into()))),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// What a process used, from `/proc`. Zero elsewhere.
pub(super) mod usage {
    use std::path::PathBuf;

    /// Processor time of all its threads so far, in microseconds.
    pub(in crate::bench) fn cpu_us(pid: u32) -> f64 {
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
            return 0.0;
        };
        let thread = |task: PathBuf| -> Option<f64> {
            let text = std::fs::read_to_string(task.join("schedstat")).ok()?;
            text.split(' ').next()?.parse().ok()
        };
        tasks
            .flatten()
            .filter_map(|task| thread(task.path()))
            .sum::<f64>()
            / 1000.0
    }

    /// Forgets the peak of its memory.
    pub(in crate::bench) fn reset_peak(pid: u32) {
        // Where the kernel does not allow it, the peak is that of the whole life.
        let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
    }

    /// The peak of its memory since then, in MB.
    pub(in crate::bench) fn peak_mb(pid: u32) -> f64 {
        field_mb(pid, "VmHWM:")
    }

    /// Its memory now, in MB.
    pub(in crate::bench) fn resident_mb(pid: u32) -> f64 {
        field_mb(pid, "VmRSS:")
    }

    fn field_mb(pid: u32, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let field = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes =
            field.and_then(|text| text.trim().trim_end_matches(" kB").parse::<f64>().ok());
        kilobytes.unwrap_or(0.0) / 1024.0
    }
}
