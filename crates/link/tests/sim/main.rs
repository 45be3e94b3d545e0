//! The link against the model browser, in virtual time, under a seed: a day of losses every ten minutes, crashes, dialogs,
//! closed tabs, suspends, slow networks. What must hold at every moment is in `promises.rs`.
//!
//! `KEEPTAB_SIM_FIRST` names the first seed, `KEEPTAB_SIM_SEEDS` says how many to run, `KEEPTAB_SIM_HOURS` how long a run
//! lasts in virtual time, `KEEPTAB_SIM_TRACE=1` prints all that happens. `cargo xtask soak` runs many.
#![allow(clippy::unwrap_used)]

mod chance;
mod promises;
mod wire;
mod world;

use std::time::Duration;

use world::World;

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(value) => value
            .parse()
            .unwrap_or_else(|_| panic!("{name} must be a number, not {value:?}")),
        Err(_) => default,
    }
}

#[test]
fn a_day_of_faults_keeps_every_promise() {
    let hours = setting("KEEPTAB_SIM_HOURS", 24);
    let single = std::env::var("KEEPTAB_SIM_SEED").is_ok();
    let first = setting("KEEPTAB_SIM_SEED", 1);
    let count = if single {
        1
    } else {
        setting("KEEPTAB_SIM_SEEDS", 2)
    };
    for seed in first..first + count {
        // Named before it runs, so that a panic below shows which seed to repeat.
        println!("seed {seed}");
        let mut world = World::new(seed);
        world.run(Duration::from_secs(hours * 3600));
        let seen = world.finish();
        println!("  {seen:?}");
        if hours >= 24 {
            assert!(
                seen.losses > 20 && seen.settled > 1000,
                "nothing happened: {seen:?}"
            );
        }
    }
}
