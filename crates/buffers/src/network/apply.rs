//! Each event of the `Network` domain, and what it does to the entries.

use std::sync::Arc;

use serde::Deserialize;

use super::build;
use super::extra::{Info, Side};
use super::index::Index;
use crate::buffers::{Stream, Taken};
use crate::cdp;
use crate::entry::{Network, Outcome, Served, Sockets, What};
use crate::limits::{MAX_NAME, MAX_URL};
use crate::redact;
use crate::ring::Ring;
use crate::text::keep;
use crate::wall::Wall;

type Outcomes = Result<Taken, serde_json::Error>;

/// The stream and its index, for one event.
struct Desk<'a> {
    ring: &'a mut Ring,
    index: &'a mut Index,
    target: &'a Arc<str>,
    wall: Wall,
}

/// Takes an event of the `Network` domain; None when it is one we do not know.
pub(crate) fn take(
    ring: &mut Ring,
    index: &mut Index,
    target: &Arc<str>,
    method: &str,
    params: &str,
    wall: Wall,
) -> Option<Outcomes> {
    let mut desk = Desk {
        ring,
        index,
        target,
        wall,
    };
    Some(match method {
        "requestWillBeSent" => desk.request_will_be_sent(params),
        "requestWillBeSentExtraInfo" => desk.extra_info(Side::Request, params),
        "responseReceived" => desk.response_received(params),
        "responseReceivedExtraInfo" => desk.extra_info(Side::Response, params),
        "requestServedFromCache" => desk.served_from_cache(params),
        "dataReceived" => desk.data_received(params),
        "loadingFinished" => desk.loading_finished(params),
        "loadingFailed" => desk.loading_failed(params),
        "webSocketCreated" => desk.socket_created(params),
        "webSocketWillSendHandshakeRequest" => desk.socket_request(params),
        "webSocketHandshakeResponseReceived" => desk.socket_response(params),
        "webSocketFrameSent" | "webSocketFrameReceived" | "webSocketFrameError" => {
            desk.socket_frame(method, params)
        }
        "webSocketClosed" => desk.socket_closed(params),
        _ => return None,
    })
}

fn parse<'a, T: Deserialize<'a>>(params: &'a str) -> Result<T, serde_json::Error> {
    serde_json::from_str(params)
}

