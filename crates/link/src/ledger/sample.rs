//! A ledger for the tests of this room.
use keeptab_protocol::{Class, Raw};

use super::book::Ledger;
use crate::Str;

/// A ledger that numbers its calls.
#[derive(Default)]
pub(super) struct Book(pub(super) Ledger, u64);

impl Book {
    pub(super) fn call(&mut self, method: &str, params: &str, answer: &str) -> Option<Raw> {
        self.1 += 1;
        self.at(self.1, method, params, answer)
    }

    pub(super) fn at(&mut self, seq: u64, method: &str, params: &str, answer: &str) -> Option<Raw> {
        let (params, answer) = (Raw::from(params.to_owned()), Raw::from(answer.to_owned()));
        self.0.done(
            &Str::from(method),
            &params,
            Class::of(method),
            seq,
            Some(&answer),
        )
    }

    pub(super) fn order(&self) -> Vec<String> {
        let (alone, dependent) = self.0.to_restore();
        alone
            .iter()
            .chain(&dependent)
            .map(|key| self.0.entries[key].method.to_string())
            .collect()
    }

    pub(super) fn script(&mut self, source: &str, id: &str) -> Option<Raw> {
        let params = format!(r#"{{"source":"{source}"}}"#);
        self.call(
            "Page.addScriptToEvaluateOnNewDocument",
            &params,
            &format!(r#"{{"identifier":"{id}"}}"#),
        )
    }
}
