//! Events of `Network` and `Page`.

use serde::Deserialize;

use super::common::{Headers, StackTrace, Str};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestWillBeSent<'a> {
    #[serde(borrow)]
    pub(crate) request_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) request: Request<'a>,
    #[serde(default)]
    pub(crate) timestamp: f64,
    #[serde(default)]
    pub(crate) wall_time: f64,
    #[serde(borrow, default)]
    pub(crate) initiator: Initiator<'a>,
    #[serde(default)]
    pub(crate) redirect_has_extra_info: bool,
    #[serde(borrow, default)]
    pub(crate) redirect_response: Option<Response<'a>>,
    #[serde(borrow, default, rename = "type")]
    pub(crate) kind: Option<Str<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request<'a> {
    #[serde(borrow)]
    pub(crate) url: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) url_fragment: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(crate) method: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) headers: Headers<'a>,
    #[serde(borrow, default)]
    pub(crate) post_data: Option<Str<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Initiator<'a> {
    #[serde(borrow, rename = "type", default)]
    pub(crate) kind: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) url: Option<Str<'a>>,
    #[serde(default)]
    pub(crate) line_number: Option<f64>,
    #[serde(borrow, default)]
    pub(crate) stack: Option<StackTrace<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Response<'a> {
    #[serde(borrow, default)]
    pub(crate) url: Str<'a>,
    #[serde(default)]
    pub(crate) status: i64,
    #[serde(borrow, default)]
    pub(crate) status_text: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) headers: Headers<'a>,
    #[serde(borrow, default)]
    pub(crate) mime_type: Str<'a>,
    #[serde(borrow, default, rename = "remoteIPAddress")]
    pub(crate) remote_ip: Option<Str<'a>>,
    #[serde(default)]
    pub(crate) remote_port: Option<u32>,
    #[serde(default)]
    pub(crate) from_disk_cache: bool,
    #[serde(default)]
    pub(crate) from_service_worker: bool,
    #[serde(default)]
    pub(crate) from_prefetch_cache: bool,
    #[serde(default)]
    pub(crate) encoded_data_length: f64,
    #[serde(borrow, default)]
    pub(crate) protocol: Option<Str<'a>>,
    #[serde(default)]
    pub(crate) timing: Option<ResourceTiming>,
}

/// Milliseconds after the request's start; -1 where it did not take place.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ResourceTiming {
    pub(crate) dns_start: f64,
    pub(crate) dns_end: f64,
    pub(crate) connect_start: f64,
    pub(crate) connect_end: f64,
    pub(crate) ssl_start: f64,
    pub(crate) ssl_end: f64,
    pub(crate) send_start: f64,
    pub(crate) send_end: f64,
    pub(crate) receive_headers_end: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResponseReceived<'a> {
    #[serde(borrow)]
    pub(crate) request_id: Str<'a>,
    #[serde(default)]
    pub(crate) timestamp: f64,
    #[serde(borrow, default, rename = "type")]
    pub(crate) kind: Option<Str<'a>>,
    #[serde(borrow)]
    pub(crate) response: Response<'a>,
    #[serde(default)]
    pub(crate) has_extra_info: bool,
}

/// `requestWillBeSentExtraInfo` and `responseReceivedExtraInfo`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExtraInfo<'a> {
    #[serde(borrow)]
    pub(crate) request_id: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) headers: Headers<'a>,
    #[serde(default)]
    pub(crate) status_code: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OnlyId<'a> {
    #[serde(borrow)]
    pub(crate) request_id: Str<'a>,
    #[serde(default)]
    pub(crate) timestamp: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataReceived<'a> {
    #[serde(borrow)]
    pub(crate) request_id: Str<'a>,
    #[serde(default)]
    pub(crate) data_length: f64,
    #[serde(default)]
    pub(crate) encoded_data_length: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoadingFinished<'a> {
    #[serde(borrow)]
    pub(crate) request_id: Str<'a>,
    #[serde(default)]
    pub(crate) timestamp: f64,
    #[serde(default)]
    pub(crate) encoded_data_length: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoadingFailed<'a> {
    #[serde(borrow)]
    pub(crate) request_id: Str<'a>,
    #[serde(default)]
    pub(crate) timestamp: f64,
    #[serde(borrow, default)]
    pub(crate) error_text: Str<'a>,
    #[serde(default)]
    pub(crate) canceled: bool,
    #[serde(borrow, default)]
    pub(crate) blocked_reason: Option<Str<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebSocketCreated<'a> {
    #[serde(borrow)]
    pub(crate) request_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) url: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) initiator: Initiator<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebSocketHandshakeRequest<'a> {
    #[serde(borrow)]
    pub(crate) request_id: Str<'a>,
    #[serde(default)]
    pub(crate) timestamp: f64,
    #[serde(borrow)]
    pub(crate) request: HandshakeHeaders<'a>,
}

#[derive(Deserialize)]
pub(crate) struct HandshakeHeaders<'a> {
    #[serde(borrow, default)]
    pub(crate) headers: Headers<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebSocketHandshake<'a> {
    #[serde(borrow)]
    pub(crate) request_id: Str<'a>,
    #[serde(default)]
    pub(crate) timestamp: f64,
    #[serde(borrow)]
    pub(crate) response: HandshakeResponse<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HandshakeResponse<'a> {
    #[serde(default)]
    pub(crate) status: i64,
    #[serde(borrow, default)]
    pub(crate) status_text: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) headers: Headers<'a>,
}

/// `webSocketFrameSent`, `webSocketFrameReceived` and `webSocketFrameError`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebSocketFrame<'a> {
    #[serde(borrow)]
    pub(crate) request_id: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) response: Option<FramePayload<'a>>,
    #[serde(borrow, default)]
    pub(crate) error_message: Option<Str<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FramePayload<'a> {
    #[serde(borrow, default)]
    pub(crate) payload_data: Str<'a>,
}

#[derive(Deserialize)]
pub(crate) struct FrameNavigated<'a> {
    #[serde(borrow)]
    pub(crate) frame: PageFrame<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageFrame<'a> {
    #[serde(borrow, default)]
    pub(crate) id: Str<'a>,
    #[serde(borrow, default)]
    pub(crate) parent_id: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(crate) loader_id: Str<'a>,
}
