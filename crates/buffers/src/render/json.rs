//! An entry for programs.

use serde_json::{Map, Value, json as value};

use crate::entry::{Body, Console, ConsoleKind, Entry, Headers, Network, Outcome, What};
use crate::gap::{Gap, Verdict};
use crate::wall::Wall;

/// An entry as one JSON object. `kind` is `console`, `network` or `gap`. Text
/// is as the page gave it: JSON escapes what a terminal must not see.
pub fn json(entry: &Entry) -> Value {
    let mut object = Map::new();
    object.insert("number".into(), entry.number.into());
    object.insert("time".into(), entry.at.rfc3339().into());
    object.insert("target".into(), entry.target.as_deref().into());
    let (kind, fields) = match &entry.what {
        What::Console(console) => ("console", console_fields(console)),
        What::Network(network) => ("network", network_fields(network)),
        What::Gap(gap) => ("gap", gap_fields(gap)),
    };
    object.insert("kind".into(), kind.into());
    if let Value::Object(fields) = fields {
        object.extend(fields);
    }
    Value::Object(object)
}

fn console_fields(console: &Console) -> Value {
    let (source, call) = match &console.kind {
        ConsoleKind::Api(call) => ("console", Some(call)),
        ConsoleKind::Exception => ("exception", None),
        ConsoleKind::Log(source) => (source.as_str(), None),
    };
    // Kept as text, and valid: it was cut from the event whole.
    let args = console
        .args
        .as_deref()
        .and_then(|args| serde_json::from_str::<Value>(args).ok());
    value!({
        "level": console.level,
        "source": source,
        "call": call,
        "text": console.text,
        "stack": console.stack,
        "args": args,
        "request_id": console.request_id,
        "frame": console.frame.as_deref(),
        "recovered": console.recovered,
    })
}

fn network_fields(network: &Network) -> Value {
    let (outcome, error) = match &network.outcome {
        Outcome::Pending => ("pending", None),
        Outcome::Finished => ("finished", None),
        Outcome::Redirected => ("redirected", None),
        Outcome::Unknown => ("unknown", None),
        Outcome::Failed {
            error,
            canceled,
            blocked,
        } => (
            "failed",
            Some(value!({"message": error, "canceled": canceled, "blocked": blocked})),
        ),
    };
    let body = match &network.body {
        Body::None => Value::Null,
        Body::Text(text) => value!({"text": text}),
        Body::File(file) => value!({"sha256": file.hash, "bytes": file.bytes}),
        Body::NotKept { why } => value!({"not_kept": why}),
        Body::TooLarge { bytes } => value!({"too_large": true, "bytes": bytes}),
    };
    value!({
        "request_id": network.request_id,
        "hop": network.hop,
        "method": network.method,
        "url": network.url,
        "type": network.kind,
        "initiator": network.initiator,
        "request_headers": pairs(&network.request_headers),
        "post_data": network.post_data,
        "status": network.status,
        "status_text": network.status_text,
        "response_headers": pairs(&network.response_headers),
        "mime": network.mime,
        "protocol": network.protocol,
        "remote": network.remote,
        "served": network.served,
        "bytes": network.bytes,
        "duration_ms": network.duration_ms,
        "timing": network.timing,
        "outcome": outcome,
        "error": error,
        "body": body,
        "frames": network.frames,
    })
}

/// A list, because a name may come twice.
fn pairs(headers: &Headers) -> Value {
    headers
        .iter()
        .map(|(name, content)| value!({"name": name, "value": content}))
        .collect()
}

fn gap_fields(gap: &Gap) -> Value {
    let (result, recovered, why) = match &gap.verdict {
        Verdict::Open => ("open", None, None),
        Verdict::Complete { recovered } => ("complete", Some(recovered), None),
        Verdict::Partial { recovered, why } => ("partial", Some(recovered), Some(why)),
        Verdict::Unknown { why } => ("unknown", None, Some(why)),
    };
    value!({
        "from": gap.from.rfc3339(),
        "noticed": gap.noticed.rfc3339(),
        "to": gap.to.map(Wall::rfc3339),
        "epoch_from": gap.epoch_from,
        "epoch_to": gap.epoch_to,
        "cause": gap.cause,
        "same_browser": gap.same_browser,
        "result": result,
        "recovered": recovered,
        "why": why,
        "missed": gap.missed,
        "unknown_outcomes": gap.unknown_outcomes,
        "unknown_methods": gap.unknown_methods,
        "without_init_scripts": gap.without_init_scripts,
        "targets_gone": gap.gone,
        "targets_new": gap.new,
    })
}
