//! Ids that the browser hands out for what was added: they die with their connection, and callers go on
//! using those that they were told.
use keeptab_protocol::Raw;
use serde_json::Value;

use super::book::Ledger;
use super::entry::{Entry, Kind};
use super::rules;
use crate::Str;

impl Ledger {
    /// Something was added. Returns the answer to show instead, where its id is one that the caller knows already.
    pub(super) fn added(
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

    /// What has this id was removed.
    pub(super) fn remove(&mut self, field: &'static str, id: &str) {
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
}

#[cfg(test)]
mod tests {
    use super::super::sample::Book;
    use super::*;

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
}
