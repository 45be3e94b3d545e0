//! Shortened command names: any beginning that fits one command only.

use std::ffi::OsString;

use clap::Command;
use keeptab_daemon::{ApiError, Code};

/// Writes out shortened command names, also those below a command (`keeptab dae sta` stays
/// ambiguous: start, status). The grammar must have been built.
///
/// # Errors
/// Several commands begin like that, or none does; the error names candidates.
pub(crate) fn expand(root: &Command, mut args: Vec<OsString>) -> Result<Vec<OsString>, ApiError> {
    let mut at = root;
    let mut index = 1;
    while index < args.len() && at.has_subcommands() {
        let Some(word) = args[index].to_str() else {
            break;
        };
        if word == "--" {
            break;
        }
        if let Some(flag) = word.strip_prefix('-') {
            let with_value = takes_value(at, flag) || takes_value(root, flag);
            index += if with_value { 2 } else { 1 };
            continue;
        }
        let Some(name) = complete(at, word)? else {
            break;
        };
        args[index] = name.clone().into();
        let Some(next) = at.find_subcommand(&name) else {
            break;
        };
        // `help` takes command names as arguments, which are shortened alike.
        at = if name == "help" { at } else { next };
        index += 1;
    }
    Ok(args)
}

/// Whether the flag's value is the next argument.
fn takes_value(command: &Command, flag: &str) -> bool {
    if flag.contains('=') {
        return false;
    }
    command.get_arguments().any(|arg| {
        let named = match flag.strip_prefix('-') {
            Some(long) => arg.get_long() == Some(long),
            // `-sNAME` carries its value with it.
            None => arg
                .get_short()
                .is_some_and(|short| flag.chars().eq([short])),
        };
        named && arg.get_action().takes_values()
    })
}

fn complete(at: &Command, word: &str) -> Result<Option<String>, ApiError> {
    let names: Vec<&str> = at
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(Command::get_name)
        .collect();
    if names.contains(&word) {
        return Ok(Some(word.to_owned()));
    }
    let fitting: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| name.starts_with(word))
        .collect();
    let below = at.get_bin_name().unwrap_or("keeptab");
    match fitting.as_slice() {
        [only] => Ok(Some((*only).to_owned())),
        // Not a command: a command that takes words as well knows what to do with it.
        [] if at.is_args_conflicts_with_subcommands_set() => Ok(None),
        [] => {
            let near = names.iter().min_by_key(|name| distance(name, word));
            let hint = match near {
                Some(near) if distance(near, word) <= 3 => format!("{below} {near}"),
                _ => format!("{below} --help"),
            };
            Err(ApiError::new(Code::Invalid, format!("there is no command \"{word}\"")).hint(hint))
        }
        several => Err(ApiError::new(
            Code::Invalid,
            format!("\"{word}\" fits several commands: {}", several.join(", ")),
        )
        .hint(format!("{below} {}", several[0]))),
    }
}

/// Edit distance, for words as short as ours.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    fn grammar() -> Command {
        let mut grammar = Cli::command();
        grammar.build();
        grammar
    }

    fn expanded(line: &str) -> Result<String, String> {
        let args = line.split(' ').map(OsString::from).collect();
        match expand(&grammar(), args) {
            Ok(args) => Ok(args.join(" ".as_ref()).into_string().unwrap()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn unique_beginnings_are_written_out() {
        for (short, long) in [
            ("keeptab sess", "keeptab sessions"),
            ("keeptab --json stat", "keeptab --json status"),
            (
                "keeptab --session open stat",
                "keeptab --session open status",
            ),
            ("keeptab -s open -q stat", "keeptab -s open -q status"),
            ("keeptab --session=op stat", "keeptab --session=op status"),
            ("keeptab d r", "keeptab d r"),
            ("keeptab dae rest", "keeptab daemon restart"),
            ("keeptab t n example.com", "keeptab tab new example.com"),
            ("keeptab js op", "keeptab js op"),
            ("keeptab help sess", "keeptab help sessions"),
            ("keeptab console --find s", "keeptab console --find s"),
            ("keeptab console s out.txt", "keeptab console save out.txt"),
            ("keeptab console 7", "keeptab console 7"),
        ] {
            match expanded(short) {
                Ok(found) => assert_eq!(found, long),
                Err(error) => assert!(error.contains("fits several"), "{short}: {error}"),
            }
        }
        assert_eq!(
            expanded("keeptab dae rest").unwrap(),
            "keeptab daemon restart"
        );
    }

    #[test]
    fn an_ambiguous_beginning_lists_what_fits() {
        let error = expanded("keeptab s").unwrap_err();
        assert!(error.contains("sessions, status, spec"), "{error}");
        let error = expanded("keeptab daemon st").unwrap_err();
        assert!(error.contains("start, stop, status"), "{error}");
    }

    #[test]
    fn an_unknown_command_names_the_nearest() {
        let args = ["keeptab", "opne"].map(OsString::from).to_vec();
        let error = expand(&grammar(), args).unwrap_err();
        assert_eq!(error.hint.as_deref(), Some("keeptab open"));
    }
}
