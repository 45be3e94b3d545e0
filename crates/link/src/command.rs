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
        }
    }
}
