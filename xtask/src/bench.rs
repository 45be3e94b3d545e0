//! `cargo xtask bench`: keeptab, the floor under it and the tools beside it, interleaved in one run.
//!
//! Every client is a process that connects once and then does one workload after the other, see `bench/kit`. Rounds are
//! interleaved so that whatever the machine does meanwhile hits everybody; medians are compared, as ratios to the floor.

mod client;
mod faults;
mod install;
mod plan;
mod report;
mod tracking;
mod whole;

use crate::machine::{self, Consent};
use crate::steps::{Failed, Steps, finish};
use plan::Plan;
use std::process::ExitCode;

/// Runs the command with the arguments that follow its name.
pub(crate) fn run(args: impl Iterator<Item = String>) -> ExitCode {
    match Plan::parse(args) {
        Ok(plan) => finish(measure(&plan)),
        Err(why) => {
            eprintln!("bench: {why}");
            eprintln!(
                "usage: cargo xtask bench [--quick] [--no-build] [--rounds N] [--only CLIENT,…] [WORKLOAD…]"
            );
            eprintln!("workloads: {}, whole, faults", plan::names().join(", "));
            ExitCode::from(2)
        }
    }
}

fn measure(plan: &Plan) -> Result<(), Failed> {
    let mut steps = Steps::new(5);
    steps.next("a Chromium-family browser");
    let chromium = machine::chromium(Consent::Given)?;
    println!("      {}", chromium.display());
    steps.done();

    steps.next("build the clients, and get the peers");
    let kit = install::everything(plan, chromium)?;
    steps.done();

    steps.next("workloads, interleaved");
    let figures = client::rounds(plan, &kit)?;
    steps.done();

    steps.next("whole processes, and the daemon");
    let whole = if plan.whole {
        whole::measure(plan, &kit)?
    } else {
        whole::Whole::default()
    };
    steps.done();

    steps.next("losses: noticed and recovered; what tracking costs");
    let (losses, tracking) = if plan.faults {
        let tracking = tracking::measure(plan, &kit)?;
        (faults::measure(plan, &kit)?, Some(tracking))
    } else {
        (faults::Losses::default(), None)
    };
    steps.done();

    let text = report::write(plan, &kit, &figures, &whole, &losses, tracking);
    print!("\n{text}");
    report::save(plan, &text)
}
