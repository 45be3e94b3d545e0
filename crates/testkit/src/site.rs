//! A site on 127.0.0.1 whose pages do what tests need.
//!
//! | path | page |
//! |---|---|
//! | `/` | a plain page titled `Plain page`, with a heading, a paragraph and a link |
//! | `/demo` | the page of `cargo xtask demo`: a counter, the user agent and the time zone as the page sees them |
//! | `/title/TEXT` | an empty page with that title |
//! | `/form` | a form with a text field, a select, a checkbox and a button; shows what was sent in `#result` |
//! | `/console?n=N` | one message of each console kind, then N numbered ones, and an uncaught error |
//! | `/dialogs` | `ask('alert' \| 'confirm' \| 'prompt')` opens that dialog; the answer is in `window.answer` |
//! | `/alert` | opens an alert by itself, 50 ms after it loaded |
//! | `/beforeunload` | asks before it is left, once the page was touched |
//! | `/slow?ms=N` | answers after N milliseconds |
//! | `/big?mb=N` | N MB of text |
//! | `/frames` | a frame of the same origin and one of another (`localhost`); each runs what is posted to it |
//! | `/popup` | `open_popup()` opens `/title/Popup` in a window |
//! | `/login`, `/account` | `/login` posts a name and sets a cookie, `/account` greets by it |
//! | `/loop?ms=N` | loops for ever, N milliseconds after it loaded |
//! | `/fetches` | `fetches(n)` fetches `/echo?n=0` … and resolves to how many worked |
//! | `/download?bytes=N` | a file named `file.bin` |
//! | `/app?n=N` | N buttons in nested lists, for trees |
//! | `/effect?key=K` | counts each request under K; see [`Site::effects`] |
//! | `/header?name=…` | the request header of this name, as text |
//! | `/echo?…` | its own query, as text |
//! | `/status/N` | that HTTP status |
//! | `/redirect?to=U` | a redirect to U |

mod pages;
mod request;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use request::State;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

/// A running site. Dropping it ends it and its connections.
#[derive(Debug)]
pub struct Site {
    addr: SocketAddr,
    state: Arc<State>,
    serving: AbortHandle,
}

impl Site {
    /// Starts the site on a free port.
    ///
    /// # Panics
    /// When nothing can be bound on 127.0.0.1.
    pub async fn start() -> Self {
        crate::background::run(async {
            let listener = TcpListener::bind(("127.0.0.1", 0))
                .await
                .unwrap_or_else(|error| panic!("cannot listen: {error}"));
            let addr = listener
                .local_addr()
                .unwrap_or_else(|error| panic!("no address: {error}"));
            let state = Arc::new(State::new(addr.port()));
            let serving = tokio::spawn(serve(listener, state.clone())).abort_handle();
            Self {
                addr,
                state,
                serving,
            }
        })
        .await
    }

    /// The address of a page: `url("/form")`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The same page under another origin, `localhost`.
    pub fn other_url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.addr.port())
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// How many requests came for a path, whatever their query.
    pub fn hits(&self, path: &str) -> u64 {
        self.state.hits(path)
    }

    /// How often `/effect?key=KEY` was requested: an effect that must happen at most once.
    pub fn effects(&self, key: &str) -> u64 {
        self.state.effects(key)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    // Dropped, and with it every connection, when this task is aborted.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            taken = listener.accept() => {
                let Ok((stream, _)) = taken else { continue };
                let state = state.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let state = state.clone();
                        async move { state.answer(request).await }
                    });
                    // A browser that goes away in the middle is nothing to report.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

#[cfg(test)]
mod tests;
