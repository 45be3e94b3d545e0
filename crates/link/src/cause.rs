//! Why a connection ended or could not be made.
use std::fmt;
use std::time::Duration;

use crate::Str;

/// Why the connection, or the session, is where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The stream ended without a close frame. A local Chromium always ends like this.
    Eof,
    /// The peer reset the connection.
    Reset,
    /// The peer sent a close frame.
    CloseFrame {
        /// WebSocket close code.
        code: u16,
        /// Text of the frame.
        reason: Str,
    },
    /// The peer broke the protocol.
    Protocol(Str),
    /// A message was too large for this side to accept.
    TooLarge,
    /// Reading or writing failed in another way.
    Io(Str),
    /// Nothing came for too long, and the probe was not answered.
    Unresponsive {
        /// How long nothing came.
        silent: Duration,
    },
    /// The browser process ended.
    ProcessExited {
        /// How it ended, such as `exit status 0` or `signal 9`.
        status: Str,
    },
    /// The browser ended because `Browser.close` was sent over this link.
    BrowserClosed,
    /// There is a browser at the address, but not ours.
    BrowserReplaced,
    /// The endpoint refuses us for good.
    Refused {
        /// HTTP status or WebSocket close code.
        status: u16,
        /// What the endpoint says.
        reason: Str,
    },
    /// The endpoint does not exist any more.
    Gone(Str),
    /// The endpoint cannot be reached.
    Unreachable(Str),
    /// The endpoint asks for patience.
    Busy,
    /// Nobody allowed the connection in the browser.
    NotAllowed,
    /// Somebody asked for a new connection.
    Requested,
    /// Somebody closed the link.
    Closed,
    /// The process that held the connection has ended, and this one takes over from it.
    OwnerEnded,
}

impl Cause {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Eof => "eof",
            Self::Reset => "reset",
            Self::CloseFrame { .. } => "close_frame",
            Self::Protocol(_) => "protocol_error",
            Self::TooLarge => "message_too_large",
            Self::Io(_) => "io_error",
            Self::Unresponsive { .. } => "browser_unresponsive",
            Self::ProcessExited { .. } => "browser_gone",
            Self::BrowserClosed => "browser_closed",
            Self::BrowserReplaced => "browser_replaced",
            Self::Refused { .. } => "refused",
            Self::Gone(_) => "endpoint_gone",
            Self::Unreachable(_) => "unreachable",
            Self::Busy => "busy",
            Self::NotAllowed => "not_allowed",
            Self::Requested => "requested",
            Self::Closed => "closed",
            Self::OwnerEnded => "owner_ended",
        }
    }

    /// Whether the browser itself is known to be gone, and not only the way to it.
    pub fn is_browser_dead(&self) -> bool {
        matches!(
            self,
            Self::ProcessExited { .. } | Self::BrowserClosed | Self::BrowserReplaced
        )
    }

    /// Whether trying again cannot help.
    pub fn is_final(&self) -> bool {
        self.is_browser_dead()
            || matches!(
                self,
                Self::Refused { .. } | Self::Gone(_) | Self::NotAllowed | Self::Closed
            )
    }

    /// What to do next, in one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ProcessExited { .. } | Self::BrowserClosed => {
                "the browser has ended and its pages with it; open a new session"
            }
            Self::BrowserReplaced => {
                "another browser answers at this address, and none of the old tabs is in it; open a new session to use it"
            }
            Self::Refused { .. } => "check the credentials and the address, then reconnect",
            Self::Gone(_) => "the provider has ended this browser; open a new session",
            Self::NotAllowed => "click Allow in the browser, then reconnect",
            Self::Closed => "open a new session",
            _ => "check that the browser is running, then reconnect",
        }
    }

    /// Whether the old socket may live on at the browser's side, with everything that was set over
    /// it still in force.
    pub(crate) fn may_leave_zombie(&self) -> bool {
        matches!(
            self,
            Self::Unresponsive { .. } | Self::Requested | Self::Io(_)
        )
    }

    /// A close frame that says: do not come back. Policy and the private range 4xxx, which services
    /// use for expired and unauthorised.
    pub(crate) fn into_refusal(self) -> Self {
        match self {
            Self::CloseFrame { code, reason } if code == 1008 || (4000..5000).contains(&code) => {
                Self::Refused {
                    status: code,
                    reason,
                }
            }
            other => other,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eof => f.write_str("code 1006"),
            Self::Reset => f.write_str("reset by the peer"),
            Self::CloseFrame { code, reason } => coded(f, "code", *code, reason),
            Self::Protocol(what) => write!(f, "protocol error: {what}"),
            Self::TooLarge => f.write_str("a message was too large"),
            Self::Io(what) => f.write_str(what),
            Self::Unresponsive { silent } => {
                write!(f, "no answer for {:.1} s", silent.as_secs_f64())
            }
            Self::ProcessExited { status } => write!(f, "the browser ended: {status}"),
            Self::BrowserClosed => f.write_str("the browser was closed on request"),
            Self::BrowserReplaced => f.write_str("another browser answers at this address"),
            // No code came with it: whoever answers there does not speak our protocol.
            Self::Refused { status: 0, reason } => write!(f, "refused: {reason}"),
            Self::Refused { status, reason } => coded(f, "refused with", *status, reason),
            Self::Gone(what) => write!(f, "the endpoint is gone: {what}"),
            Self::Unreachable(what) => write!(f, "cannot be reached: {what}"),
            Self::Busy => f.write_str("the endpoint is busy"),
            Self::NotAllowed => f.write_str("nobody allowed the connection in the browser"),
            Self::Requested => f.write_str("a new connection was asked for"),
            Self::Closed => f.write_str("closed"),
            Self::OwnerEnded => f.write_str("the process that held it ended"),
        }
    }
}

