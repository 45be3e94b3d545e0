//! One request and its answer.

use super::pages;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type Answer = Result<Response<Full<Bytes>>, Infallible>;

/// What the site counts.
#[derive(Debug)]
pub(super) struct State {
    port: u16,
    counts: Mutex<HashMap<String, u64>>,
}

impl State {
    pub(super) fn new(port: u16) -> Self {
        Self {
            port,
            counts: Mutex::default(),
        }
    }

    pub(super) fn hits(&self, path: &str) -> u64 {
        self.lock().get(path).copied().unwrap_or(0)
    }

    pub(super) fn effects(&self, key: &str) -> u64 {
        self.hits(&format!("effect {key}"))
    }

    fn count(&self, key: String) -> u64 {
        let mut counts = self.lock();
        let n = counts.entry(key).or_default();
        *n += 1;
        *n
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let cookie = parts
            .headers
            .get("cookie")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let user = cookie
            .split("; ")
            .find_map(|pair| pair.strip_prefix("user="));
        self.count(path.clone());
        Ok(match path.as_str() {
            "/slow" => {
                tokio::time::sleep(Duration::from_millis(query.number("ms", 1000))).await;
                html(pages::titled("Slow page"))
            }
            "/big" => text("x".repeat(query.size("mb", 1) << 20)),
            "/login" if parts.method == "POST" => {
                let body = body
                    .collect()
                    .await
                    .map(|b| b.to_bytes())
                    .unwrap_or_default();
                let form = Query::parse(&String::from_utf8_lossy(&body));
                let name = form.get("name").unwrap_or("nobody");
                redirect(
                    "/account",
                    Some(format!(
                        "user={name}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax"
                    )),
                )
            }
            "/account" => html(pages::account(user)),
            "/effect" => {
                let key = query.get("key").unwrap_or("default").to_owned();
                text(self.count(format!("effect {key}")).to_string())
            }
            "/header" => {
                let name = query.get("name").unwrap_or("user-agent");
                let value = parts.headers.get(name).map(|value| value.as_bytes());
                text(String::from_utf8_lossy(value.unwrap_or_default()).into_owned())
            }
            "/echo" => text(parts.uri.query().unwrap_or_default().to_owned()),
            "/download" => download(query.size("bytes", 1024)),
            "/redirect" => redirect(query.get("to").unwrap_or("/"), None),
            _ => self.page(&path, &query),
        })
    }

    fn page(&self, path: &str, query: &Query) -> Response<Full<Bytes>> {
        if let Some(title) = path.strip_prefix("/title/") {
            return html(pages::titled(&decode(title)));
        }
        if let Some(status) = path
            .strip_prefix("/status/")
            .and_then(|text| text.parse::<u16>().ok())
        {
            return response(status, "text/plain", status.to_string());
        }
        html(match path {
            "/" => pages::PLAIN.to_owned(),
            "/demo" => pages::DEMO.to_owned(),
            "/form" => pages::FORM.to_owned(),
            "/console" => pages::console(query.number("n", 0)),
            "/dialogs" => pages::DIALOGS.to_owned(),
            "/alert" => pages::ALERT.to_owned(),
            "/beforeunload" => pages::BEFORE_UNLOAD.to_owned(),
            "/frames" => pages::frames(self.port),
            "/frame" => pages::FRAME.to_owned(),
            "/popup" => pages::POPUP.to_owned(),
            "/login" => pages::LOGIN.to_owned(),
            "/loop" => pages::endless(query.number("ms", 100)),
            "/asks" => pages::ASKS.to_owned(),
            "/fetches" => pages::FETCHES.to_owned(),
            "/app" => pages::app(query.number("n", 1000)),
            _ => return response(404, "text/plain", format!("no page {path}")),
        })
    }
}

/// A decoded query or form.
struct Query(Vec<(String, String)>);

impl Query {
    fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(k, v)| (decode(k), decode(v)))
                .collect(),
        )
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str, otherwise: u64) -> u64 {
        self.get(name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(otherwise)
    }

    fn size(&self, name: &str, otherwise: usize) -> usize {
        self.get(name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(otherwise)
    }
}

/// Undoes percent and plus encoding; what is no valid encoding stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(if byte == b'+' { b' ' } else { byte });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn response(status: u16, kind: &str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    build(
        Response::builder()
            .status(status)
            .header("content-type", kind),
        body,
    )
}

fn html(body: String) -> Response<Full<Bytes>> {
    response(200, "text/html; charset=utf-8", body)
}

fn text(body: String) -> Response<Full<Bytes>> {
    response(200, "text/plain; charset=utf-8", body)
}

fn download(bytes: usize) -> Response<Full<Bytes>> {
    let builder = Response::builder()
        .header("content-type", "application/octet-stream")
        .header("content-disposition", "attachment; filename=\"file.bin\"");
    build(builder, vec![b'k'; bytes])
}

fn redirect(to: &str, cookie: Option<String>) -> Response<Full<Bytes>> {
    let mut builder = Response::builder().status(303).header("location", to);
    if let Some(cookie) = cookie {
        builder = builder.header("set-cookie", cookie);
    }
    build(builder, "")
}

/// A header that a test put nonsense into gives a 500, not a panic.
fn build(builder: hyper::http::response::Builder, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    builder
        .header("cache-control", "no-store")
        .body(Full::new(body.into()))
        .unwrap_or_else(|error| {
            let mut broken = Response::new(Full::new(Bytes::from(error.to_string())));
            *broken.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
            broken
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded() {
        let query = Query::parse("a=1&b=x%20y+z&c&d=%zz");
        assert_eq!(
            (query.get("b"), query.get("c"), query.get("d")),
            (Some("x y z"), Some(""), Some("%zz"))
        );
        assert_eq!((query.number("a", 9), query.number("b", 9)), (1, 9));
    }
}
