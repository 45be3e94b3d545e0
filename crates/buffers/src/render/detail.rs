//! All that is known of one entry, on several lines.

use crate::entry::{Body, Console, ConsoleKind, Entry, Headers, Network, Outcome, What};
use crate::gap::Gap;
use crate::text::{block, one_line, size, span};

use super::line::{Shape, label, place, served, verdict};

/// `name: value` lines and indented lists.
#[derive(Default)]
struct Sheet(String);

impl Sheet {
    fn field(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.0.push_str(&format!("{name}: {}\n", one_line(value)));
        }
    }

    fn heading(&mut self, name: &str) {
        self.0.push_str(&format!("{name}:\n"));
    }

    fn indented(&mut self, text: &str) {
        for line in block(text).lines() {
            self.0.push_str(&format!("  {line}\n"));
        }
    }

    fn headers(&mut self, name: &str, headers: &Headers) {
        if !headers.is_empty() {
            self.heading(name);
            for (name, value) in headers {
                for value in value.lines() {
                    self.indented(&format!("{name}: {value}"));
                }
            }
        }
    }
}

/// All that is known of an entry, in lines that end in line breaks. `body` is
/// the answer's body when the caller has read it.
pub fn detail(entry: &Entry, body: Option<&str>, shape: Shape) -> String {
    let mut sheet = Sheet::default();
    let clock = entry.at.clock(shape.utc_offset);
    match &entry.what {
        What::Console(console) => {
            sheet.0.push_str(&format!(
                "{:02} [{clock}] {}\n",
                entry.number,
                label(console)
            ));
            console_sheet(&mut sheet, console);
        }
        What::Network(network) => {
            let method = one_line(&network.method);
            let url = one_line(&network.url);
            sheet
                .0
                .push_str(&format!("{:02} [{clock}] {method} {url}\n", entry.number));
            network_sheet(&mut sheet, network, body);
        }
        What::Gap(gap) => {
            sheet.0.push_str(&format!("{:02} GAP\n", entry.number));
            gap_sheet(&mut sheet, gap);
        }
    }
    if let Some(target) = &entry.target {
        sheet.field("target", target);
    }
    sheet.0
}

fn console_sheet(sheet: &mut Sheet, console: &Console) {
    let source = match &console.kind {
        ConsoleKind::Api(call) => format!("console.{call}"),
        ConsoleKind::Exception => "uncaught exception".into(),
        ConsoleKind::Log(source) => format!("browser ({source})"),
    };
    sheet.field("source", &source);
    sheet.heading("message");
    sheet.indented(&console.text);
    if !console.stack.is_empty() {
        sheet.heading("stack");
        for frame in &console.stack {
            if let Some(how) = &frame.joined_by {
                sheet.indented(&format!("-- {} --", one_line(how)));
            }
            let name = if frame.function.is_empty() {
                "(anonymous)"
            } else {
                &frame.function
            };
            sheet.indented(&format!("at {} ({})", one_line(name), place(frame)));
        }
    }
    if let Some(args) = &console.args {
        sheet.heading("args");
        sheet.indented(args);
    }
    sheet.field("request", console.request_id.as_deref().unwrap_or_default());
    sheet.field("frame", console.frame.as_deref().unwrap_or_default());
    if console.recovered {
        sheet.field("recovered", "yes, from the browser's own store after a gap");
    }
}

