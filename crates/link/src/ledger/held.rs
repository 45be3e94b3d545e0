//! Keys, buttons and fingers that are down. No release is sent by the browser when a socket goes.
use std::collections::BTreeMap;

use keeptab_protocol::Raw;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Str;

/// What input commands have pressed and not released, as far as they were sent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Held {
    /// By `code` or `key`; the event that pressed it.
    keys: BTreeMap<String, Map<String, Value>>,
    buttons: BTreeMap<String, Map<String, Value>>,
    touching: bool,
}

impl Held {
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.buttons.is_empty() && !self.touching
    }

    /// A command leaves us. Anything but `Input.dispatch…` is ignored. Returns whether something is
    /// held now that was not, or the other way round.
    pub(crate) fn sent(&mut self, method: &str, params: &Raw) -> bool {
        let Some(kind) = method.strip_prefix("Input.dispatch") else {
            return false;
        };
        let Ok(event) = params.parse::<Map<String, Value>>() else {
            return false;
        };
        let before = (self.keys.len(), self.buttons.len(), self.touching);
        let text = |field: &str| {
            event
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        match (kind, text("type").as_str()) {
            ("KeyEvent", "keyDown" | "rawKeyDown") => {
                self.keys.insert(key_name(&event), event);
            }
            ("KeyEvent", "keyUp") => {
                self.keys.remove(&key_name(&event));
            }
            ("MouseEvent", "mousePressed") => {
                self.buttons.insert(text("button"), event);
            }
            ("MouseEvent", "mouseReleased") => {
                self.buttons.remove(&text("button"));
            }
            ("MouseEvent", "mouseMoved") => {
                for pressed in self.buttons.values_mut() {
                    for field in ["x", "y"] {
                        if let Some(place) = event.get(field) {
                            pressed.insert(field.to_owned(), place.clone());
                        }
                    }
                }
            }
            ("TouchEvent", "touchStart" | "touchMove") => self.touching = true,
            ("TouchEvent", "touchEnd" | "touchCancel") => {
                self.touching = event
                    .get("touchPoints")
                    .and_then(Value::as_array)
                    .is_some_and(|left| !left.is_empty());
            }
            _ => {}
        }
        before != (self.keys.len(), self.buttons.len(), self.touching)
    }

    /// The commands that release everything, after which nothing is held.
    pub(crate) fn release(&mut self) -> Vec<(Str, Raw)> {
        let mut commands = Vec::new();
        for event in std::mem::take(&mut self.keys).into_values() {
            let kept = [
                "key",
                "code",
                "location",
                "windowsVirtualKeyCode",
                "nativeVirtualKeyCode",
            ];
            commands.push((
                "Input.dispatchKeyEvent",
                part(&event, &kept, json!({"type": "keyUp"})),
            ));
        }
        for event in std::mem::take(&mut self.buttons).into_values() {
            // No click count: letting go is not a click.
            let release = json!({"type": "mouseReleased", "clickCount": 0});
            commands.push((
                "Input.dispatchMouseEvent",
                part(&event, &["x", "y", "button"], release),
            ));
        }
        if std::mem::take(&mut self.touching) {
            commands.push((
                "Input.dispatchTouchEvent",
                json!({"type": "touchCancel", "touchPoints": []}),
            ));
        }
        commands
            .into_iter()
            .map(|(method, params)| (Str::from_static(method), Raw::from(params)))
            .collect()
    }
}

fn key_name(event: &Map<String, Value>) -> String {
    ["code", "key", "windowsVirtualKeyCode"]
        .iter()
        .filter_map(|field| event.get(*field))
        .map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
        .find(|name| !name.is_empty())
        .unwrap_or_default()
}

fn part(event: &Map<String, Value>, fields: &[&str], mut into: Value) -> Value {
    for field in fields {
        if let Some(value) = event.get(*field) {
            into[*field] = value.clone();
        }
    }
    into
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(held: &mut Held, method: &str, params: Value) {
        held.sent(method, &Raw::from(params));
    }

    #[test]
    fn what_is_down_is_released_once() {
        let mut held = Held::default();
        sent(
            &mut held,
            "Input.dispatchKeyEvent",
            json!({"type": "rawKeyDown", "key": "Shift", "code": "ShiftLeft"}),
        );
        sent(
            &mut held,
            "Input.dispatchKeyEvent",
            json!({"type": "keyDown", "key": "a", "code": "KeyA", "text": "a"}),
        );
        sent(
            &mut held,
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": "a", "code": "KeyA"}),
        );
        sent(
            &mut held,
            "Input.dispatchMouseEvent",
            json!({"type": "mousePressed", "x": 1, "y": 2, "button": "left"}),
        );
        sent(
            &mut held,
            "Input.dispatchMouseEvent",
            json!({"type": "mouseMoved", "x": 30, "y": 40}),
        );
        let released = held.release();
        assert_eq!(released.len(), 2);
        assert!(
            released[0].1.as_str().contains("ShiftLeft")
                && released[0].1.as_str().contains("keyUp")
        );
        assert!(
            released[1].1.as_str().contains("\"x\":30")
                && released[1].1.as_str().contains("mouseReleased")
        );
        assert!(held.is_empty());
        assert!(held.release().is_empty());
    }

    #[test]
    fn a_finger_that_was_lifted_is_not_cancelled() {
        let mut held = Held::default();
        sent(
            &mut held,
            "Input.dispatchTouchEvent",
            json!({"type": "touchStart", "touchPoints": [{"x": 1, "y": 1}]}),
        );
        assert!(!held.is_empty());
        sent(
            &mut held,
            "Input.dispatchTouchEvent",
            json!({"type": "touchEnd", "touchPoints": []}),
        );
        assert!(held.is_empty());
    }
}
