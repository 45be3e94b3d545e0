//! Finding things by name.
use super::model::{Command, Domain, Event, Type};
use crate::generated::spec::{NAMES, SOURCES};

/// The names of all domains, sorted.
pub fn domain_names() -> &'static [&'static str] {
    NAMES
}

/// A domain by its exact name.
pub fn domain(name: &str) -> Option<&'static Domain> {
    let at = NAMES.binary_search(&name).ok()?;
    SOURCES.get(at)?.domain()
}

/// A command by its full name, such as `Page.navigate`.
pub fn command(method: &str) -> Option<&'static Command> {
    let (home, name) = method.split_once('.')?;
    domain(home)?.command(name)
}

/// The command that a command means: itself, or the one in the domain it moved to.
pub(super) fn follow(
    home: &'static Domain,
    command: &'static Command,
) -> (&'static Domain, &'static Command) {
    let moved = || {
        let home = domain(command.redirect?)?;
        Some((home, home.command(command.name)?))
    };
    moved().unwrap_or((home, command))
}

/// An event by its full name, such as `Page.frameNavigated`.
pub fn event(method: &str) -> Option<&'static Event> {
    let (home, name) = method.split_once('.')?;
    domain(home)?.event(name)
}

/// A type by its full name, such as `Page.Frame`.
pub fn type_(full_name: &str) -> Option<&'static Type> {
    let (home, name) = full_name.split_once('.')?;
    domain(home)?.type_(name)
}

/// The domain and the type that a `$ref` inside the domain `home` means.
pub fn resolve(home: &'static Domain, reference: &str) -> Option<(&'static Domain, &'static Type)> {
    let (home, name) = match reference.split_once('.') {
        Some((other, name)) => (domain(other)?, name),
        None => (home, reference),
    };
    Some((home, home.type_(name)?))
}
