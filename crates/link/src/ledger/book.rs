//! The entries of one target, or of the browser.
use std::collections::HashMap;

use keeptab_protocol::{Class, Raw};
use serde_json::Value;

use super::rules::{self, Phase, Rule};
use crate::{Str, Stream};

/// Something that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) method: Str,
    /// As the caller gave them.
    pub(crate) params: Raw,
    /// Submission order of the call, by which the last one wins.
    pub(super) seq: u64,
    /// Place among the others when they are set again.
    pub(super) order: u64,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Set,
    Fragile,
    /// `shown` is the id that the caller knows, `real` the one of the present connection.
    Added {
        field: &'static str,
        shown: String,
        real: String,
    },
}

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

    fn set(&mut self, key: String, method: &Str, params: &Raw, seq: u64, kind: Kind) {
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

    fn added(
        &mut self,
        field: &'static str,
        method: &Str,
        params: &Raw,
        seq: u64,
        answer: &Raw,
    ) -> Option<Raw> {
        let mut answer: Value = answer.parse().ok()?;
        let real = answer.get(field)?.as_str()?.to_owned();
        let mut shown = real.clone();
        let mut suffix = 1;
        while self.entries.contains_key(&rules::joined(field, &[&shown])) {
            suffix += 1;
            shown = format!("{real}.{suffix}");
        }
        let renamed = shown != real;
        let key = rules::joined(field, &[&shown]);
        self.set(
            key,
            method,
            params,
            seq,
            Kind::Added {
                field,
                shown: shown.clone(),
                real,
            },
        );
        if !renamed {
            return None;
        }
        answer[field] = Value::String(shown);
        Some(Raw::from(answer))
    }

    fn remove(&mut self, field: &'static str, id: &str) {
        self.entries.remove(&rules::joined(field, &[id]));
        if field == "authenticatorId" {
            self.entries.retain(|_, entry| {
                rules::id_field(&entry.method) != Some(field)
                    || entry.id_in_params(field).as_deref() != Some(id)
            });
        }
    }

    /// Parameters with the ids of the present connection; `None` when they are right as they are.
    pub(crate) fn translate(&self, method: &str, params: &Raw) -> Option<Raw> {
        let field = rules::id_field(method)?;
        let differs = self.entries.values().any(|entry| {
            matches!(&entry.kind, Kind::Added { field: other, shown, real } if *other == field && shown != real)
        });
        if !differs {
            return None;
        }
        let mut value: Value = params.parse().ok()?;
        let shown = value.get(field)?.as_str()?;
        match &self.entries.get(&rules::joined(field, &[shown]))?.kind {
            Kind::Added { real, .. } => {
                value[field] = Value::String(real.clone());
                Some(Raw::from(value))
            }
            _ => None,
        }
    }

    /// An event about an authenticator: keeps its credentials, and shows the id the caller knows.
    pub(crate) fn event(&mut self, method: &str, params: &Raw) -> Option<Raw> {
        const FIELD: &str = "authenticatorId";
        if !method.starts_with("WebAuthn.credential") {
            return None;
        }
        let mut value: Value = params.parse().ok()?;
        let real = value.get(FIELD)?.as_str()?.to_owned();
        let shown = self.entries.values().find_map(|entry| match &entry.kind {
            Kind::Added {
                field: FIELD,
                shown,
                real: other,
            } if *other == real => Some(shown.clone()),
            _ => None,
        })?;
        value[FIELD] = Value::String(shown.clone());
        let id = value
            .pointer("/credential/credentialId")
            .or_else(|| value.get("credentialId"));
        let key = id
            .and_then(Value::as_str)
            .map(|id| rules::joined("WebAuthn.addCredential", &[&shown, id]));
        let shown_params = Raw::from(value);
        if let Some(key) = key {
            if method == "WebAuthn.credentialDeleted" {
                self.entries.remove(&key);
            } else {
                let method = Str::from_static("WebAuthn.addCredential");
                self.set(key, &method, &shown_params, u64::MAX, Kind::Set);
            }
        }
        (shown != real).then_some(shown_params)
    }

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

    /// An entry is in force again; ids that it was given anew are noted.
    pub(crate) fn restored(&mut self, key: &str, answer: &Raw) {
        if let Some(Entry {
            kind: Kind::Added { field, real, .. },
            ..
        }) = self.entries.get_mut(key)
        {
            let id = answer
                .parse::<Value>()
                .ok()
                .and_then(|value| Some(value.get(*field)?.as_str()?.to_owned()));
            if let Some(id) = id {
                *real = id;
            }
        }
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

impl Entry {
    fn place(&self) -> (Phase, bool, u64) {
        (
            rules::phase(&self.method),
            !self.method.ends_with(".enable"),
            self.order,
        )
    }

    fn needs_id(&self) -> bool {
        !matches!(self.kind, Kind::Added { .. })
            && rules::id_field(&self.method).is_some_and(|field| self.id_in_params(field).is_some())
    }

    fn id_in_params(&self, field: &str) -> Option<String> {
        Some(
            self.params
                .parse::<Value>()
                .ok()?
                .get(field)?
                .as_str()?
                .to_owned(),
        )
    }

    fn stream(&self) -> Option<Stream> {
        Some(match &*self.method {
            "Runtime.enable" | "Log.enable" | "Console.enable" => Stream::Console,
            "Network.enable" => Stream::Network,
            "Fetch.enable" => Stream::Interception,
            "Page.enable" | "Page.setLifecycleEventsEnabled" => Stream::Page,
            "Page.startScreencast" => Stream::Screencast,
            "Target.setDiscoverTargets" | "Target.setAutoAttach" => Stream::Targets,
            "Browser.setDownloadBehavior" => Stream::Downloads,
            // These send no events of their own.
            "Inspector.enable" | "WebAuthn.enable" | "Security.enable" => return None,
            method if method.ends_with(".enable") => Stream::Other,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Book(Ledger, u64);

    impl Book {
        fn call(&mut self, method: &str, params: &str, answer: &str) -> Option<Raw> {
            self.1 += 1;
            self.at(self.1, method, params, answer)
        }

        fn at(&mut self, seq: u64, method: &str, params: &str, answer: &str) -> Option<Raw> {
            let (params, answer) = (Raw::from(params.to_owned()), Raw::from(answer.to_owned()));
            self.0.done(
                &Str::from(method),
                &params,
                Class::of(method),
                seq,
                Some(&answer),
            )
        }

        fn order(&self) -> Vec<String> {
            let (alone, dependent) = self.0.to_restore();
            alone
                .iter()
                .chain(&dependent)
                .map(|key| self.0.entries[key].method.to_string())
                .collect()
        }

        fn script(&mut self, source: &str, id: &str) -> Option<Raw> {
            let params = format!(r#"{{"source":"{source}"}}"#);
            self.call(
                "Page.addScriptToEvaluateOnNewDocument",
                &params,
                &format!(r#"{{"identifier":"{id}"}}"#),
            )
        }
    }

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
    fn enabling_a_base_domain_again_keeps_its_place() {
        let mut book = Book::default();
        for method in ["DOM.enable", "CSS.enable", "DOM.enable"] {
            book.call(method, "{}", "{}");
        }
        assert_eq!(book.order(), ["DOM.enable", "CSS.enable"]);
    }

    #[test]
    fn script_ids_stay_the_ones_that_the_caller_knows() {
        let mut book = Book::default();
        for id in ["1", "2", "3"] {
            assert_eq!(
                book.script(id, id),
                None,
                "an id that names nothing else is shown as it is"
            );
        }
        for id in ["1", "2"] {
            book.call(
                "Page.removeScriptToEvaluateOnNewDocument",
                &format!(r#"{{"identifier":"{id}"}}"#),
                "{}",
            );
        }
        // After a reconnect the remaining script is the first one.
        let (keys, _) = book.0.to_restore();
        book.0
            .restored(&keys[0], &Raw::from_static(r#"{"identifier":"1"}"#));
        let remove = Raw::from_static(r#"{"identifier":"3"}"#);
        let real = book
            .0
            .translate("Page.removeScriptToEvaluateOnNewDocument", &remove);
        assert_eq!(real, Some(Raw::from_static(r#"{"identifier":"1"}"#)));
        // The next two get 2 and 3; the caller already knows another 3.
        assert_eq!(book.script("d", "2"), None);
        assert_eq!(
            book.script("e", "3"),
            Some(Raw::from_static(r#"{"identifier":"3.2"}"#))
        );
        let remove = Raw::from_static(r#"{"identifier":"3.2"}"#);
        let real = book
            .0
            .translate("Page.removeScriptToEvaluateOnNewDocument", &remove);
        assert_eq!(real, Some(Raw::from_static(r#"{"identifier":"3"}"#)));
    }

    #[test]
    fn credentials_of_a_virtual_authenticator_come_back_after_it() {
        let mut book = Book::default();
        book.call("WebAuthn.enable", "{}", "{}");
        book.call(
            "WebAuthn.addVirtualAuthenticator",
            r#"{"options":{}}"#,
            r#"{"authenticatorId":"a"}"#,
        );
        let made = Raw::from_static(
            r#"{"authenticatorId":"a","credential":{"credentialId":"c","signCount":1}}"#,
        );
        assert_eq!(book.0.event("WebAuthn.credentialAdded", &made), None);
        let (alone, dependent) = book.0.to_restore();
        assert_eq!((alone.len(), dependent.len()), (2, 1));
        book.0
            .restored(&alone[1], &Raw::from_static(r#"{"authenticatorId":"z"}"#));
        let entry = book.0.get(&dependent[0]).expect("kept").clone();
        let real = book
            .0
            .translate(&entry.method, &entry.params)
            .expect("translated");
        assert!(real.as_str().contains(r#""authenticatorId":"z""#), "{real}");
        book.call(
            "WebAuthn.removeVirtualAuthenticator",
            r#"{"authenticatorId":"a"}"#,
            "{}",
        );
        assert_eq!(book.order(), ["WebAuthn.enable"]);
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
