//! The tables: ratios to the floor first, absolute figures of the floor beside them.

use super::client::{FLOOR, Figures, Sample};
use super::faults::Losses;
use super::install::Kit;
use super::plan::{Measure, Plan, Workload};
use super::tracking::Tracking;
use super::whole::{Timing, Whole, is_floor};
use crate::steps::{Failed, root};
use std::fmt::Write;

/// Writes the whole report as Markdown.
pub(super) fn write(
    plan: &Plan,
    kit: &Kit,
    figures: &Figures,
    whole: &Whole,
    losses: &Losses,
    tracking: Option<Tracking>,
) -> String {
    let mut text = String::from(
        "## Measured side by side\n\n\
         Written by `cargo xtask bench`. Every client does the same work against the same browser in interleaved rounds; the\n\
         figures are medians, as ratios to the *floor*: a blocking WebSocket loop in Rust that parses nothing. *floor-tokio* is the same loop\n\
         that waits in tokio. Clients that use the pipe have a browser of their own. The peers take part in the first two rounds.\n\
         `—`: not possible with this client, or not measured.\n\n",
    );
    let _ = writeln!(text, "{}\n", machine());
    for (measure, title, what) in [
        (
            Measure::Each,
            "One operation at a time",
            "p50 of one operation × floor · wall time × floor · client CPU µs per operation",
        ),
        (
            Measure::Whole,
            "Many at once",
            "wall time × floor · client CPU µs per operation",
        ),
        (
            Measure::Large,
            "Large results",
            "wall time × floor · peak memory × floor",
        ),
    ] {
        let works: Vec<&Workload> = plan
            .workloads
            .iter()
            .filter(|work| work.measure == measure)
            .collect();
        if !works.is_empty() {
            let _ = write!(text, "### {title}\n\n{what}\n\n");
            table(&mut text, kit, figures, &works);
        }
    }
    processes(&mut text, whole);
    recovery(&mut text, losses);
    if let Some(Tracking {
        evaluate_us,
        link_us,
    }) = tracking
    {
        let _ = write!(
            text,
            "### Tracking\n\nAll that the link does for one evaluate on a tab with 7 settings, its message and its answer's \
             envelope included: {link_us:.1} of {evaluate_us:.0} µs, {:.1} % of the round trip.\n\n",
            link_us / evaluate_us * 100.0
        );
    }
    let missing = kit
        .missing
        .iter()
        .map(|(name, why)| format!("{name}: {why}"));
    let failed = figures
        .failures
        .iter()
        .map(|((work, client), why)| format!("{client}, {work}: {why}"));
    let notes: Vec<String> = missing.chain(failed).collect();
    if !notes.is_empty() {
        let _ = writeln!(text, "### Not measured\n\n- {}", notes.join("\n- "));
    }
    text
}

/// Keeps the report of a complete run.
pub(super) fn save(plan: &Plan, text: &str) -> Result<(), Failed> {
    if !plan.is_complete() {
        println!("(a part of the workloads: bench/RESULTS.md stays as it is)");
        return Ok(());
    }
    let file = root().join("bench/RESULTS.md");
    let old = std::fs::read_to_string(&file).unwrap_or_default();
    std::fs::write(&file, beneath(&old, text))
        .map_err(|error| Failed::new(format!("cannot write {}: {error}", file.display())))?;
    println!("written to bench/RESULTS.md");
    Ok(())
}

/// Parts what people wrote about the figures from the figures.
const MARK: &str = "<!-- What follows is written by `cargo xtask bench`. -->\n\n";

/// A new report beneath what people wrote above the old one.
fn beneath(old: &str, text: &str) -> String {
    let written = old.split_once(MARK).map_or("", |(written, _)| written);
    format!("{written}{MARK}{text}")
}

fn table(text: &mut String, kit: &Kit, figures: &Figures, works: &[&Workload]) {
    let titles: Vec<&str> = works.iter().map(|work| work.title).collect();
    let _ = writeln!(
        text,
        "| | {} |\n|---|{}",
        titles.join(" | "),
        "---|".repeat(titles.len())
    );
    for recipe in &kit.clients {
        let cells: Vec<String> = works
            .iter()
            .map(|work| cell(figures, work, recipe.name))
            .collect();
        if cells.iter().any(|cell| cell != "—") {
            let _ = writeln!(text, "| {} | {} |", recipe.name, cells.join(" | "));
        }
    }
    text.push('\n');
}

