//! `cargo xtask soak`: many seeds of the simulation, on all processors.

use std::process::{Child, Command, ExitCode};
use std::time::Instant;

const USAGE: &str = "usage: cargo xtask soak [--seeds N] [--hours H] [--from SEED]
  --seeds N    how many seeds to run (default 10000)
  --hours H    how long each lasts, in virtual time (default 24)
  --from SEED  the first seed (default 1)";

/// The test that plays the seeds it is given.
const DAY: &str = "a_day_of_faults_keeps_every_promise";

/// Runs the command.
pub(crate) fn run(args: impl Iterator<Item = String>) -> ExitCode {
    match settings(args) {
        Ok(settings) => soak(&settings),
        Err(wrong) => {
            eprintln!("xtask soak: {wrong}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

struct Settings {
    seeds: u64,
    hours: u64,
    from: u64,
}

fn settings(mut args: impl Iterator<Item = String>) -> Result<Settings, String> {
    let mut settings = Settings {
        seeds: 10_000,
        hours: 24,
        from: 1,
    };
    while let Some(flag) = args.next() {
        let place = match flag.as_str() {
            "--seeds" => &mut settings.seeds,
            "--hours" => &mut settings.hours,
            "--from" => &mut settings.from,
            other => return Err(format!("no option '{other}'")),
        };
        let value = args.next().ok_or(format!("{flag} needs a number"))?;
        *place = value
            .parse()
            .map_err(|_| format!("{flag} needs a number, not '{value}'"))?;
    }
    if settings.seeds == 0 || settings.hours == 0 {
        return Err("there is nothing to run".into());
    }
    Ok(settings)
}

fn soak(settings: &Settings) -> ExitCode {
    let test = [
        "test",
        "--release",
        "--package",
        "keeptab-link",
        "--test",
        "sim",
    ];
    let built = Command::new("cargo").args(test).arg("--no-run").status();
    if !built.is_ok_and(|status| status.success()) {
        eprintln!("xtask soak: the simulation does not build");
        return ExitCode::FAILURE;
    }
    let started = Instant::now();
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let workers = workers.min(settings.seeds);
    let mut running: Vec<(u64, u64, std::io::Result<Child>)> = Vec::new();
    for worker in 0..workers {
        // Seeds are dealt out in ranges, so that the first failure of a range names its seed.
        let first = settings.from + settings.seeds * worker / workers;
        let next = settings.from + settings.seeds * (worker + 1) / workers;
        let child = Command::new("cargo")
            .args(test)
            .args(["--quiet", "--", "--nocapture", DAY])
            .env("KEEPTAB_SIM_FIRST", first.to_string())
            .env("KEEPTAB_SIM_SEEDS", (next - first).to_string())
            .env("KEEPTAB_SIM_HOURS", settings.hours.to_string())
            .spawn();
        running.push((first, next, child));
    }
    let mut failed = 0;
    for (first, next, child) in running {
        let ended = child.and_then(|mut child| child.wait());
        if !ended.is_ok_and(|status| status.success()) {
            failed += 1;
            eprintln!(
                "seeds {first} to {} failed; the last seed named above is the one",
                next - 1
            );
        }
    }
    let took = started.elapsed().as_secs();
    println!(
        "{} seeds of {} h in {took} s, {failed} ranges failed",
        settings.seeds, settings.hours
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Settings, String> {
        settings(args.iter().map(|arg| (*arg).to_owned()))
    }

    #[test]
    fn options_are_read_and_wrong_ones_are_named() {
        let given = read(&["--seeds", "7", "--from", "100"]).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((given.seeds, given.hours, given.from), (7, 24, 100));
        assert!(read(&["--seeds"]).is_err_and(|e| e.contains("--seeds needs a number")));
        assert!(read(&["--seeds", "many"]).is_err_and(|e| e.contains("many")));
        assert!(read(&["--sedes", "1"]).is_err_and(|e| e.contains("--sedes")));
    }
}
