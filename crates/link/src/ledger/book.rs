//! The entries of one target, or of the browser: what the calls that were done make of them.
use std::collections::HashMap;

use keeptab_protocol::{Class, Raw};

use super::entry::{Entry, Kind};
use super::rules::{self, Rule};
use crate::Str;

/// What is set on one target, or on the browser.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(super) entries: HashMap<String, Entry>,
    pub(super) next: u64,
    /// Calls of `X.enable` that stay although another caller disables the domain, by method.
    pub(super) standing: HashMap<Str, Raw>,
}

impl Ledger {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.standing.clear();
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub(crate) fn forget(&mut self, key: &str) -> Option<Entry> {
        self.entries.remove(key)
    }

    /// This call leaves, and what it switches on is needed from now on.
    pub(crate) fn stand(&mut self, method: &Str, params: &Raw) {
        self.standing.insert(method.clone(), params.clone());
    }

    /// The browser has refused it.
    pub(crate) fn stands_not(&mut self, method: &Str) {
        self.standing.remove(method);
    }

    /// Whether anything is needed all the time.
    pub(crate) fn has_standing(&self) -> bool {
        !self.standing.is_empty()
    }

    /// The call that switches a needed domain on.
    pub(crate) fn standing(&self, method: &str) -> Option<(Str, Raw)> {
        let (method, params) = self.standing.get_key_value(method)?;
        Some((method.clone(), params.clone()))
    }

    /// The browser has done a call. Returns the answer to show instead of its own, where an id in it
    /// would be mistaken for another one that the caller knows.
    pub(crate) fn done(
        &mut self,
        method: &Str,
        params: &Raw,
        class: Class,
        seq: u64,
        answer: Option<&Raw>,
    ) -> Option<Raw> {
        match rules::rule(method, params, class) {
            Rule::Nothing => {}
            Rule::Set(key) => self.set(key, method, params, seq, Kind::Set),
            Rule::Fragile(key) => self.set(key, method, params, seq, Kind::Fragile),
            Rule::Forget(keys) => {
                let standing = &self.standing;
                self.entries.retain(|key, entry| {
                    if entry.seq > seq || !keys.iter().any(|other| rules::covers(other, key)) {
                        return true;
                    }
                    // Of a domain that is needed, only what others wished of it is taken back.
                    let needed = standing.get(&entry.method);
                    if let Some(params) = needed {
                        entry.params = params.clone();
                    }
                    needed.is_some()
                });
            }
            Rule::Remove { field, id } => self.remove(field, &id),
            // Without an answer nothing was created that lives on: ids die with their socket.
            Rule::Add { field } => return self.added(field, method, params, seq, answer?),
        }
        None
    }

    /// Whether a call that was made later has settled what this one is about.
    pub(crate) fn is_overtaken(&self, method: &Str, params: &Raw, class: Class, seq: u64) -> bool {
        let newer = |key: &str| self.entries.get(key).is_some_and(|entry| entry.seq > seq);
        match rules::rule(method, params, class) {
            Rule::Set(key) | Rule::Fragile(key) => newer(&key),
            Rule::Forget(keys) => self.entries.iter().any(|(key, entry)| {
                entry.seq > seq && keys.iter().any(|forgotten| rules::covers(forgotten, key))
            }),
            Rule::Nothing | Rule::Remove { .. } | Rule::Add { .. } => false,
        }
    }

    pub(super) fn set(&mut self, key: String, method: &Str, params: &Raw, seq: u64, kind: Kind) {
        self.next += 1;
        let mut order = self.next;
        if let Some(old) = self.entries.get(&key) {
            if old.seq > seq {
                return;
            }
            // What is enabled anew keeps its place: others were enabled on top of it.
            if method.ends_with(".enable") {
                order = old.order;
            }
        }
        let entry = Entry {
            method: method.clone(),
            params: params.clone(),
            seq,
            order,
            kind,
        };
        self.entries.insert(key, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Book;
    use super::*;

    #[test]
    fn the_last_call_wins_by_submission_and_not_by_answer() {
        let mut book = Book::default();
        book.at(
            5,
            "Emulation.setTimezoneOverride",
            r#"{"timezoneId":"B"}"#,
            "{}",
        );
        book.at(
            4,
            "Emulation.setTimezoneOverride",
            r#"{"timezoneId":"A"}"#,
            "{}",
        );
        let entry = book.0.get("Emulation.setTimezoneOverride").expect("set");
        assert!(entry.params.as_str().contains('B'));
        book.at(
            3,
            "Emulation.setTimezoneOverride",
            r#"{"timezoneId":""}"#,
            "{}",
        );
        assert_eq!(
            book.0.len(),
            1,
            "an older call does not take back a newer one"
        );
    }

    #[test]
    fn disabling_a_domain_forgets_all_of_it_but_not_its_namesake() {
        let mut book = Book::default();
        book.call("DOM.enable", "{}", "{}");
        book.call("DOMSnapshot.enable", "{}", "{}");
        book.call("Network.setUserAgentOverride", r#"{"userAgent":"A"}"#, "{}");
        book.call("Network.enable", "{}", "{}");
        book.call("DOM.disable", "{}", "{}");
        book.call("Network.disable", "{}", "{}");
        assert_eq!(
            book.order(),
            ["Network.setUserAgentOverride", "DOMSnapshot.enable"]
        );
    }

    #[test]
    fn a_later_call_about_the_same_overtakes_an_earlier_one() {
        let method = Str::from_static("Emulation.setDeviceMetricsOverride");
        let clear = Str::from_static("Emulation.clearDeviceMetricsOverride");
        let params = Raw::from_static(r#"{"width":1}"#);
        let mut ledger = Ledger::default();
        let class = Class::of(&method);
        ledger.done(&method, &params, class, 5, Some(&Raw::object_empty()));
        let overtaken = |method: &Str, seq| {
            ledger.is_overtaken(method, &Raw::object_empty(), Class::of(method), seq)
        };
        assert!(overtaken(&method, 4) && overtaken(&clear, 4));
        assert!(!overtaken(&method, 6) && !overtaken(&clear, 6));
        assert!(!overtaken(&Str::from_static("Runtime.evaluate"), 4));
    }
}
