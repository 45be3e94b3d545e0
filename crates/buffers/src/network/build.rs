//! From what events say to what is kept.

use crate::cdp;
use crate::entry::{Body, Headers, Network, Outcome, Served, Timing};
use crate::limits::{MAX_ALL_HEADERS, MAX_HEADER, MAX_HEADERS, MAX_NAME, MAX_POST, MAX_URL};
use crate::redact;
use crate::text::keep;

/// A request that was just sent.
pub(super) fn request(event: &cdp::RequestWillBeSent<'_>, hop: u32) -> Network {
    let request = &event.request;
    let mut url = redact::url(&request.url).into_owned();
    if let Some(fragment) = &request.url_fragment {
        let whole = format!("{}{}", &*request.url, &**fragment);
        url = redact::url(&whole).into_owned();
    }
    Network {
        hop,
        method: keep(&request.method, MAX_NAME),
        url: keep(&url, MAX_URL),
        kind: event
            .kind
            .as_deref()
            .map(kind)
            .unwrap_or_else(|| "other".into()),
        initiator: initiator(&event.initiator),
        request_headers: headers(&request.headers),
        post_data: request
            .post_data
            .as_deref()
            .map(|data| keep(&redact::post_data(data), MAX_POST)),
        started: moment(event.timestamp),
        ..empty(&event.request_id)
    }
}

/// A request of which only the id is known.
pub(super) fn empty(id: &str) -> Network {
    Network {
        request_id: keep(id, MAX_NAME),
        hop: 0,
        method: String::new(),
        url: String::new(),
        kind: "other".into(),
        initiator: String::new(),
        request_headers: Vec::new(),
        post_data: None,
        status: None,
        status_text: String::new(),
        response_headers: Vec::new(),
        mime: String::new(),
        protocol: String::new(),
        remote: String::new(),
        served: Served::Network,
        bytes: 0,
        duration_ms: None,
        timing: None,
        outcome: Outcome::Pending,
        body: Body::None,
        frames: None,
        started: 0.0,
    }
}

/// The kind of a resource, in lower case.
pub(super) fn kind(kind: &str) -> String {
    keep(kind, MAX_NAME).to_ascii_lowercase()
}

/// Puts an answer into its request.
pub(super) fn answer(network: &mut Network, response: &cdp::Response<'_>) {
    network.status = status(response.status).or(network.status);
    network.status_text = keep(&response.status_text, MAX_NAME);
    // The headers from the wire are better, when they were here first.
    if network.response_headers.is_empty() {
        network.response_headers = headers(&response.headers);
    }
    network.mime = keep(&response.mime_type, MAX_NAME);
    network.protocol = response
        .protocol
        .as_deref()
        .map(|p| keep(p, 64))
        .unwrap_or_default();
    if let Some(ip) = response.remote_ip.as_deref().filter(|ip| !ip.is_empty()) {
        network.remote = match response.remote_port {
            Some(port) => format!("{}:{port}", keep(ip, 64)),
            None => keep(ip, 64),
        };
    }
    network.bytes = network.bytes.max(count(response.encoded_data_length));
    if response.from_service_worker {
        network.served = Served::ServiceWorker;
    } else if response.from_prefetch_cache {
        network.served = Served::Prefetch;
    } else if response.from_disk_cache {
        network.served = Served::Disk;
    }
    network.timing = response.timing.as_ref().map(timing);
    if network.url.is_empty() {
        network.url = keep(&redact::url(&response.url), MAX_URL);
    }
}

fn timing(timing: &cdp::ResourceTiming) -> Timing {
    let part =
        |start: f64, end: f64| (start >= 0.0 && end >= start).then(|| rounded(end - start, 1e3));
    let some = |start, end| part(start, end).filter(|ms| *ms > 0.0);
    Timing {
        dns: some(timing.dns_start, timing.dns_end),
        connect: some(timing.connect_start, timing.connect_end),
        tls: some(timing.ssl_start, timing.ssl_end),
        send: some(timing.send_start, timing.send_end),
        wait: some(timing.send_end, timing.receive_headers_end),
    }
}

/// From the start to this moment of the browser's monotonic clock.
pub(super) fn end(network: &mut Network, timestamp: f64) {
    if network.started > 0.0 && timestamp >= network.started {
        network.duration_ms = Some(rounded((timestamp - network.started) * 1e3, 1e3));
    }
}

/// A moment of the browser's monotonic clock as it is kept, in seconds.
pub(super) fn moment(timestamp: f64) -> f64 {
    rounded(timestamp, 1e6)
}

/// Microseconds are as fine as the browser's clock gets, and a number with few
/// digits comes back from the store exactly as it went. JSON has no infinity.
fn rounded(number: f64, steps: f64) -> f64 {
    let rounded = (number * steps).round() / steps;
    if rounded.is_finite() { rounded } else { 0.0 }
}

/// A status, if it is one.
pub(super) fn status(status: i64) -> Option<u16> {
    u16::try_from(status).ok().filter(|status| *status > 0)
}

/// A count that CDP sends as a float.
pub(super) fn count(number: f64) -> u64 {
    // Saturates; negative numbers and NaN give 0.
    number as u64
}

/// Headers as they may be kept.
pub(super) fn headers(headers: &cdp::Headers<'_>) -> Headers {
    let mut room = MAX_ALL_HEADERS;
    let mut kept = Headers::with_capacity(headers.0.len().min(MAX_HEADERS));
    for (name, value) in headers.0.iter().take(MAX_HEADERS) {
        let name = keep(name, MAX_NAME);
        let value = keep(&redact::header(&name, value), MAX_HEADER);
        let Some(left) = room.checked_sub(name.len() + value.len()) else {
            break;
        };
        room = left;
        kept.push((name, value));
    }
    kept
}

/// What asked for it, in a few words.
pub(super) fn initiator(initiator: &cdp::Initiator<'_>) -> String {
    let frame = initiator
        .stack
        .as_ref()
        .and_then(|stack| stack.frames().into_iter().next());
    let kind = &*initiator.kind;
    let place = match (&frame, &initiator.url) {
        (Some(frame), _) => format!("{}:{}", frame.url, frame.line),
        (None, Some(url)) => {
            let url = redact::url(url);
            initiator
                .line_number
                .map_or(url.to_string(), |line| format!("{url}:{}", line + 1.0))
        }
        (None, None) => return keep(kind, MAX_NAME),
    };
    keep(&format!("{kind} {place}"), MAX_URL)
}
