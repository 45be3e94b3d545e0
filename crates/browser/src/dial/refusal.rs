//! What an answer that is not a WebSocket means.
use keeptab_link::{DialError, Str};
use tokio::io::AsyncRead;
use tokio::time::{Duration, timeout};

use super::http::Answer;

/// How long the words of a refusal may take after its status.
const FOR_THE_WORDS: Duration = Duration::from_millis(500);
/// Characters of a refusal's body that are shown.
const SHOWN: usize = 200;

/// Which failure a status other than 101 is: some end a session at once, some name a time to come back,
/// the rest may pass.
pub(crate) async fn classify<S: AsyncRead + Unpin>(answer: Answer, stream: &mut S) -> DialError {
    let status = answer.status;
    let retry_after = answer.retry_after();
    let words = timeout(FOR_THE_WORDS, answer.body(stream)).await;
    let words = match &words {
        Ok(Ok(body)) => String::from_utf8_lossy(body),
        _ => "".into(),
    };
    let words: String = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let words: String = words.chars().take(SHOWN).collect();
    let reason = match (status, words.is_empty()) {
        (_, false) => words,
        (401, _) => "it wants credentials".into(),
        (403, _) => "it does not let us in".into(),
        (404, _) => "there is no such browser".into(),
        (410, _) => "the browser is gone".into(),
        _ => format!("HTTP status {status}"),
    };
    let reason: Str = reason.into();
    match status {
        429 | 503 => DialError::Busy { retry_after },
        410 => DialError::Gone { reason },
        500.. => DialError::Unreachable {
            reason: format!("HTTP status {status}: {reason}").into(),
        },
        _ => DialError::Refused { status, reason },
    }
}