fn network_sheet(sheet: &mut Sheet, network: &Network, body: Option<&str>) {
    let outcome = match &network.outcome {
        Outcome::Pending => "under way".into(),
        Outcome::Finished => "finished".into(),
        Outcome::Redirected => "redirected; the next hop has the same request id".into(),
        Outcome::Unknown => "unknown: the connection was lost while it was under way".into(),
        Outcome::Failed {
            error,
            canceled,
            blocked,
        } => {
            let canceled = if *canceled { ", canceled" } else { "" };
            let blocked = blocked.as_ref().map(|why| format!(", blocked: {why}"));
            format!("failed: {error}{canceled}{}", blocked.unwrap_or_default())
        }
    };
    if let Some(status) = network.status {
        sheet.field(
            "status",
            format!("{status} {}", network.status_text).trim_end(),
        );
    }
    sheet.field("outcome", &outcome);
    sheet.field("type", &network.kind);
    sheet.field("mime", &network.mime);
    sheet.field("protocol", &network.protocol);
    sheet.field("remote", &network.remote);
    sheet.field("served from", served(network.served).unwrap_or_default());
    sheet.field("size", &size(network.bytes));
    sheet.field(
        "duration",
        &network.duration_ms.map(span).unwrap_or_default(),
    );
    if let Some(timing) = &network.timing {
        let parts = [
            ("dns", timing.dns),
            ("connect", timing.connect),
            ("tls", timing.tls),
            ("send", timing.send),
            ("wait", timing.wait),
        ];
        let known = parts
            .iter()
            .filter_map(|(name, ms)| Some(format!("{name} {}", span((*ms)?))));
        sheet.field("timing", &known.collect::<Vec<_>>().join(", "));
    }
    if let Some(frames) = &network.frames {
        let text = format!(
            "{} sent, {} received, {}",
            frames.sent,
            frames.received,
            size(frames.bytes)
        );
        sheet.field("messages", &text);
    }
    sheet.field("initiator", &network.initiator);
    sheet.field("request id", &network.request_id);
    if network.hop > 0 {
        sheet.field("hop", &format!("{} of a redirect chain", network.hop + 1));
    }
    sheet.headers("request headers", &network.request_headers);
    if let Some(data) = &network.post_data {
        sheet.heading("request body");
        sheet.indented(data);
    }
    sheet.headers("response headers", &network.response_headers);
    let inline = if let Body::Text(text) = &network.body {
        Some(text.as_str())
    } else {
        None
    };
    match (&network.body, body.or(inline)) {
        (_, Some(text)) => {
            sheet.heading("response body");
            sheet.indented(text);
        }
        (Body::File(file), None) => {
            sheet.field(
                "response body",
                &format!("{}, sha256 {}", size(file.bytes), file.hash),
            );
        }
        (Body::TooLarge { bytes }, None) => {
            sheet.field(
                "response body",
                &format!("{}, too large to be kept", size(*bytes)),
            );
        }
        (Body::NotKept { why }, None) => {
            sheet.field("response body", &format!("not kept: {why}"));
        }
        (Body::None | Body::Text(_), None) => {
            let why = match &network.outcome {
                Outcome::Pending => "it has not come yet",
                Outcome::Unknown => "the connection was lost before it came",
                Outcome::Failed { .. } | Outcome::Redirected => "",
                Outcome::Finished => "only documents, text and answers to scripts are",
            };
            if !why.is_empty() {
                sheet.field("response body", &format!("not kept: {why}"));
            }
        }
    }
}

fn gap_sheet(sheet: &mut Sheet, gap: &Gap) {
    sheet.field("cause", &gap.cause);
    sheet.field("last event", &gap.from.rfc3339());
    sheet.field("noticed", &gap.noticed.rfc3339());
    sheet.field("over", &gap.to.map_or("not yet".into(), |to| to.rfc3339()));
    let epochs = match gap.epoch_to {
        Some(to) => format!("{} to {to}", gap.epoch_from),
        None => gap.epoch_from.to_string(),
    };
    sheet.field("epoch", &epochs);
    let same = gap.same_browser.map(|same| if same { "yes" } else { "no" });
    sheet.field("same browser", same.unwrap_or_default());
    sheet.field("result", &verdict(&gap.verdict));
    if let Some(missed) = gap.missed {
        sheet.field("missed", &missed.to_string());
    }
    if gap.unknown_outcomes > 0 {
        sheet.field(
            "commands with unknown outcome",
            &gap.unknown_outcomes.to_string(),
        );
        sheet.field("of these", &gap.unknown_methods.join(", "));
    }
    let plain = gap.without_init_scripts.join(", ");
    sheet.field("without init scripts", &plain);
    sheet.field("targets gone", &gap.gone.join(", "));
    sheet.field("targets new", &gap.new.join(", "));
}
