//! What a caller hands in.
use std::time::Duration;

use keeptab_protocol::{Class, Raw};

use crate::{Route, Str, Token};

/// One command to send.
#[derive(Debug, Clone)]
pub struct Submit {
    /// Names the command in its [`crate::Output::Settle`].
    pub token: Token,
    /// Where it goes.
    pub route: Route,
    /// Full name, such as `Page.navigate`.
    pub method: Str,
    /// The parameters, one JSON object. Ids that die with a socket stay as the link handed them out.
    pub params: Raw,
    /// Time from submission to settlement at the latest; `None` for [`crate::Config::default_timeout`].
    pub timeout: Option<Duration>,
    /// Overrides the class of the method, for a caller who knows that a repetition is harmless (or
    /// that it is not).
    pub class: Option<Class>,
    /// For `X.enable`: the domain is needed until the target is gone. When another caller sends
    /// `X.disable`, it is switched on again right behind that.
    pub standing: bool,
}

impl Submit {
    /// A command with the default deadline and the class of its method.
    pub fn new(token: Token, route: Route, method: impl Into<Str>, params: Raw) -> Self {
        Self {
            token,
            route,
            method: method.into(),
            params,
            timeout: None,
            class: None,
            standing: false,
        }
    }

    /// The same for a method by its name. One of the spec is looked up here, once and for all.
    pub fn by_name(token: Token, route: Route, method: &str, params: Raw) -> Self {
        let known = Class::table();
        match known.binary_search_by_key(&method, |(name, _)| name) {
            Ok(at) => Self {
                class: Some(known[at].1),
                ..Self::new(token, route, Str::from_static(known[at].0), params)
            },
            Err(_) => Self::new(token, route, method, params),
        }
    }
}
