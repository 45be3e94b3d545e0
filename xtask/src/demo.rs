//! `cargo xtask demo`: the main job once, and then what sets keeptab apart: the socket is cut, and nothing is lost.

use crate::machine::{self, Consent};
use crate::program::Program;
use crate::stage::Stage;
use crate::steps::{Failed, Steps, cargo, finish, run as run_program, seconds, target};
use std::process::ExitCode;
use std::time::Instant;

/// Sets something of each kind that a lost socket takes away, and something that lives in the page.
const SET: &str = r#"
await session.Emulation.setUserAgentOverride({ userAgent: "keeptab-demo/1" });
await session.Emulation.setTimezoneOverride({ timezoneId: "Pacific/Auckland" });
await session.Page.addScriptToEvaluateOnNewDocument({ source: "window.fromInitScript = true" });
await session.Runtime.evaluate({ expression: "window.kept = 'set before the cut'" });
return "set";"#;

/// Reads it back.
const READ: &str = r#"(await session.Runtime.evaluate({ returnByValue: true, expression: "({ kept: window.kept, agent: navigator.userAgent, zone: Intl.DateTimeFormat().resolvedOptions().timeZone })" })).result.value"#;

/// The init script shows in the next document.
const RELOAD: &str = r#"
await session.Page.reload();
for (let i = 0; i < 100; i++) {
  const expression = "document.readyState === 'complete' && window.fromInitScript === true";
  if ((await session.Runtime.evaluate({ expression })).result.value) return "the init script ran in the new document";
  await cdp.sleep(50);
}
throw new Error("the init script did not run");"#;

const TITLE: &str =
    r#"(await session.Runtime.evaluate({ expression: "document.title" })).result.value"#;
const SCREENSHOT: &str = r#"(await session.Page.captureScreenshot({ format: "png" })).data"#;

/// Runs the command with the arguments that follow its name.
pub(crate) fn run(args: impl Iterator<Item = String>) -> ExitCode {
    let mut consent = Consent::Ask;
    for argument in args {
        match argument.as_str() {
            "--yes" | "-y" => consent = Consent::Given,
            other => {
                eprintln!("demo: unknown argument '{other}'; usage: cargo xtask demo [--yes]");
                return ExitCode::from(2);
            }
        }
    }
    finish(play(consent))
}

fn play(consent: Consent) -> Result<(), Failed> {
    let begun = Instant::now();
    let mut steps = Steps::new(5);

    steps.next("a Chromium-family browser");
    println!("      {}", machine::chromium(consent)?.display());
    steps.done();

    steps.next("build keeptab (release)");
    let mut build = cargo();
    build.args([
        "build",
        "--release",
        "--quiet",
        "--package",
        "keeptab",
        "--bin",
        "keeptab",
    ]);
    build.args(["--package", "keeptab-testkit", "--example", "stage"]);
    run_program(&mut build)?;
    steps.done();
    let out = target().join("release");

    let mut stage = Stage::start(&out.join("examples").join(exe("stage")))?;
    let program = Program::new(out.join(exe("keeptab")))?;

    steps.next("the main job: a browser of its own, a page, JavaScript, a picture");
    let page = format!("{}/demo", stage.site()?);
    program.say(&["open", &page])?;
    expect(&program.say(&["js", TITLE])?, "keeptab demo")?;
    let picture = target().join("demo").join("page.png");
    program.picture(SCREENSHOT, &picture)?;
    program.say(&["close"])?;
    steps.done();

    steps.next("the same over a WebSocket, through a proxy that can cut it");
    program.say(&["--session", "cut", "attach", "--ws", stage.ws()?])?;
    program.say(&["--session", "cut", "open", &page])?;
    program.say(&["--session", "cut", "js", SET])?;
    let before = program.say(&["--session", "cut", "js", READ])?;
    steps.done();

    steps.next("cut the socket (TCP reset), and ask the same tab again");
    let cut = Instant::now();
    if stage.order("cut")?["hit"] != 1 {
        return Err(Failed::new("there was no connection to cut"));
    }
    let after = program.say(&["--session", "cut", "js", READ])?;
    println!("      answered {} after the cut", seconds(cut.elapsed()));
    expect(&after, &before)?;
    program.say(&["--session", "cut", "js", RELOAD])?;
    program.say(&["--session", "cut", "status"])?;
    if stage.order("counts")?["upgrades"].as_u64().unwrap_or(0) < 2 {
        return Err(Failed::new("the answer came without a second connection"));
    }
    program.say(&["--session", "cut", "close"])?;
    steps.done();

    println!(
        "\nDone in {}. The picture is {}.",
        seconds(begun.elapsed()),
        picture.display()
    );
    println!("Next, with your own page:");
    println!("  cargo install --path crates/cli        (then `keeptab` is in your PATH)");
    println!("  keeptab open https://example.com");
    println!("  keeptab js 'await session.Runtime.evaluate({{ expression: \"document.title\" }})'");
    println!("  keeptab status        keeptab --help        keeptab spec Page.navigate");
    Ok(())
}

fn expect(got: &str, wanted: &str) -> Result<(), Failed> {
    if got == wanted {
        return Ok(());
    }
    Err(Failed::new(format!(
        "got {got:?}, and it had to be {wanted:?}"
    )))
}

fn exe(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}
