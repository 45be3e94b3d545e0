//! The reference as people read it: every help page, as one snapshot.

use crate::bed::Bed;

#[test]
fn the_reference() {
    let bed = Bed::new();
    let commands = [
        "open",
        "attach",
        "sessions",
        "status",
        "reconnect",
        "adopt",
        "close",
        "tab",
        "tab new",
        "tab switch",
        "tab reload",
        "tab close",
        "dialog",
        "dialog accept",
        "dialog dismiss",
        "js",
        "console",
        "console save",
        "network",
        "network save",
        "clear",
        "spec",
        "browsers",
        "doctor",
        "sweep",
        "daemon",
        "daemon start",
        "daemon stop",
        "daemon restart",
        "daemon status",
        "daemon logs",
        "daemon run",
        "completions",
        "version",
    ];
    let mut pages = page(&bed, &["--help"]);
    for command in commands {
        let mut args: Vec<&str> = command.split(' ').collect();
        args.push("--help");
        pages.push_str(&page(&bed, &args));
    }
    insta::assert_snapshot!(pages);
}

fn page(bed: &Bed, args: &[&str]) -> String {
    let text = bed.ok(args);
    let text: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("$ keeptab {}\n{}\n\n", args.join(" "), text.join("\n"))
}

#[test]
fn every_command_shows_examples() {
    let bed = Bed::new();
    let top = bed.ok(["--help"]);
    let commands: Vec<&str> = top
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let help = bed.ok([command, "--help"]);
        assert!(help.contains("Examples:\n  keeptab "), "{command}: {help}");
    }
}
