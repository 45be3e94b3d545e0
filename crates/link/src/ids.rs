//! The names of things: connections, targets, commands.
use std::fmt;
use std::sync::Arc;

/// One physical connection of a link, counted from 1. Zero before the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Epoch(pub u32);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A CDP target id. It survives sockets, and dies with the browser. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetId(Arc<str>);

const HANDLE_PREFIX: &str = "target:";

impl TargetId {
    /// The id as Chromium wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The stable stand-in for a CDP session id: `target:<id>`.
    pub fn handle(&self) -> String {
        format!("{HANDLE_PREFIX}{}", self.0)
    }

    /// The target that a handle names; `None` for anything that is not a handle.
    pub fn from_handle(handle: &str) -> Option<Self> {
        let id = handle.strip_prefix(HANDLE_PREFIX)?;
        (!id.is_empty()).then(|| Self::from(id))
    }
}

impl From<&str> for TargetId {
    fn from(id: &str) -> Self {
        Self(Arc::from(id))
    }
}

impl From<String> for TargetId {
    fn from(id: String) -> Self {
        Self(Arc::from(id))
    }
}

impl std::borrow::Borrow<str> for TargetId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetId({})", self.0)
    }
}

/// Where a command goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Route {
    /// To the browser itself.
    Browser,
    /// To one target: a tab, an out-of-process frame, a worker.
    Target(TargetId),
}

impl Route {
    /// The target, when there is one.
    pub fn target(&self) -> Option<&TargetId> {
        match self {
            Self::Browser => None,
            Self::Target(id) => Some(id),
        }
    }
}

/// Names one submitted command; chosen by the caller, who keeps it unique among the unsettled ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_names_its_target_and_nothing_else_does() {
        let id = TargetId::from("ABC");
        assert_eq!(id.handle(), "target:ABC");
        assert_eq!(TargetId::from_handle("target:ABC"), Some(id));
        assert_eq!(TargetId::from_handle("target:"), None);
        assert_eq!(
            TargetId::from_handle("0123456789ABCDEF0123456789ABCDEF"),
            None
        );
    }
}
