//! Whole processes: what a person or an agent waits for when a command is typed, and what the daemon costs meanwhile.

mod contest;
mod daemon;
mod processes;

use super::client::FLOOR;
use super::install::Kit;
use super::plan::Plan;
use crate::program::Program;
use crate::stage::Stage;
use crate::steps::Failed;
use contest::Contest;
pub(super) use contest::Timing;
pub(super) use daemon::Daemon;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What was measured; empty when it was not asked for.
#[derive(Debug, Default)]
pub(super) struct Whole {
    /// One command with everything up.
    pub(super) warm: Vec<Timing>,
    /// From a running browser that nobody is connected to, to the first result.
    pub(super) cold: Vec<Timing>,
    /// From no browser at all to the first result.
    pub(super) launch: Vec<Timing>,
    pub(super) daemon: Option<Daemon>,
}

const EVALUATE: &str = "(await session.Runtime.evaluate({ expression: '1+1' })).result.value";

pub(super) fn measure(plan: &Plan, kit: &Kit) -> Result<Whole, Failed> {
    let n = if plan.quick { 5 } else { 30 };
    Ok(Whole {
        warm: warm(n, kit)?,
        cold: cold(n.min(15), kit)?,
        launch: launch(n.min(15), kit)?,
        daemon: Some(daemon::measure(plan, kit)?),
    })
}

fn warm(n: usize, kit: &Kit) -> Result<Vec<Timing>, Failed> {
    let stage = Stage::start(&kit.stage)?;
    let program = Program::new(kit.keeptab.clone())?;
    program.quiet(&["attach", "--ws", stage.said("direct")?])?;
    program.quiet(&["open", "about:blank"])?;
    let peer = match &kit.agent_browser {
        Some(path) => Some(AgentBrowser::connect(path, &stage)?),
        None => None,
    };
    let mut contest = Contest::default();
    contest.add("/bin/true", || Command::new("/bin/true"));
    contest.add("keeptab js", || program.command(&["js", EVALUATE]));
    if let Some(peer) = &peer {
        contest.add("agent-browser eval", || peer.command(&["eval", "1+1"]));
    }
    if crate::machine::has("node", "--version") {
        contest.add("node -e 0", || {
            let mut command = Command::new("node");
            command.args(["-e", "0"]);
            command
        });
    }
    contest.run(n)
}

/// keeptab's daemon is up, as it is after the first command of a day; the others are programs of their own.
fn cold(n: usize, kit: &Kit) -> Result<Vec<Timing>, Failed> {
    let stage = Stage::start(&kit.stage)?;
    let program = Program::new(kit.keeptab.clone())?;
    program.quiet(&["daemon", "start"])?;
    let (direct, target) = (stage.said("direct")?, stage.said("target")?);
    let number = Cell::new(0);
    let mut contest = Contest::default();
    contest.add("keeptab js, in a new session", || {
        number.set(number.get() + 1);
        let code = format!(
            "await session.connect({{ wsUrl: '{direct}' }}); await session.use('{target}'); return {EVALUATE};"
        );
        program.command(&["--session", &format!("cold-{}", number.get()), "js", &code])
    });
    // headless_chrome waits for seconds before its first tab.
    let own_browser = |name: &str| name.ends_with("-pipe") || name.ends_with("-kept");
    for recipe in kit
        .clients
        .iter()
        .filter(|one| !own_browser(one.name) && one.name != "headless_chrome")
    {
        let place = kit.place(&stage, "unused".as_ref(), true);
        let name = if recipe.name == "keeptab" {
            "keeptab, as a library"
        } else {
            recipe.name
        };
        contest.add(name, move || recipe.command(&place));
    }
    // A tab belongs to one session at a time.
    contest.after_each(|| {
        let _ = program.quiet(&["--session", &format!("cold-{}", number.get()), "close"]);
    });
    contest.run(n)
}

/// Beside keeptab, the least program that starts the same browser with the same flags over its pipe, opens a tab and
/// evaluates in it.
fn launch(n: usize, kit: &Kit) -> Result<Vec<Timing>, Failed> {
    let stage = Stage::start(&kit.stage)?;
    let program = Program::new(kit.keeptab.clone())?;
    program.quiet(&["--session", "flags", "open", "about:blank"])?;
    let flags = processes::flags_of_browser(program.home());
    program.quiet(&["--session", "flags", "close"])?;
    let mut contest = Contest::default();
    let (mut number, mut profile) = (0, 0);
    contest.add("keeptab open, in a new session", || {
        number += 1;
        program.command(&[
            "--session",
            &format!("launch-{number}"),
            "open",
            "about:blank",
        ])
    });
    if let Some(recipe) = kit
        .clients
        .iter()
        .find(|recipe| recipe.name == "floor-pipe")
    {
        let dir = program.home().join("profiles");
        let (kit, stage) = (&kit, &stage);
        contest.add("the browser alone, to its first result", move || {
            profile += 1;
            let mut place = kit.place(stage, &dir.join(profile.to_string()), true);
            place["target"] = "".into();
            if let Some(flags) = &flags {
                place["flags"] = flags.as_slice().into();
            }
            recipe.command(&place)
        });
    }
    // Each browser is closed before the next one starts: what is compared is a start on a quiet machine.
    let mut ended = 0_usize;
    contest.after_each(|| {
        ended += 1;
        // The round of the floor has nothing to close.
        let _ = program.quiet(&[
            "--session",
            &format!("launch-{}", ended.div_ceil(2)),
            "close",
        ]);
    });
    contest.run(n)
}

/// The npm package `agent-browser`, by its own program, without node in between.
#[derive(Debug)]
struct AgentBrowser {
    program: PathBuf,
    sockets: PathBuf,
}

impl AgentBrowser {
    fn connect(program: &Path, stage: &Stage) -> Result<Self, Failed> {
        let sockets = std::env::temp_dir().join(format!("keeptab-bench-ab-{}", std::process::id()));
        let made = std::fs::create_dir_all(&sockets);
        made.map_err(|error| Failed::new(format!("cannot make {}: {error}", sockets.display())))?;
        let peer = Self {
            program: program.to_owned(),
            sockets,
        };
        let status = peer.command(&["connect", stage.said("direct")?]).output();
        match status {
            Ok(output) if output.status.success() => Ok(peer),
            Ok(output) => Err(Failed::new(format!(
                "agent-browser connect: {}",
                String::from_utf8_lossy(&output.stderr)
            ))),
            Err(error) => Err(Failed::new(format!("agent-browser: {error}"))),
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .env("AGENT_BROWSER_SOCKET_DIR", &self.sockets);
        command
    }
}

impl Drop for AgentBrowser {
    fn drop(&mut self) {
        let _ = self.command(&["close"]).output();
        let _ = std::fs::remove_dir_all(&self.sockets);
    }
}

/// The floor is the first in every table.
pub(super) fn is_floor(name: &str) -> bool {
    name == FLOOR || name == "/bin/true" || name.starts_with("the browser alone")
}
