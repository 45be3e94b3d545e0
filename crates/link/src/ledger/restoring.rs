//! What a ledger says when everything is to be set again.
use super::book::Ledger;
use super::entry::{Entry, Kind};
use super::rules::{self, Phase};
use crate::Stream;

impl Ledger {
    /// Everything to be set again, in order; first what stands alone, then what needs an id that
    /// the first part hands out.
    pub(crate) fn to_restore(&self) -> (Vec<String>, Vec<String>) {
        let mut entries: Vec<(&String, &Entry)> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.kind != Kind::Fragile)
            .collect();
        entries.sort_unstable_by_key(|(_, entry)| entry.place());
        let (alone, dependent): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .partition(|(_, entry)| !entry.needs_id());
        let keys =
            |part: Vec<(&String, &Entry)>| part.into_iter().map(|(key, _)| key.clone()).collect();
        (keys(alone), keys(dependent))
    }

    /// Takes out what cannot be set again: it ended with its connection.
    pub(crate) fn take_fragile(&mut self) -> Vec<Entry> {
        let keys: Vec<String> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.kind == Kind::Fragile)
            .map(|(key, _)| key.clone())
            .collect();
        keys.iter()
            .filter_map(|key| self.entries.remove(key))
            .collect()
    }

    pub(crate) fn has_init_scripts(&self) -> bool {
        self.entries
            .values()
            .any(|entry| rules::phase(&entry.method) == Phase::Scripts)
    }

    /// The streams of events that are on.
    pub(crate) fn streams(&self) -> Vec<Stream> {
        let mut streams: Vec<Stream> = self.entries.values().filter_map(Entry::stream).collect();
        streams.sort_unstable();
        streams.dedup();
        streams
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Book;

    #[test]
    fn guards_come_first_and_everything_else_in_its_phase() {
        let mut book = Book::default();
        for method in [
            "Runtime.enable",
            "Network.enable",
            "Emulation.setDeviceMetricsOverride",
            "Page.setBypassCSP",
        ] {
            book.call(method, "{}", "{}");
        }
        book.call("Runtime.addBinding", r#"{"name":"b"}"#, "{}");
        book.script("1", "1");
        book.call("Fetch.enable", "{}", "{}");
        assert_eq!(
            book.order(),
            [
                "Fetch.enable",
                "Page.setBypassCSP",
                "Page.addScriptToEvaluateOnNewDocument",
                "Runtime.addBinding",
                "Network.enable",
                "Emulation.setDeviceMetricsOverride",
                "Runtime.enable",
            ]
        );
    }

    #[test]
    fn enabling_a_base_domain_again_keeps_its_place() {
        let mut book = Book::default();
        for method in ["DOM.enable", "CSS.enable", "DOM.enable"] {
            book.call(method, "{}", "{}");
        }
        assert_eq!(book.order(), ["DOM.enable", "CSS.enable"]);
    }

    #[test]
    fn a_recording_is_declared_lost_and_not_started_again() {
        let mut book = Book::default();
        book.call("Tracing.start", "{}", "{}");
        book.call("Profiler.start", "{}", "{}");
        book.call("Profiler.stop", "{}", "{}");
        assert!(book.order().is_empty());
        let lost = book.0.take_fragile();
        assert_eq!(lost.len(), 1);
        assert_eq!(lost[0].method, "Tracing.start");
        assert!(book.0.is_empty());
    }
}
