//! One domain: its text, and what it says once somebody asked.
use std::sync::OnceLock;

use super::model::Domain;

pub(crate) struct Source {
    json: &'static str,
    parsed: OnceLock<Option<Domain>>,
}

impl Source {
    pub(crate) const fn new(json: &'static str) -> Self {
        Self {
            json,
            parsed: OnceLock::new(),
        }
    }

    /// The parsed domain. `None` cannot happen with the text that is built in; a test reads all.
    pub(crate) fn domain(&'static self) -> Option<&'static Domain> {
        self.parsed
            .get_or_init(|| serde_json::from_str(self.json).ok())
            .as_ref()
    }
}
