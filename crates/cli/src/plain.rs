//! The commonest call in its plainest forms, which need no parser: `keeptab [--session NAME] [--json] js CODE`.
//!
//! Setting up the grammar of all commands costs more than everything else that such a call does in this process.
//! What is not exactly one of these forms is left to the grammar, and means there what it means here.

use std::ffi::OsString;

use crate::args::Globals;

/// Snippet and flags of a plain call; `None` for anything else. `args` are those after the program's name.
pub(crate) fn snippet(args: &[OsString]) -> Option<(Globals, String)> {
    let (code, before) = args.split_last()?;
    let (command, flags) = before.split_last()?;
    if command != "js" {
        return None;
    }
    let code = value(code.to_str()?)?;
    let mut session = None;
    let mut json = false;
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        match flag.to_str()? {
            "--session" | "-s" if session.is_none() => {
                session = Some(value(flags.next()?.to_str()?)?);
            }
            "--json" if !json => json = true,
            _ => return None,
        }
    }
    let mut globals = Globals::from_env();
    globals.json = json;
    if let Some(session) = session {
        globals.session = session;
        globals.is_session_named = true;
    }
    Some((globals, code))
}

/// A value that cannot be taken for a flag.
fn value(text: &str) -> Option<String> {
    (!text.starts_with('-')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::{Cli, Command};

    fn words(line: &[&str]) -> Vec<OsString> {
        line.iter().map(OsString::from).collect()
    }

    #[test]
    fn a_plain_call_means_what_the_grammar_makes_of_it() {
        for line in [
            &["js", "1 + 1"][..],
            &["js", ""],
            &["--session", "shop", "js", "1 + 1"],
            &["-s", "shop", "js", "1 + 1"],
            &["--json", "-s", "js", "js", "js"],
            &["--session", "", "--json", "js", "1"],
        ] {
            let (globals, code) = snippet(&words(line)).unwrap();
            let line_of_all = [&["keeptab"], line].concat();
            let matches = Cli::command().try_get_matches_from(line_of_all).unwrap();
            let cli = Cli::of(&matches).unwrap();
            let Command::Js(parsed) = cli.command else {
                panic!("{line:?} is no snippet");
            };
            assert_eq!(parsed.plain_code(), Some(code.as_str()), "{line:?}");
            assert_eq!(
                format!("{globals:?}"),
                format!("{:?}", cli.globals),
                "{line:?}"
            );
        }
    }

    #[test]
    fn anything_else_is_left_to_the_grammar() {
        for line in [
            &[][..],
            &["js"],
            &["js", "-"],
            &["js", "--help"],
            &["js", "-f", "a.js"],
            &["js", "--strict", "1"],
            &["--session", "js", "1"],
            &["--session", "-x", "js", "1"],
            &["--session", "a", "--session", "b", "js", "1"],
            &["--json", "--json", "js", "1"],
            &["--session=a", "js", "1"],
            &["--quiet", "js", "1"],
            &["--timeout", "1s", "js", "1"],
            &["-s", "js", "1"],
            &["jsx", "1"],
            &["tab", "js", "1"],
        ] {
            assert!(snippet(&words(line)).is_none(), "{line:?}");
        }
    }
}
