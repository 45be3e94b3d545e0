//! Whether what was set on a page is what the page sees.
use keeptab_protocol::Raw;
use serde_json::{Value, json};

use crate::ledger::Ledger;

const USER_AGENT: &str = "Emulation.setUserAgentOverride";
const TIMEZONE: &str = "Emulation.setTimezoneOverride";
const LOCALE: &str = "Emulation.setLocaleOverride";
const METRICS: &str = "Emulation.setDeviceMetricsOverride";

/// The parameters of a `Runtime.evaluate` that compares what is set with what the page sees, one
/// `true`, `false` or `null` per setting. `None` when nothing is set that can be read back.
pub(crate) fn question(ledger: &Ledger) -> Option<Raw> {
    let set = |key: &str| {
        ledger
            .get(key)
            .and_then(|entry| entry.params.parse::<Value>().ok())
    };
    let text =
        |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let agent = set(USER_AGENT)
        .and_then(|value| text(&value, "userAgent"))
        .map(|agent| format!("navigator.userAgent==={}", Value::from(agent)));
    let zone = set(TIMEZONE).and_then(|value| text(&value, "timezoneId")).map(|zone| {
        // Asking for the zone by name gives the name that the page would see for it.
        let zone = Value::from(zone);
        format!(
            "Intl.DateTimeFormat('en',{{timeZone:{zone}}}).resolvedOptions().timeZone===Intl.DateTimeFormat().resolvedOptions().timeZone"
        )
    });
    let locale = set(LOCALE)
        .and_then(|value| text(&value, "locale"))
        .map(|locale| {
            let language = locale
                .split(['-', '_'])
                .next()
                .unwrap_or_default()
                .to_owned();
            format!(
                "Intl.DateTimeFormat().resolvedOptions().locale.startsWith({})",
                Value::from(language)
            )
        });
    let size = set(METRICS).and_then(|value| {
        let side = |field: &str| {
            value
                .get(field)
                .and_then(Value::as_u64)
                .filter(|side| *side > 0)
        };
        let plain = value.get("mobile") != Some(&Value::Bool(true)) && value.get("scale").is_none();
        let (width, height) = (side("width")?, side("height")?);
        plain.then(|| format!("innerWidth==={width}&&innerHeight==={height}"))
    });
    let parts = [agent, zone, locale, size];
    if parts.iter().all(Option::is_none) {
        return None;
    }
    let parts = parts.map(|part| part.unwrap_or_else(|| "null".to_owned()));
    Some(Raw::from(json!({
        "expression": format!("[{}]", parts.join(",")),
        "returnByValue": true,
        "throwOnSideEffect": true,
        "silent": true,
    })))
}

/// The keys of what the page does not see as it was set, each with the reason. An answer that says
/// nothing (the page replaced what is asked, or scripts are off) accuses nothing.
pub(crate) fn differences(answer: &Raw) -> Vec<(String, String)> {
    let Ok(answer) = answer.parse::<Value>() else {
        return Vec::new();
    };
    let Some(verdicts) = answer.pointer("/result/value").and_then(Value::as_array) else {
        return Vec::new();
    };
    let keys = [
        (USER_AGENT, "user agent"),
        (TIMEZONE, "time zone"),
        (LOCALE, "locale"),
        (METRICS, "size of the viewport"),
    ];
    keys.iter()
        .zip(verdicts)
        .filter(|(_, verdict)| **verdict == Value::Bool(false))
        .map(|((key, what), _)| ((*key).to_owned(), format!("the page sees another {what}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use keeptab_protocol::Class;

    use super::*;
    use crate::Str;

    fn ledger(calls: &[(&str, &str)]) -> Ledger {
        let mut ledger = Ledger::default();
        for (seq, (method, params)) in (1..).zip(calls) {
            let params = Raw::from((*params).to_owned());
            ledger.done(
                &Str::from(*method),
                &params,
                Class::of(method),
                seq,
                Some(&Raw::object_empty()),
            );
        }
        ledger
    }

    #[test]
    fn nothing_is_asked_when_nothing_can_be_read_back() {
        assert_eq!(
            question(&ledger(&[("Page.setBypassCSP", r#"{"enabled":true}"#)])),
            None
        );
        let mobile = r#"{"width":400,"height":300,"deviceScaleFactor":1,"mobile":true}"#;
        assert_eq!(question(&ledger(&[(METRICS, mobile)])), None);
    }

    #[test]
    fn a_value_cannot_break_out_of_the_question() {
        let asked = question(&ledger(&[(
            "Network.setUserAgentOverride",
            r#"{"userAgent":"a\";alert(1)//"}"#,
        )]));
        let asked: Value = asked.expect("asked").parse().expect("JSON");
        assert_eq!(
            asked["expression"],
            r#"[navigator.userAgent==="a\";alert(1)//",null,null,null]"#
        );
    }

    #[test]
    fn only_a_clear_no_is_a_difference() {
        let of = |value: Value| differences(&Raw::from(json!({"result": {"value": value}}))).len();
        assert_eq!(of(json!([true, false, null, true])), 1);
        assert_eq!(of(json!([null, null, null, null])), 0);
        assert_eq!(of(json!("nonsense")), 0);
        assert_eq!(
            differences(&Raw::from_static(r#"{"exceptionDetails":{}}"#)).len(),
            0
        );
    }
}
