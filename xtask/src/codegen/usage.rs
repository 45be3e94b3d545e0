//! Which way a type travels, and where it contains itself.
use std::collections::{BTreeMap, BTreeSet};

use super::schema::{Domain, Field, Kind, Shape, Type, resolve};

/// A type by domain and id.
pub(super) type TypeKey = (String, String);

/// What the whole protocol says about its types.
pub(super) struct Usage {
    sent: BTreeSet<TypeKey>,
    received: BTreeSet<TypeKey>,
    by_value: BTreeMap<TypeKey, BTreeSet<TypeKey>>,
}

impl Usage {
    pub(super) fn of(domains: &[Domain]) -> Self {
        let mut types = BTreeMap::new();
        for domain in domains {
            for t in &domain.types {
                types.insert((domain.domain.clone(), t.id.clone()), t);
            }
        }
        let mut usage = Self {
            sent: BTreeSet::new(),
            received: BTreeSet::new(),
            by_value: by_value_edges(&types),
        };
        for domain in domains {
            let home = &domain.domain;
            for command in &domain.commands {
                spread(home, &command.parameters, &types, &mut usage.sent);
                spread(home, &command.returns, &types, &mut usage.received);
            }
            for event in &domain.events {
                spread(home, &event.parameters, &types, &mut usage.received);
            }
        }
        // A type that nothing uses counts as received, so that it is good for something.
        for (key, t) in &types {
            if !usage.sent.contains(key) && usage.received.insert(key.clone()) {
                spread_shape(&key.0, &t.shape, &types, &mut usage.received);
                spread(&key.0, &t.properties, &types, &mut usage.received);
            }
        }
        usage
    }

    /// Whether the type is part of what we send.
    pub(super) fn is_sent(&self, key: &TypeKey) -> bool {
        self.sent.contains(key)
    }

    /// Whether the type is part of what we receive.
    pub(super) fn is_received(&self, key: &TypeKey) -> bool {
        self.received.contains(key)
    }

    /// Whether a field of type `inner` inside `outer` must be boxed, because `inner` holds an
    /// `outer` by value.
    pub(super) fn needs_box(&self, outer: &TypeKey, inner: &TypeKey) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![inner];
        while let Some(key) = open.pop() {
            if key == outer {
                return true;
            }
            if seen.insert(key) {
                open.extend(self.by_value.get(key).into_iter().flatten());
            }
        }
        false
    }
}

/// Marks every type that is reachable from the fields.
fn spread(
    home: &str,
    fields: &[Field],
    types: &BTreeMap<TypeKey, &Type>,
    marked: &mut BTreeSet<TypeKey>,
) {
    for field in fields {
        spread_shape(home, &field.shape, types, marked);
    }
}

fn spread_shape(
    home: &str,
    shape: &Shape,
    types: &BTreeMap<TypeKey, &Type>,
    marked: &mut BTreeSet<TypeKey>,
) {
    if let Some(items) = &shape.items {
        spread_shape(home, items, types, marked);
    }
    let Some(reference) = &shape.reference else {
        return;
    };
    let (domain, id) = resolve(home, reference);
    let key = (domain.to_owned(), id.to_owned());
    if let Some(t) = types.get(&key)
        && marked.insert(key)
    {
        spread_shape(domain, &t.shape, types, marked);
        spread(domain, &t.properties, types, marked);
    }
}

/// For each type, the types whose values lie inside its own (not behind a `Vec`).
fn by_value_edges(types: &BTreeMap<TypeKey, &Type>) -> BTreeMap<TypeKey, BTreeSet<TypeKey>> {
    types
        .iter()
        .map(|(key, t)| {
            let inside = t
                .properties
                .iter()
                .filter(|field| field.shape.kind != Some(Kind::Array))
                .filter_map(|field| field.shape.reference.as_deref())
                .map(|reference| {
                    let (domain, id) = resolve(&key.0, reference);
                    (domain.to_owned(), id.to_owned())
                })
                .collect();
            (key.clone(), inside)
        })
        .collect()
}
