//! What the daemon and its helpers hold and use while nothing happens.

use crate::bench::client::usage;
use crate::bench::install::Kit;
use crate::bench::plan::Plan;
use crate::program::Program;
use crate::stage::Stage;
use crate::steps::Failed;
use std::path::Path;
use std::time::Duration;

/// Memory in MB and processor time in percent.
#[derive(Debug)]
pub(in crate::bench) struct Daemon {
    pub(in crate::bench) one_session_mb: f64,
    pub(in crate::bench) idle_percent: f64,
    pub(in crate::bench) per_session_mb: f64,
    pub(in crate::bench) worker_mb: f64,
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
    Ok(Daemon {
        one_session_mb,
        idle_percent,
        per_session_mb,
        worker_mb,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Daemon,
    Worker,
}

fn one(home: &Path, role: Role) -> Result<u32, Failed> {
    processes(home, role)
        .first()
        .copied()
        .ok_or_else(|| Failed::new(format!("no {role:?} process is running")))
}

/// The processes that were started for this home, by their role.
fn processes(home: &Path, role: Role) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let wanted = format!("KEEPTAB_HOME={}", home.display());
    let is_ours = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = command.split(|byte| *byte == 0);
        let is_keeptab = words.next().is_some_and(|word| word.ends_with(b"keeptab"));
        let found = match words.next() {
            Some(b"js-worker") => Role::Worker,
            Some(b"daemon") => Role::Daemon,
            _ => return false,
        };
        // A worker is started without an environment; it is the daemon's child.
        let home_fits = environment
            .split(|byte| *byte == 0)
            .any(|entry| entry == wanted.as_bytes());
        is_keeptab
            && found == role
            && (home_fits || (role == Role::Worker && parent_is(*pid, home)))
    };
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(is_ours).collect()
}

fn parent_is(pid: u32, home: &Path) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let parent = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
    parent.is_some_and(|parent| processes(home, Role::Daemon).contains(&parent))
}
