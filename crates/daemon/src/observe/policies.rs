//! What a session did by itself, as an event.

use std::time::SystemTime;

use keeptab_buffers::Wall;
use serde_json::{Value, json};

use super::hub::STATE;
use super::observer::Observer;

impl Observer {
    /// A policy did something: `what` is a word for programs, `fields` the rest.
    pub(crate) fn tell_policy(&self, what: &str, text: &str, fields: impl FnOnce() -> Value) {
        self.hub.tell(STATE, &self.session, || {
            let mut event = json!({
                "event": "policy",
                "time": Wall::from(SystemTime::now()).rfc3339(),
                "session": self.session,
                "what": what,
                "text": text,
            });
            if let (Value::Object(event), Value::Object(fields)) = (&mut event, fields()) {
                event.extend(fields);
            }
            event
        });
    }
}
