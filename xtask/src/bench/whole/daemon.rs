//! What the daemon and its helpers hold and use while nothing happens.

use super::processes::{Role, one, processes};
use crate::bench::client::usage;
use crate::bench::install::Kit;
use crate::bench::plan::Plan;
use crate::program::Program;
use crate::stage::Stage;
use crate::steps::Failed;
use std::time::Duration;

/// Memory in MB and processor time in percent.
#[derive(Debug)]
pub(in crate::bench) struct Daemon {
    pub(in crate::bench) one_session_mb: f64,
    pub(in crate::bench) idle_percent: f64,
    pub(in crate::bench) per_session_mb: f64,
    pub(in crate::bench) worker_mb: f64,
    pub(in crate::bench) keeper_mb: f64,
}

/// Further sessions beside the first one.
const MORE: usize = 5;

pub(super) fn measure(plan: &Plan, kit: &Kit) -> Result<Daemon, Failed> {
    let stage = Stage::start(&kit.stage)?;
    let program = Program::new(kit.keeptab.clone())?;
    let direct = stage.said("direct")?;
    program.quiet(&["attach", "--ws", direct])?;
    program.quiet(&["open", "about:blank"])?;
    std::thread::sleep(Duration::from_secs(1));
    let daemon = one(program.home(), Role::Daemon)?;
    let one_session_mb = usage::resident_mb(daemon);
    let idle = Duration::from_secs(if plan.quick { 3 } else { 20 });
    let before = usage::cpu_us(daemon);
    std::thread::sleep(idle);
    let idle_percent = (usage::cpu_us(daemon) - before) / idle.as_micros() as f64 * 100.0;

    for number in 0..MORE {
        let session = format!("more-{number}");
        program.quiet(&["--session", &session, "attach", "--ws", direct])?;
    }
    std::thread::sleep(Duration::from_secs(1));
    let per_session_mb = (usage::resident_mb(daemon) - one_session_mb) / MORE as f64;

    program.quiet(&["js", "1 + 1"])?;
    let workers = processes(program.home(), Role::Worker);
    let worker_mb = workers
        .iter()
        .map(|pid| usage::resident_mb(*pid))
        .fold(0.0, f64::max);

    program.quiet(&["--session", "kept", "open", "about:blank"])?;
    program.quiet(&["--session", "kept", "js", "1 + 1"])?;
    let keeper_mb = usage::resident_mb(one(program.home(), Role::Keeper)?);
    program.quiet(&["--session", "kept", "close"])?;
    Ok(Daemon {
        one_session_mb,
        idle_percent,
        per_session_mb,
        worker_mb,
        keeper_mb,
    })
}
