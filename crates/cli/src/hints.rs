//! Hints that can be typed as they are: what was given a session by flag must not be led into another one.

use std::borrow::Cow;

/// The program as hints name it.
const PROGRAM: &str = "keeptab ";

/// The commands that act on the session. Typed without `--session` they would act on another one.
const IN_A_SESSION: &[&str] = &[
    "open",
    "attach",
    "status",
    "reconnect",
    "adopt",
    "close",
    "tab",
    "dialog",
    "js",
    "console",
    "network",
    "clear",
];

/// The text with `--session NAME` in every command of ours that acts on a session and names none; as it is
/// when the caller gave no session by flag.
pub(crate) fn in_session<'a>(text: &'a str, session: Option<&str>) -> Cow<'a, str> {
    let Some(session) = session else {
        return Cow::Borrowed(text);
    };
    let mut out = String::new();
    let mut copied = 0;
    for (at, _) in text.match_indices(PROGRAM) {
        let is_word = text[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !(c.is_alphanumeric() || "-_./".contains(c)));
        let after = at + PROGRAM.len();
        let rest = &text[after..];
        let end = rest
            .find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(rest.len());
        if is_word && IN_A_SESSION.contains(&&rest[..end]) {
            out.push_str(&text[copied..after]);
            out.push_str(&flag(session));
            out.push(' ');
            copied = after;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The flag as a shell takes it.
fn flag(session: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name = if !session.is_empty() && session.chars().all(is_plain) {
        session.to_owned()
    } else {
        format!("'{}'", session.replace('\'', r"'\''"))
    };
    // A name that looks like a flag is only taken behind an equals sign.
    let between = if session.starts_with('-') { '=' } else { ' ' };
    format!("--session{between}{name}")
}

/// The session that a command line names by flag, however wrong the rest of it is.
pub(crate) fn session_named(args: &[std::ffi::OsString]) -> Option<String> {
    let mut args = args.iter().map(|arg| arg.to_string_lossy());
    while let Some(arg) = args.next() {
        if arg == "--" {
            return None;
        }
        if arg == "--session" || arg == "-s" {
            return args.next().map(Cow::into_owned);
        }
        let joined = arg.strip_prefix("--session=").or_else(|| {
            let short = arg.strip_prefix("-s").filter(|name| !name.is_empty())?;
            Some(short.strip_prefix('=').unwrap_or(short))
        });
        if let Some(name) = joined {
            return Some(name.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn a_hint_names_the_session_wherever_a_command_acts_on_one() {
        for (hint, literal) in [
            ("keeptab close", "keeptab --session f1 close"),
            (
                "keeptab close, or take another name: keeptab --session NAME attach",
                "keeptab --session f1 close, or take another name: keeptab --session NAME attach",
            ),
            (
                "keeptab sessions, or make it: keeptab open URL",
                "keeptab sessions, or make it: keeptab --session f1 open URL",
            ),
            (
                "usage: keeptab attach [OPTIONS]",
                "usage: keeptab --session f1 attach [OPTIONS]",
            ),
            ("keeptab", "keeptab"),
            ("keeptab is there", "keeptab is there"),
            ("keeptab tabs", "keeptab tabs"),
            ("/usr/bin/keeptab close", "/usr/bin/keeptab close"),
            ("keeptab daemon status", "keeptab daemon status"),
            ("keeptab help attach", "keeptab help attach"),
            (
                "give it longer: --timeout 120s",
                "give it longer: --timeout 120s",
            ),
        ] {
            assert_eq!(in_session(hint, Some("f1")), literal);
            assert_eq!(in_session(hint, None), hint);
        }
    }

    #[test]
    fn a_name_is_written_as_a_shell_takes_it() {
        for (name, shown) in [
            ("my-shop.1", "--session my-shop.1"),
            ("my shop", "--session 'my shop'"),
            ("it's", r"--session 'it'\''s'"),
            ("", "--session ''"),
            ("-x", "--session=-x"),
        ] {
            let hint = format!("keeptab {shown} close");
            assert_eq!(in_session("keeptab close", Some(name)), hint);
        }
    }

    /// A new command must be put on one side or the other.
    #[test]
    fn every_command_acts_on_the_session_or_does_not() {
        let elsewhere = [
            "sessions",
            "spec",
            "browsers",
            "doctor",
            "sweep",
            "daemon",
            "completions",
            "version",
        ];
        let grammar = Cli::command();
        let mut known: Vec<&str> = grammar.get_subcommands().map(|c| c.get_name()).collect();
        let mut sorted: Vec<&str> = IN_A_SESSION.iter().chain(&elsewhere).copied().collect();
        known.sort_unstable();
        sorted.sort_unstable();
        assert_eq!(known, sorted);
    }

    #[test]
    fn the_session_of_a_wrong_line_is_known() {
        for (line, name) in [
            ("keeptab -s f1 attch", Some("f1")),
            ("keeptab attch --session f1", Some("f1")),
            ("keeptab --session=f1 attch", Some("f1")),
            ("keeptab -sf1 attch", Some("f1")),
            ("keeptab attch", None),
            ("keeptab js -- -s f1", None),
        ] {
            let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(session_named(&args).as_deref(), name, "{line}");
        }
    }
}
