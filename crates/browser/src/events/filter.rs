//! Which events a reader wants.
use keeptab_link::{EventMsg, TargetId};
use keeptab_protocol::Event;

/// Which events a reader gets. Notices about the link itself ([`Notice`](super::Notice)) always come.
///
/// ```
/// use keeptab_browser::EventFilter;
///
/// let everything = EventFilter::all();
/// let console = EventFilter::methods(["Runtime.consoleAPICalled", "Runtime.exceptionThrown"]);
/// let network = EventFilter::domains(["Network", "Fetch"]);
/// # let _ = (everything, console, network);
/// ```
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    names: Option<Vec<Name>>,
    target: Option<Option<TargetId>>,
}

#[derive(Debug, Clone)]
enum Name {
    Method(String),
    Domain(String),
}

impl EventFilter {
    /// Every event of every target.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only these events, such as `Page.frameNavigated`.
    pub fn methods<T: Into<String>>(methods: impl IntoIterator<Item = T>) -> Self {
        let names = methods.into_iter().map(|name| Name::Method(name.into()));
        Self {
            names: Some(names.collect()),
            target: None,
        }
    }

    /// Only this typed event.
    pub fn of<E: Event>() -> Self {
        Self::methods([E::METHOD])
    }

    /// Only events of these domains, such as `Network`.
    pub fn domains<T: Into<String>>(domains: impl IntoIterator<Item = T>) -> Self {
        let names = domains.into_iter().map(|name| Name::Domain(name.into()));
        Self {
            names: Some(names.collect()),
            target: None,
        }
    }

    /// Adds one event by name.
    #[must_use]
    pub fn and_method(mut self, method: impl Into<String>) -> Self {
        let name = Name::Method(method.into());
        self.names.get_or_insert_default().push(name);
        self
    }

    /// Only events of this target.
    #[must_use]
    pub fn on(mut self, target: TargetId) -> Self {
        self.target = Some(Some(target));
        self
    }

    /// Only events of the browser itself, which belong to no target.
    #[must_use]
    pub fn on_browser(mut self) -> Self {
        self.target = Some(None);
        self
    }

    /// Whether a reader with this filter gets this event.
    pub fn wants(&self, event: &EventMsg) -> bool {
        self.wants_target(event.target.as_ref()) && self.wants_method(event.method.as_ref())
    }

    fn wants_target(&self, target: Option<&TargetId>) -> bool {
        match &self.target {
            None => true,
            Some(only) => only.as_ref() == target,
        }
    }

    fn wants_method(&self, method: &str) -> bool {
        let Some(names) = &self.names else {
            return true;
        };
        names.iter().any(|name| match name {
            Name::Method(wanted) => wanted == method,
            Name::Domain(wanted) => method
                .strip_prefix(wanted.as_str())
                .is_some_and(|rest| rest.starts_with('.')),
        })
    }
}
