//! Building our clients and fetching the peers into a cache below `target`.

use super::plan::Plan;
use crate::machine::has;
use crate::stage::Stage;
use crate::steps::{Failed, cargo, root, run, target};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the measurements need.
#[derive(Debug)]
pub(super) struct Kit {
    pub(super) clients: Vec<Recipe>,
    /// Peers that are not there, and why.
    pub(super) missing: Vec<(&'static str, String)>,
    pub(super) stage: PathBuf,
    pub(super) keeptab: PathBuf,
    pub(super) agent_browser: Option<PathBuf>,
    chromium: PathBuf,
}

/// How one client is started; its place is added as the last argument.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    pub(super) name: &'static str,
    program: PathBuf,
    args: Vec<PathBuf>,
    node_modules: Option<PathBuf>,
}

impl Recipe {
    pub(super) fn command(&self, place: &Value) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).arg(place.to_string());
        if let Some(dir) = &self.node_modules {
            command.env("KEEPTAB_BENCH_NODE_MODULES", dir);
        }
        command
    }
}

impl Kit {
    /// What a client is told; `profile` is for one that starts a browser of its own.
    pub(super) fn place(&self, stage: &Stage, profile: &Path, cold: bool) -> Value {
        json!({
            "ws": stage.hello["direct"],
            "site": stage.hello["site"],
            "chromium": self.chromium,
            "flags": stage.hello["flags"],
            "profile": profile,
            "target": stage.hello["target"],
            "cold": cold,
        })
    }
}

/// Builds and fetches everything. A peer that cannot be had is named and left out.
pub(super) fn everything(plan: &Plan, chromium: PathBuf) -> Result<Kit, Failed> {
    let mut build = cargo();
    build.args([
        "build",
        "--release",
        "--quiet",
        "--package",
        "keeptab",
        "--package",
        "keeptab-bench-clients",
    ]);
    build.args([
        "--package",
        "keeptab-testkit",
        "--bins",
        "--example",
        "stage",
    ]);
    if plan.build {
        run(&mut build)?;
    }
    let release = target().join("release");
    let mut kit = Kit {
        clients: Vec::new(),
        missing: Vec::new(),
        stage: release.join("examples/stage"),
        keeptab: release.join("keeptab"),
        agent_browser: None,
        chromium,
    };
    for name in [
        "floor",
        "floor-tokio",
        "floor-pipe",
        "keeptab",
        "keeptab-pipe",
        "keeptab-kept",
    ] {
        let program = release.join(if name == "floor" { "floor-ws" } else { name });
        // The program of that name is the product; its client over the library has another.
        let program = if name == "keeptab" {
            release.join("keeptab-ws")
        } else {
            program
        };
        kit.add(
            plan,
            Recipe {
                name,
                program,
                args: Vec::new(),
                node_modules: None,
            },
        );
    }
    let peers: [(&'static [&'static str], Install); 3] = [
        (
            &["tungstenite+Value", "chromiumoxide", "headless_chrome"],
            rust,
        ),
        (
            &["puppeteer", "playwright", "chrome-remote-interface"],
            node,
        ),
        (&["cdp-use"], python),
    ];
    for (names, install) in peers {
        let wanted: Vec<&'static str> = names
            .iter()
            .copied()
            .filter(|name| plan.wants(name))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        match install(&wanted, plan.build) {
            Ok(recipes) => kit.clients.extend(recipes),
            Err(why) => kit
                .missing
                .extend(wanted.iter().map(|name| (*name, why.clone()))),
        }
    }
    let agent_browser = node_cache()
        .join("node_modules/agent-browser/bin")
        .join(native("agent-browser"));
    kit.agent_browser = runnable(&agent_browser).then_some(agent_browser);
    for (name, why) in &kit.missing {
        println!("      without {name}: {why}");
    }
    Ok(kit)
}

impl Kit {
    fn add(&mut self, plan: &Plan, recipe: Recipe) {
        if plan.wants(recipe.name) {
            self.clients.push(recipe);
        }
    }
}

type Install = fn(&[&'static str], bool) -> Result<Vec<Recipe>, String>;

fn rust(names: &[&'static str], fetch: bool) -> Result<Vec<Recipe>, String> {
    let out = target().join("peers").join("rust");
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build
        .args(["build", "--release", "--quiet", "--locked", "--target-dir"])
        .arg(&out);
    if fetch {
        done(build.current_dir(root().join("bench/peers/rust")))?;
    }
    let program = |name: &str| {
        out.join("release")
            .join(name.replace("+V", "-v").replace('_', "-"))
    };
    Ok(names
        .iter()
        .map(|name| Recipe {
            name,
            program: program(name),
            args: Vec::new(),
            node_modules: None,
        })
        .collect())
}

fn node_cache() -> PathBuf {
    target().join("peers").join("node")
}

fn node(names: &[&'static str], fetch: bool) -> Result<Vec<Recipe>, String> {
    if !has("node", "--version") || !has("npm", "--version") {
        return Err("node and npm are not installed".into());
    }
    let (source, cache) = (root().join("bench/peers/node"), node_cache());
    let copy = || {
        std::fs::create_dir_all(&cache)?;
        ["package.json", "package-lock.json"]
            .iter()
            .try_for_each(|file| std::fs::copy(source.join(file), cache.join(file)).map(|_| ()))
    };
    copy()
        .map_err(|error: std::io::Error| format!("cannot prepare {}: {error}", cache.display()))?;
    if fetch {
        // No scripts: they would download browsers, and the programs are in the packages.
        done(
            Command::new("npm")
                .args(["ci", "--ignore-scripts", "--silent"])
                .current_dir(&cache),
        )?;
    }
    let client = source.join("client.mjs");
    Ok(names
        .iter()
        .map(|name| Recipe {
            name,
            program: "node".into(),
            args: vec![client.clone(), name.into()],
            node_modules: Some(cache.join("node_modules")),
        })
        .collect())
}

fn python(names: &[&'static str], fetch: bool) -> Result<Vec<Recipe>, String> {
    if !has("python3", "--version") {
        return Err("python3 is not installed".into());
    }
    let (source, cache) = (
        root().join("bench/peers/python"),
        target().join("peers").join("python"),
    );
    let python = cache.join("bin/python");
    if fetch {
        if !python.is_file() {
            done(Command::new("python3").args(["-m", "venv"]).arg(&cache))?;
        }
        let requirements = source.join("requirements.txt");
        done(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "-r"])
                .arg(requirements),
        )?;
    }
    let client = source.join("client.py");
    Ok(names
        .iter()
        .map(|name| Recipe {
            name,
            program: python.clone(),
            args: vec![client.clone()],
            node_modules: None,
        })
        .collect())
}

fn done(command: &mut Command) -> Result<(), String> {
    run(command).map_err(|failed| failed.to_string())
}

/// Whether the file is there; without the package's install script it is not executable yet.
fn runnable(program: &Path) -> bool {
    #[cfg(unix)]
    if program.is_file() {
        use std::os::unix::fs::PermissionsExt;
        // Where this fails, starting the program says so.
        let _ = std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755));
    }
    program.is_file()
}

/// The name of a prebuilt program in an npm package for this machine.
fn native(name: &str) -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let processor = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x64"
    };
    format!(
        "{name}-{system}-{processor}{}",
        std::env::consts::EXE_SUFFIX
    )
}
