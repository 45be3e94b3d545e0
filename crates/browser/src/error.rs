//! How a call can fail.
use std::error::Error as StdError;
use std::fmt;

use keeptab_link::{CdpError, NotSent, Settlement};
use keeptab_protocol::Raw;
use keeptab_protocol::{DecodeError, EncodeError};

/// Why a call did not bring a result.
///
/// [`CallError::kind`] says what it means for the page, [`CallError::hint`] what to do next.
pub struct CallError(Box<Inner>);

struct Inner {
    kind: Kind,
    method: String,
    message: String,
    hint: Option<String>,
    cdp: Option<CdpError>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What a failed call means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The browser said no; see [`CallError::cdp`].
    Protocol,
    /// It never left us: safe to repeat.
    NotSent,
    /// It left us and the answer was lost: it may have happened or not.
    OutcomeUnknown,
    /// No answer within the deadline.
    Deadline,
    /// The tab or worker is closed, crashed, or was never there.
    TargetGone,
    /// A JavaScript dialog is open and keeps the page from answering.
    DialogOpen,
    /// The session is over: closed, or its browser is gone.
    Disconnected,
    /// The command is larger than 64 MiB.
    TooLarge,
    /// A parameter is an id of an earlier connection.
    StaleHandle,
    /// The parameters cannot be written as JSON. Nothing was sent.
    InvalidParams,
    /// The answer does not have the expected shape. The command *was* carried out.
    InvalidReply,
}

impl Kind {
    /// The name of this kind in JSON output: `error`, `not_sent`, `outcome_unknown`, ….
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Protocol => "error",
            Self::NotSent => "not_sent",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Deadline => "deadline",
            Self::TargetGone => "target_gone",
            Self::DialogOpen => "dialog_open",
            Self::Disconnected => "disconnected",
            Self::TooLarge => "too_large",
            Self::StaleHandle => "stale_handle",
            Self::InvalidParams => "invalid_params",
            Self::InvalidReply => "invalid_reply",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl CallError {
    pub(crate) fn new(kind: Kind, method: &str, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            method: method.to_owned(),
            message: message.into(),
            hint: None,
            cdp: None,
            source: None,
        }))
    }

    fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    fn caused(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// What happened, as a category.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The CDP method that was called.
    pub fn method(&self) -> &str {
        &self.0.method
    }

    /// What the browser answered, when [`Kind::Protocol`].
    pub fn cdp(&self) -> Option<&CdpError> {
        self.0.cdp.as_ref()
    }

    /// What to do next, when there is something to say.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Whether the command certainly had no effect and may be repeated without a second thought.
    pub fn is_safe_to_repeat(&self) -> bool {
        matches!(
            self.0.kind,
            Kind::NotSent | Kind::TooLarge | Kind::StaleHandle | Kind::InvalidParams
        )
    }

    pub(crate) fn closed(method: &str) -> Self {
        Self::new(Kind::Disconnected, method, "the session is closed").hinted("open a new session")
    }

    /// The result that a settlement is: the answer, or why there is none.
    pub(crate) fn from_settlement(method: &str, settlement: Settlement) -> Result<Raw, Self> {
        Err(match settlement {
            Settlement::Reply(raw) => return Ok(raw),
            Settlement::Error(cdp) => {
                let message = format!("{} (code {})", cdp.message, cdp.code);
                let mut error = Self::new(Kind::Protocol, method, message);
                error.0.cdp = Some(cdp);
                error
            }
            Settlement::NotSent(why) => Self::not_sent(method, why),
            Settlement::OutcomeUnknown { cause } => Self::new(
                Kind::OutcomeUnknown,
                method,
                format!("the connection was lost before the answer came ({cause})"),
            )
            .hinted("it may have taken effect: look at the page before you repeat it"),
            Settlement::Deadline { sent: true } => {
                Self::new(Kind::Deadline, method, "no answer before the deadline").hinted(
                    "it was sent and may still take effect: look at the page before you repeat it",
                )
            }
            Settlement::Deadline { sent: false } => Self::new(
                Kind::Deadline,
                method,
                "it could not be sent before the deadline",
            )
            .hinted("it was not sent, so it is safe to repeat"),
            Settlement::TargetGone(end) => {
                Self::new(Kind::TargetGone, method, end.to_string()).hinted(end.hint())
            }
            Settlement::DialogOpen {
                sent,
                kind,
                message,
                answerable,
            } => Self::dialog(method, sent, &kind, &message, answerable),
        })
    }

    fn not_sent(method: &str, why: NotSent) -> Self {
        let kind = match &why {
            NotSent::Closed | NotSent::Disconnected(_) => Kind::Disconnected,
            NotSent::TooLarge { .. } => Kind::TooLarge,
            NotSent::InvalidParams => Kind::InvalidParams,
            NotSent::StaleHandle(_) => Kind::StaleHandle,
            _ => Kind::NotSent,
        };
        let hint = why.hint().to_owned();
        Self::new(kind, method, why.to_string())
            .hinted(hint)
            .caused(why)
    }

    fn dialog(method: &str, sent: bool, kind: &str, message: &str, answerable: bool) -> Self {
        let kind = if kind.is_empty() { "dialog" } else { kind };
        let said = if message.is_empty() {
            format!("a JavaScript {kind} is open")
        } else {
            format!("a JavaScript {kind} is open: {message:?}")
        };
        let fate = if sent {
            "the command was sent and goes on when the dialog is gone"
        } else {
            "the command was not sent"
        };
        let hint = if answerable {
            "answer it with Page.handleJavaScriptDialog"
        } else {
            "it was left by a lost connection and cannot be answered: reload, navigate or close the tab"
        };
        Self::new(Kind::DialogOpen, method, format!("{said}; {fate}")).hinted(hint)
    }

    pub(crate) fn encode(method: &str, cause: EncodeError) -> Self {
        Self::new(Kind::InvalidParams, method, cause.to_string()).caused(cause)
    }

    pub(crate) fn decode(method: &str, cause: DecodeError) -> Self {
        Self::new(Kind::InvalidReply, method, cause.to_string())
            .hinted("the command was carried out; use call_raw to see the answer as it came")
            .caused(cause)
    }
}

impl fmt::Debug for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallError")
            .field("kind", &self.0.kind)
            .field("method", &self.0.method)
            .field("message", &self.0.message)
            .field("hint", &self.0.hint)
            .finish()
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.method, self.0.message)
    }
}

impl StdError for CallError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}