fn cell(figures: &Figures, work: &Workload, client: &'static str) -> String {
    let median = |name, pick: fn(&Sample) -> f64| {
        let samples = figures.samples.get(&(work.name, name))?;
        middle(samples.iter().map(pick).collect())
    };
    let wall: fn(&Sample) -> f64 = |sample| sample.wall_us;
    let p50: fn(&Sample) -> f64 = |sample| sample.p50_us.unwrap_or(0.0);
    let peak: fn(&Sample) -> f64 = |sample| sample.peak_mb;
    let Some(own_wall) = median(client, wall) else {
        return "—".into();
    };
    let cpu = median(client, |sample| sample.cpu_us_each).unwrap_or(0.0);
    let ratio = |pick| -> String {
        match (median(client, pick), median(FLOOR, pick)) {
            (Some(own), Some(floor)) if floor > 0.0 => format!("{:.2}", own / floor),
            _ => "—".into(),
        }
    };
    let of_floor = client == FLOOR;
    match work.measure {
        Measure::Each if of_floor => {
            let own = median(client, p50).unwrap_or(0.0);
            format!("1.00 ({own:.0} µs) · 1.00 · {cpu:.1}")
        }
        // The wall time of the tabs is that of opening them.
        Measure::Each => {
            // A client that does fewer operations has no comparable wall time.
            let wall = if client == "headless_chrome" {
                "—".into()
            } else {
                ratio(wall)
            };
            format!("{} · {wall} · {cpu:.1}", ratio(p50))
        }
        Measure::Whole if of_floor => format!("1.00 ({:.0} ms) · {cpu:.1}", own_wall / 1000.0),
        Measure::Whole => format!("{} · {cpu:.1}", ratio(wall)),
        Measure::Large if of_floor => {
            let own = median(client, peak).unwrap_or(0.0);
            format!("1.00 ({:.0} ms) · 1.00 ({own:.0} MB)", own_wall / 1000.0)
        }
        Measure::Large => format!("{} · {}", ratio(wall), ratio(peak)),
    }
}

fn processes(text: &mut String, whole: &Whole) {
    for (title, timings) in [
        ("Whole processes: one command, everything up", &whole.warm),
        (
            "Whole processes: a running browser, to the first result",
            &whole.cold,
        ),
        (
            "Whole processes: no browser yet, to the first result",
            &whole.launch,
        ),
    ] {
        if timings.is_empty() {
            continue;
        }
        let floor = timings
            .iter()
            .find(|timing| is_floor(&timing.name))
            .map_or(1.0, |timing| timing.ms);
        let _ = write!(
            text,
            "### {title}\n\n| | ms | × floor | from – to, ms |\n|---|---|---|---|\n"
        );
        for Timing {
            name,
            ms,
            least,
            most,
        } in timings
        {
            let _ = writeln!(
                text,
                "| {name} | {ms:.2} | {:.2} | {least:.2} – {most:.2} |",
                ms / floor
            );
        }
        text.push('\n');
    }
    if let Some(daemon) = &whole.daemon {
        let _ = write!(
            text,
            "### The daemon\n\n| | |\n|---|---|\n\
             | resident with one idle session | {:.1} MB |\n\
             | each further session | {:.2} MB |\n\
             | one sandbox worker | {:.1} MB |\n\
             | one keeper | {:.1} MB |\n\
             | processor time while idle | {:.3} % |\n\n",
            daemon.one_session_mb,
            daemon.per_session_mb,
            daemon.worker_mb,
            daemon.keeper_mb,
            daemon.idle_percent
        );
    }
}

fn recovery(text: &mut String, losses: &Losses) {
    if losses.reset.is_empty() {
        return;
    }
    let row =
        |pick: fn(&super::faults::Reset) -> f64| spread(losses.reset.iter().map(pick).collect());
    let _ = write!(
        text,
        "### Losses on purpose\n\n| | p50 · p95 · most, ms |\n|---|---|\n\
         | TCP reset with 5 tabs and 7 settings each: noticed | {} |\n\
         | … connected again, everything restored | {} |\n\
         | … each tab answered, its settings in force | {} |\n\
         | the same connection and settings by hand: the browser's own part | {} |\n",
        row(|reset| reset.noticed_ms),
        row(|reset| reset.connected_ms),
        row(|reset| reset.usable_ms),
        spread(losses.by_hand_ms.clone()),
    );
    for (name, ms) in [
        ("default", losses.hole_default_ms),
        ("fast", losses.hole_fast_ms),
    ] {
        if let Some(ms) = ms {
            let _ = writeln!(text, "| black hole, {name} timings: noticed | {ms:.0} |");
        }
    }
    text.push('\n');
}

/// The median, the 95th percentile and the most.
fn spread(mut values: Vec<f64>) -> String {
    values.sort_unstable_by(f64::total_cmp);
    let at = |part: usize| {
        let place = (values.len() * part / 100).min(values.len().saturating_sub(1));
        values.get(place).copied().unwrap_or(0.0)
    };
    format!("{:.1} · {:.1} · {:.1}", at(50), at(95), at(100))
}

fn middle(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// What it was measured on.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "Machine: {} {}, {cores} processors, shared.",
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

#[cfg(test)]
mod tests {
    use super::{MARK, beneath, middle};

    #[test]
    fn a_new_report_leaves_what_people_wrote() {
        let first = beneath("", "one");
        assert_eq!(first, format!("{MARK}one"));
        assert_eq!(
            beneath(&format!("words\n{first}"), "two"),
            format!("words\n{MARK}two")
        );
    }

    #[test]
    fn the_middle_is_a_median() {
        assert_eq!(middle(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(middle(Vec::new()), None);
    }
}
