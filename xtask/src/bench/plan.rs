//! What to measure: the workloads, how often, and with which clients.

/// One workload and how it is reported.
#[derive(Debug, Clone, Copy)]
pub(super) struct Workload {
    /// What the clients call it.
    pub(super) name: &'static str,
    /// What the report calls it.
    pub(super) title: &'static str,
    /// Its size, for a whole run and for a quick one.
    n: usize,
    quick: usize,
    /// In how many of the rounds it runs; the long ones run less often.
    rounds: usize,
    /// What is compared.
    pub(super) measure: Measure,
}

/// What a workload's main figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// The median of one operation; wall time and processor time too.
    Each,
    /// The wall time of the whole, and the processor time per operation.
    Whole,
    /// The wall time, and the peak of memory.
    Large,
}

const fn workload(
    name: &'static str,
    title: &'static str,
    n: usize,
    quick: usize,
    rounds: usize,
    measure: Measure,
) -> Workload {
    Workload {
        name,
        title,
        n,
        quick,
        rounds,
        measure,
    }
}

const MB: usize = 1 << 20;

const WORKLOADS: &[Workload] = &[
    workload(
        "evaluate",
        "W1 Runtime.evaluate, one by one",
        2000,
        300,
        7,
        Measure::Each,
    ),
    workload(
        "version",
        "W1 Browser.getVersion, one by one",
        2000,
        300,
        7,
        Measure::Each,
    ),
    workload(
        "pipelined",
        "W2 20,000 evaluates, 64 in flight",
        20_000,
        2000,
        5,
        Measure::Whole,
    ),
    workload(
        "screenshot",
        "W3 screenshot 1920×8000",
        1,
        1,
        1,
        Measure::Large,
    ),
    workload(
        "string",
        "W3 20 MB string, ASCII",
        20 * MB,
        2 * MB,
        5,
        Measure::Large,
    ),
    workload(
        "mixed_string",
        "W3 20 MB string, mixed",
        20 * MB,
        2 * MB,
        5,
        Measure::Large,
    ),
    workload("body", "W3 30 MB response body", 30, 3, 5, Measure::Large),
    workload(
        "console",
        "W4 20,000 console messages",
        20_000,
        2000,
        3,
        Measure::Whole,
    ),
    workload(
        "network",
        "W4 2,000 fetches (12,000 events)",
        2000,
        200,
        1,
        Measure::Whole,
    ),
    workload(
        "tabs",
        "W5 50 tabs, evaluate round-robin",
        1000,
        100,
        1,
        Measure::Each,
    ),
    workload(
        "tree",
        "W7 AX tree of 5,000 elements",
        5000,
        500,
        3,
        Measure::Large,
    ),
];

/// The names of all workloads.
pub(super) fn names() -> Vec<&'static str> {
    WORKLOADS.iter().map(|work| work.name).collect()
}

/// In how many rounds the peers take part: what is promised is a ratio to the floor, and some of them take ten times as
/// long as all of ours.
const ROUNDS_OF_PEERS: usize = 2;

impl Workload {
    /// Whether it runs in this round, counted from 0.
    pub(super) fn runs_in(&self, round: usize) -> bool {
        round < self.rounds
    }
}

/// What the command line asked for.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) quick: bool,
    /// Whether to build keeptab and to fetch the peers, or to take those of the last time.
    pub(super) build: bool,
    pub(super) rounds: usize,
    pub(super) workloads: Vec<Workload>,
    pub(super) whole: bool,
    pub(super) faults: bool,
    only: Vec<String>,
    complete: bool,
}

impl Plan {
    pub(super) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut plan = Self {
            quick: false,
            build: true,
            rounds: 7,
            workloads: Vec::new(),
            whole: false,
            faults: false,
            only: Vec::new(),
            complete: true,
        };
        while let Some(argument) = args.next() {
            match argument.as_str() {
                "--quick" => (plan.quick, plan.rounds) = (true, plan.rounds.min(2)),
                "--no-build" => plan.build = false,
                "--rounds" => {
                    let number = args
                        .next()
                        .and_then(|text| text.parse().ok())
                        .filter(|n| *n > 0);
                    plan.rounds = number.ok_or("--rounds takes a number from 1")?;
                }
                "--only" => {
                    let names = args.next().ok_or("--only takes names of clients")?;
                    plan.only = names.split(',').map(str::to_owned).collect();
                    plan.complete = false;
                }
                "whole" => plan.whole = true,
                "faults" => plan.faults = true,
                name => {
                    let found = WORKLOADS.iter().find(|work| work.name == name);
                    plan.workloads
                        .push(*found.ok_or_else(|| format!("no workload '{name}'"))?);
                }
            }
        }
        if plan.workloads.is_empty() && !plan.whole && !plan.faults {
            plan.workloads = WORKLOADS.to_vec();
            (plan.whole, plan.faults) = (true, true);
        } else {
            plan.complete = false;
        }
        Ok(plan)
    }

    /// How large a workload is for this client.
    pub(super) fn size(&self, work: &Workload, client: &str) -> usize {
        let n = if self.quick { work.quick } else { work.n };
        // It waits for 100 ms in most commands; more of them would only take longer.
        if client == "headless_chrome" {
            n.min(20)
        } else {
            n
        }
    }

    /// Whether a client takes part in this round, counted from 0.
    pub(super) fn has_turn(client: &str, round: usize) -> bool {
        round < ROUNDS_OF_PEERS || client.starts_with("floor") || client.starts_with("keeptab")
    }

    /// Whether this client can do this work at all: headless_chrome waits between looks for an answer, and would take
    /// minutes.
    pub(super) fn can(work: &Workload, client: &str) -> bool {
        client != "headless_chrome" || matches!(work.name, "evaluate" | "version")
    }

    /// Whether a client takes part. The floor always does: without it there is no ratio.
    pub(super) fn wants(&self, client: &str) -> bool {
        client.starts_with(super::client::FLOOR)
            || self.only.is_empty()
            || self.only.iter().any(|name| name == client)
    }

    /// Whether this is a whole run, whose figures are kept.
    pub(super) fn is_complete(&self) -> bool {
        self.complete && !self.quick
    }
}

#[cfg(test)]
mod tests {
    use super::Plan;

    fn parse(words: &[&str]) -> Result<Plan, String> {
        Plan::parse(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn everything_unless_something_is_named() {
        let all = parse(&[]).unwrap();
        assert!(all.is_complete() && all.whole && all.faults && all.workloads.len() > 8);
        let one = parse(&["evaluate"]).unwrap();
        assert!(!one.is_complete() && !one.whole && one.workloads.len() == 1);
        assert!(parse(&["nothing"]).is_err());
        assert!(parse(&["--rounds", "0"]).is_err());
    }

    #[test]
    fn peers_take_part_in_the_first_rounds_only() {
        for client in ["floor-tokio", "keeptab-kept", "puppeteer"] {
            assert!(Plan::has_turn(client, 1), "{client}");
        }
        assert!(Plan::has_turn("keeptab", 6) && !Plan::has_turn("puppeteer", 2));
    }

    #[test]
    fn the_floor_is_always_there() {
        let plan = parse(&["--only", "keeptab"]).unwrap();
        assert!(plan.wants("keeptab") && plan.wants("floor") && !plan.wants("puppeteer"));
    }
}
