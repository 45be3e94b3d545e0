//! The tour in README.md, typed line by line. `…` in it stands for any text.

use std::path::Path;
use std::process::Command;

use crate::bed::Bed;

struct Line {
    command: String,
    shown: String,
}

/// The commands of all `console` blocks, each with what is shown below it.
fn tour() -> Vec<Line> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(readme).expect("README.md");
    let mut lines: Vec<Line> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match (inside, line) {
            (false, "```console") => inside = true,
            (true, "```") => inside = false,
            (true, line) => match line.strip_prefix("$ ") {
                Some(command) => {
                    lines.push(Line {
                        command: command.into(),
                        shown: String::new(),
                    });
                }
                None => {
                    let last = lines.last_mut().expect("a block begins with a command");
                    last.shown.push_str(line);
                    last.shown.push('\n');
                }
            },
            (false, _) => {}
        }
    }
    lines
}

/// Whether `text` reads as shown, with `…` for anything.
fn reads_as(shown: &str, text: &str) -> bool {
    let mut parts = shown.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn every_line_of_the_tour_does_what_it_shows() {
    let bed = Bed::new();
    let program = Path::new(env!("CARGO_BIN_EXE_keeptab"));
    let path = std::env::join_paths(
        std::iter::once(program.parent().expect("a folder").to_owned()).chain(
            std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()),
        ),
    )
    .expect("a path");
    let home = bed.command();
    let settings = home
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    let settings: Vec<_> = settings
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    let lines = tour();
    assert!(lines.len() > 10, "the tour is not where it was");
    for Line { command, shown } in lines {
        // As on a terminal: both streams, in the order in which they come.
        let output = Command::new("bash")
            .args(["-c", &format!("{command} 2>&1")])
            .env("PATH", &path)
            .envs(settings.iter().map(|(k, v)| (k, v)))
            .output()
            .expect("bash");
        let text = String::from_utf8_lossy(&output.stdout);
        let should_fail = shown.starts_with("Error");
        assert_eq!(output.status.success(), !should_fail, "{command}\n{text}");
        assert!(
            reads_as(&shown, &text),
            "{command}\nshown:\n{shown}\nis:\n{text}"
        );
    }
}

#[test]
fn an_ellipsis_stands_for_any_text() {
    assert!(reads_as("Shop\n", "Shop\n"));
    assert!(reads_as("… - Shop […]\n", "data:x - Shop [587D]\n"));
    assert!(reads_as(
        "Error: no\n…\nhint: yes\n…\n",
        "Error: no\n  at\nhint: yes\n  try\n"
    ));
    assert!(!reads_as("Shop\n", "Shop \n"));
    assert!(!reads_as("… (epoch 2)…", "default: Connected (epoch 1)"));
    assert!(!reads_as("", "something"));
}
