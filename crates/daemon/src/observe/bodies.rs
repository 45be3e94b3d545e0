//! Fetching and keeping the bodies of answers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keeptab_browser::{CallOptions, Tab, TargetId};
use keeptab_buffers::{Bodies, BodiesOptions, Body, BodyError, BodyRef, Network, Outcome};
use keeptab_protocol::network::GetResponseBody;
use tokio::sync::Semaphore;

use super::observer::Observer;

/// Bodies that are fetched at the same moment. More of them wait, and may come too late when the page
/// goes elsewhere.
const AT_ONCE: usize = 16;

/// Bodies that wait; beyond it they are not fetched.
const WAITING: usize = 256;

/// The largest answer whose body is fetched, in bytes over the wire.
const LARGEST: u64 = 8 << 20;

const PATIENCE: Duration = Duration::from_secs(15);

/// Fetches the bodies of one browser's answers.
pub(super) struct Fetcher {
    observer: Arc<Observer>,
    permits: Arc<Semaphore>,
    /// One for each that is fetched or waits.
    places: Arc<Semaphore>,
}

impl Fetcher {
    pub(super) fn new(observer: &Arc<Observer>) -> Self {
        Fetcher {
            observer: Arc::clone(observer),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            places: Arc::new(Semaphore::new(WAITING)),
        }
    }

    /// Fetches the body of an answer that is complete. It must be asked for at once: the browser
    /// forgets it with the document, and with the connection. `from` is the tab, or the part of it that
    /// asked for it.
    pub(super) fn fetch(&self, from: Tab, tab: TargetId, request_id: String) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return self
                .observer
                .put_body(&tab, &request_id, not_kept("too many at once"));
        };
        let (observer, permits) = (Arc::clone(&self.observer), Arc::clone(&self.permits));
        tokio::spawn(async move {
            // Fails only when it is closed, which nobody does.
            let permit = permits.acquire_owned().await;
            let body = observer.fetched(&from, &request_id).await;
            drop((permit, place));
            observer.put_body(&tab, &request_id, body);
            observer.touch();
        });
    }
}

impl Observer {
    async fn fetched(&self, tab: &Tab, request_id: &str) -> Body {
        let asked = GetResponseBody::new(request_id);
        let options = CallOptions::new().timeout(PATIENCE);
        let answer = match tab.call_with(&asked, options).await {
            Ok(answer) => answer,
            Err(error) => return not_kept(&error.to_string()),
        };
        let content = if answer.base64_encoded {
            match data_encoding::BASE64.decode(answer.body.as_bytes()) {
                Ok(content) => content,
                Err(error) => return not_kept(&error.to_string()),
            }
        } else {
            answer.body.into_bytes()
        };
        if content.is_empty() {
            return Body::Text(String::new());
        }
        let kept = self.with_bodies(move |bodies| bodies.keep(&content)).await;
        kept.unwrap_or_else(|why| not_kept(&why))
    }

    fn put_body(&self, tab: &TargetId, request_id: &str, body: Body) {
        let mut state = self.state();
        state.buffers.set_body(tab.as_str(), request_id, body);
    }

    /// Reads a body that is in a file.
    ///
    /// # Errors
    /// It was given up, or the disk said no; in words.
    pub(crate) async fn body(&self, body: &BodyRef) -> Result<Vec<u8>, String> {
        let body = body.clone();
        self.with_bodies(move |bodies| bodies.read(&body)).await
    }

    /// Uses the bodies on a thread that may wait for the disk; opens them if need be.
    async fn with_bodies<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Bodies) -> Result<T, BodyError> + Send + 'static,
    ) -> Result<T, String> {
        let opened = self.state().bodies.clone();
        let dir = self.archive.bodies_of(&self.session);
        let on_disk = tokio::task::spawn_blocking(move || {
            let bodies = match opened {
                Some(bodies) => bodies,
                None => Arc::new(Mutex::new(Bodies::open(BodiesOptions::new(dir))?)),
            };
            let done = work(&mut bodies.lock().unwrap_or_else(PoisonError::into_inner));
            Ok((bodies, done))
        });
        let outcome: Result<_, BodyError> = on_disk.await.map_err(|error| error.to_string())?;
        let (bodies, done) = outcome.map_err(|error| explain(&error))?;
        let mut state = self.state();
        if !state.over {
            state.bodies.get_or_insert(bodies);
        }
        drop(state);
        done.map_err(|error| explain(&error))
    }

    pub(super) async fn clear_bodies(&self, bodies: Option<Arc<Mutex<Bodies>>>) {
        let Some(bodies) = bodies else {
            return self.remove_bodies(None).await;
        };
        let clear = move || {
            bodies
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clear()
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(clear).await {
            tracing::warn!("session \"{}\": {}", self.session, explain(&error));
        }
    }

    /// Removes all of them and their directory.
    pub(super) async fn remove_bodies(&self, bodies: Option<Arc<Mutex<Bodies>>>) {
        drop(bodies);
        let dir = self.archive.bodies_of(&self.session);
        match tokio::fs::remove_dir_all(&dir).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!("{} is still there: {error}", dir.display());
            }
            _ => {}
        }
    }
}

/// Whether the body of an answer is worth fetching.
pub(super) fn is_wanted(network: &Network) -> bool {
    let by_kind = matches!(
        network.kind.as_str(),
        "document" | "xhr" | "fetch" | "eventsource"
    );
    let mime = network.mime.to_ascii_lowercase();
    let by_mime = mime.starts_with("text/")
        || [
            "json",
            "xml",
            "javascript",
            "x-www-form-urlencoded",
            "graphql",
        ]
        .iter()
        .any(|part| mime.contains(part));
    let has_body = !matches!(network.status, Some(204 | 205 | 304));
    network.outcome == Outcome::Finished
        && network.body == Body::None
        && has_body
        && (by_kind || by_mime)
}

/// What to say of a body that is wanted and too large to be asked for.
pub(super) fn too_large(network: &Network) -> Option<Body> {
    (network.bytes > LARGEST).then_some(Body::TooLarge {
        bytes: network.bytes,
    })
}

fn not_kept(why: &str) -> Body {
    Body::NotKept {
        why: why.chars().take(200).collect(),
    }
}

fn explain(error: &BodyError) -> String {
    match error {
        BodyError::Disk { cause, .. } => format!("{error}: {cause}"),
        _ => error.to_string(),
    }
}