fn coded(f: &mut fmt::Formatter<'_>, word: &str, code: u16, reason: &str) -> fmt::Result {
    write!(f, "{word} {code}")?;
    if reason.is_empty() {
        Ok(())
    } else {
        write!(f, ": {reason}")
    }
}

/// Why a dial failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DialError {
    /// Final: 401, 403, 404, 410 and the like.
    Refused {
        /// HTTP status.
        status: u16,
        /// What the endpoint says.
        reason: Str,
    },
    /// 429 or 503: come back later.
    Busy {
        /// When, if the endpoint says it.
        retry_after: Option<Duration>,
    },
    /// Nothing answers; it may come back.
    Unreachable {
        /// What the system says.
        reason: Str,
    },
    /// Final: the browser, or its provider's session, has ended.
    Gone {
        /// How we know.
        reason: Str,
    },
    /// Final: whoever keeps the browser's process says how it ended.
    Exited {
        /// Such as "signal 9".
        status: Str,
    },
}

/// What a fresh transport says about itself.
#[derive(Debug, Clone, Default)]
pub struct DialInfo {
    /// Something that differs between two runs of a browser, such as the UUID in the path of its
    /// WebSocket address. `None` where the address says nothing.
    pub endpoint_identity: Option<String>,
    /// What carries the messages.
    pub transport: Transport,
    /// What a keeper hands over with its connection.
    pub inheritance: crate::Inheritance,
}

/// What carries the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// A WebSocket: can be pinged, and made anew.
    #[default]
    WebSocket,
    /// The browser's own pipe: cannot be pinged, and ends with the browser.
    Pipe,
    /// The keeper's socket: cannot be pinged, and can be made anew.
    Keeper,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_policy_and_private_close_codes_refuse() {
        for (code, refused) in [
            (1000, false),
            (1001, false),
            (1008, true),
            (1011, false),
            (4001, true),
        ] {
            let cause = Cause::CloseFrame {
                code,
                reason: Str::new(),
            }
            .into_refusal();
            assert_eq!(cause.is_final(), refused, "{code}");
        }
    }

    #[test]
    fn a_refusal_without_a_code_shows_none() {
        let refused = |status| Cause::Refused {
            status,
            reason: Str::from_static("not HTTP"),
        };
        assert_eq!(refused(0).to_string(), "refused: not HTTP");
        assert_eq!(refused(403).to_string(), "refused with 403: not HTTP");
    }

    #[test]
    fn an_end_without_a_close_frame_shows_as_1006() {
        assert_eq!(Cause::Eof.to_string(), "code 1006");
        let away = Cause::CloseFrame {
            code: 1001,
            reason: Str::from_static("restart"),
        };
        assert_eq!(away.to_string(), "code 1001: restart");
    }
}