impl Desk<'_> {
    fn update(&mut self, number: u64, change: impl FnOnce(&mut Network)) -> Taken {
        let index = &mut *self.index;
        let updated = self.ring.update(
            number,
            |what| {
                if let What::Network(network) = what {
                    change(network);
                }
            },
            |entry| index.evicted(entry),
        );
        updated.map_or(Taken::Ignored, |()| Taken::Updated(Stream::Network, number))
    }

    fn update_current(&mut self, id: &str, change: impl FnOnce(&mut Network)) -> Taken {
        match self.index.current(self.target, id) {
            Some(number) => self.update(number, change),
            None => Taken::Ignored,
        }
    }

    /// Adds the entry of a request's next hop, with what waited for it.
    fn add(&mut self, id: &str, at: Wall, mut network: Network) -> Taken {
        let number = self.ring.next();
        let request = self.index.request(self.target, id, false);
        network.hop = request.next_hop();
        request.add_hop(number);
        let hops = request.hops.len();
        for side in [Side::Request, Side::Response] {
            if let Some(info) = request.extra.hop_added(side, hops) {
                put_extra(&mut network, side, info);
            }
        }
        let index = &mut *self.index;
        let target = Some(Arc::clone(self.target));
        let what = What::Network(Box::new(network));
        self.ring
            .push(target, at, what, |entry| index.evicted(entry));
        Taken::Added(Stream::Network, number)
    }

    fn request_will_be_sent(&mut self, params: &str) -> Outcomes {
        let event: cdp::RequestWillBeSent<'_> = parse(params)?;
        let id = &*event.request_id;
        if let Some(response) = &event.redirect_response {
            if !event.redirect_has_extra_info
                && let Some(request) = self.index.get(self.target, id)
            {
                let hops = request.hops.len();
                request.extra.none_for_last(hops);
            }
            self.update_current(id, |network| {
                build::answer(network, response);
                build::end(network, event.timestamp);
                network.outcome = Outcome::Redirected;
            });
        }
        let at = if event.wall_time > 0.0 {
            Wall::from_seconds(event.wall_time)
        } else {
            self.wall
        };
        Ok(self.add(id, at, build::request(&event, 0)))
    }

    fn extra_info(&mut self, side: Side, params: &str) -> Outcomes {
        let event: cdp::ExtraInfo<'_> = parse(params)?;
        let info = Info {
            headers: build::headers(&event.headers),
            status: event.status_code.and_then(build::status),
        };
        let request = self.index.request(self.target, &event.request_id, true);
        let hops = request.hops.len();
        let Some((hop, info)) = request.extra.came(side, info, hops) else {
            return Ok(Taken::Ignored);
        };
        let number = request.hops[hop];
        Ok(self.update(number, |network| put_extra(network, side, info)))
    }

    fn response_received(&mut self, params: &str) -> Outcomes {
        let event: cdp::ResponseReceived<'_> = parse(params)?;
        let id = &*event.request_id;
        if self.index.current(self.target, id).is_none() {
            // It was asked for while nobody listened.
            let mut network = build::empty(id);
            network.kind = event
                .kind
                .as_deref()
                .map(build::kind)
                .unwrap_or(network.kind);
            build::answer(&mut network, &event.response);
            return Ok(self.add(id, self.wall, network));
        }
        if !event.has_extra_info
            && let Some(request) = self.index.get(self.target, id)
        {
            let hops = request.hops.len();
            request.extra.none_for_last(hops);
        }
        Ok(self.update_current(id, |network| {
            build::answer(network, &event.response);
            if let Some(kind) = event.kind.as_deref() {
                network.kind = build::kind(kind);
            }
            build::end(network, event.timestamp);
        }))
    }

    fn served_from_cache(&mut self, params: &str) -> Outcomes {
        let event: cdp::OnlyId<'_> = parse(params)?;
        Ok(self.update_current(&event.request_id, |network| network.served = Served::Memory))
    }

    fn data_received(&mut self, params: &str) -> Outcomes {
        let event: cdp::DataReceived<'_> = parse(params)?;
        Ok(self.update_current(&event.request_id, |network| {
            let wire = build::count(event.encoded_data_length);
            let content = build::count(event.data_length);
            network.bytes = network
                .bytes
                .saturating_add(if wire > 0 { wire } else { content });
        }))
    }

    fn loading_finished(&mut self, params: &str) -> Outcomes {
        let event: cdp::LoadingFinished<'_> = parse(params)?;
        Ok(self.update_current(&event.request_id, |network| {
            let wire = build::count(event.encoded_data_length);
            // From a cache nothing went over the wire; keep what the content was.
            if wire > 0 {
                network.bytes = wire;
            }
            network.outcome = Outcome::Finished;
            build::end(network, event.timestamp);
        }))
    }

    fn loading_failed(&mut self, params: &str) -> Outcomes {
        let event: cdp::LoadingFailed<'_> = parse(params)?;
        Ok(self.update_current(&event.request_id, |network| {
            network.outcome = Outcome::Failed {
                error: keep(&event.error_text, MAX_NAME),
                canceled: event.canceled,
                blocked: event
                    .blocked_reason
                    .as_deref()
                    .map(|why| keep(why, MAX_NAME)),
            };
            build::end(network, event.timestamp);
        }))
    }

    fn socket_created(&mut self, params: &str) -> Outcomes {
        let event: cdp::WebSocketCreated<'_> = parse(params)?;
        let mut network = build::empty(&event.request_id);
        network.method = "GET".into();
        network.kind = "websocket".into();
        network.url = keep(&redact::url(&event.url), MAX_URL);
        network.initiator = build::initiator(&event.initiator);
        network.frames = Some(Sockets::default());
        Ok(self.add(&event.request_id, self.wall, network))
    }

    fn socket_request(&mut self, params: &str) -> Outcomes {
        let event: cdp::WebSocketHandshakeRequest<'_> = parse(params)?;
        Ok(self.update_current(&event.request_id, |network| {
            network.request_headers = build::headers(&event.request.headers);
            network.started = build::moment(event.timestamp);
        }))
    }

    fn socket_response(&mut self, params: &str) -> Outcomes {
        let event: cdp::WebSocketHandshake<'_> = parse(params)?;
        Ok(self.update_current(&event.request_id, |network| {
            network.status = build::status(event.response.status);
            network.status_text = keep(&event.response.status_text, MAX_NAME);
            network.response_headers = build::headers(&event.response.headers);
            build::end(network, event.timestamp);
        }))
    }

    fn socket_frame(&mut self, method: &str, params: &str) -> Outcomes {
        let event: cdp::WebSocketFrame<'_> = parse(params)?;
        Ok(self.update_current(&event.request_id, |network| {
            if let Some(error) = event.error_message.as_deref() {
                network.outcome = failed(error);
                return;
            }
            let frames = network.frames.get_or_insert_default();
            match method {
                "webSocketFrameSent" => frames.sent += 1,
                _ => frames.received += 1,
            }
            let bytes = event
                .response
                .as_ref()
                .map_or(0, |frame| frame.payload_data.len());
            frames.bytes = frames.bytes.saturating_add(bytes as u64);
        }))
    }

    fn socket_closed(&mut self, params: &str) -> Outcomes {
        let event: cdp::OnlyId<'_> = parse(params)?;
        Ok(self.update_current(&event.request_id, |network| {
            if !matches!(network.outcome, Outcome::Failed { .. }) {
                network.outcome = match network.status {
                    Some(_) => Outcome::Finished,
                    None => failed("the handshake did not take place"),
                };
            }
            build::end(network, event.timestamp.unwrap_or_default());
        }))
    }
}

fn failed(error: &str) -> Outcome {
    Outcome::Failed {
        error: keep(error, MAX_NAME),
        canceled: false,
        blocked: None,
    }
}

fn put_extra(network: &mut Network, side: Side, info: Info) {
    match side {
        Side::Request => network.request_headers = info.headers,
        Side::Response => {
            network.response_headers = info.headers;
            network.status = info.status.or(network.status);
        }
    }
}
