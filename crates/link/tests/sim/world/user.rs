//! A user of the link: what is asked of it, and with which purpose.

use bytes::Bytes;
use keeptab_link::{Config, Route, Submit, TargetId, Token};
use keeptab_protocol::Raw;
use serde_json::{Value, json};

use super::{SECOND, World};
use crate::promises::Purpose;

impl World {
    /// A user sends a handful of commands at once, to tabs that were there when they looked.
    pub(super) fn user_acts(&mut self) {
        let Some(tab) = self.some_tab() else { return };
        let target = TargetId::from(tab.as_str());
        for _ in 0..=self.chance.below(4) {
            self.last_token += 1;
            let token = Token(self.last_token);
            let (method, params, purpose) = match self.chance.below(10) {
                0..4 => {
                    let counter = format!("{}_{tab}", self.last_token);
                    let name = format!("globalThis.once_{counter}");
                    let expression = format!("{name} = ({name} || 0) + 1");
                    let params = json!({"expression": expression, "returnByValue": true});
                    ("Runtime.evaluate", params, Purpose::Effect { counter })
                }
                4..6 => {
                    let agent = format!("Agent/{}", self.last_token);
                    let params = json!({"userAgent": agent});
                    (
                        "Emulation.setUserAgentOverride",
                        params,
                        Purpose::SetUserAgent(agent),
                    )
                }
                6..8 => {
                    let params =
                        json!({"expression": "navigator.userAgent", "returnByValue": true});
                    ("Runtime.evaluate", params, Purpose::ReadUserAgent)
                }
                8 => ("Page.reload", json!({}), Purpose::Other),
                _ => ("Page.getNavigationHistory", json!({}), Purpose::Other),
            };
            let timeout = self.chance.between(SECOND / 2, SECOND * 40);
            let mut submit = self.submit(token, method, params, Some(target.clone()));
            submit.timeout = Some(timeout);
            self.tell(|| format!("submit   {token:?} {method} {purpose:?} to {tab}"));
            self.promises
                .submitted(token, purpose, Some(target.clone()), self.now + timeout);
            self.link.submit(self.now, submit);
        }
    }

    /// A command that nobody looks at the answer of.
    pub(super) fn command(
        &mut self,
        method: &'static str,
        params: Value,
        target: Option<TargetId>,
    ) -> Submit {
        self.last_token += 1;
        let token = Token(self.last_token);
        let due = self.now + Config::default().default_timeout;
        self.promises
            .submitted(token, Purpose::Other, target.clone(), due);
        self.submit(token, method, params, target)
    }

    fn submit(
        &self,
        token: Token,
        method: &'static str,
        params: Value,
        target: Option<TargetId>,
    ) -> Submit {
        let route = target.map_or(Route::Browser, Route::Target);
        let params = Raw::from_utf8(Bytes::from(params.to_string())).unwrap();
        Submit::new(token, route, method, params)
    }
}
