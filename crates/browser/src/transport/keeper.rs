//! The keeper's side of things: the pipe's framing, command ids that are unique across owners, and the
//! keeper's own messages.
use bytes::{Bytes, BytesMut};
use keeptab_link::{Cause, InFlight, Inheritance, StillOpen, Str};
use keeptab_protocol::Raw;
use serde::Deserialize;

use super::framed::{Decoded, Framing};
use super::nul::Nul;
use super::outbox::Encode;

/// Ids fit an int32; Chromium refuses larger ones.
const IDS: u64 = i32::MAX as u64;
const ID: &[u8] = b"{\"id\":";
const OWN: &[u8] = b"{\"keeper\":";

/// The framing of a keeper's socket, after its hello.
///
/// A link counts its commands from 1. The keeper knows commands of earlier owners by their ids, so ours are
/// moved beyond those on the way out, and back on the way in.
#[derive(Debug)]
pub(crate) struct Keeper {
    nul: Nul,
    /// The highest id that an earlier owner may have used.
    taken: u64,
}

/// What a keeper says by itself.
#[derive(Debug, Deserialize)]
struct Notice {
    keeper: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    why: Option<String>,
}

impl Keeper {
    /// A framing whose first command gets the id `next`.
    pub(crate) fn new(limit: usize, next: u64) -> Self {
        Self {
            nul: Nul::new(limit),
            taken: next.clamp(1, IDS) - 1,
        }
    }

    fn outward(&self, id: u64) -> u64 {
        (id - 1 + self.taken) % IDS + 1
    }

    fn inward(&self, id: u64) -> u64 {
        (id + IDS - 1 - self.taken % IDS) % IDS + 1
    }

    /// Puts the link's id in the place of the keeper's. It is rarely longer, and then the message is copied.
    fn restore_id(&self, mut message: BytesMut) -> Bytes {
        let Some((id, digits)) = leading_id(&message) else {
            return message.freeze();
        };
        let text = self.inward(id).to_string();
        let field = ID.len()..ID.len() + digits;
        if text.len() <= digits {
            let padded = format!("{text:>digits$}");
            message[field].copy_from_slice(padded.as_bytes());
            return message.freeze();
        }
        let mut longer = BytesMut::with_capacity(message.len() + text.len());
        longer.extend_from_slice(ID);
        longer.extend_from_slice(text.as_bytes());
        longer.extend_from_slice(&message[field.end..]);
        longer.freeze()
    }
}

/// The id with which a command or reply begins, and how many digits it has.
fn leading_id(message: &[u8]) -> Option<(u64, usize)> {
    let rest = message.strip_prefix(ID)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let id = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    (1..=IDS).contains(&id).then_some((id, digits))
}

fn own(message: &[u8]) -> Result<Decoded, Cause> {
    let Ok(notice) = serde_json::from_slice::<Notice>(message) else {
        return Err(Cause::Protocol(
            "a keeper's message that cannot be read".into(),
        ));
    };
    match notice.keeper.as_str() {
        "browser_exited" | "ended" => Err(Cause::ProcessExited {
            status: notice.status.unwrap_or_default().into(),
        }),
        "superseded" => Err(Cause::Refused {
            // As HTTP says that somebody else was faster.
            status: 409,
            reason: "another owner has taken over the keeper".into(),
        }),
        // A command was not passed on, and which one cannot be said in CDP: start anew.
        "refused" => {
            let why = notice.why.unwrap_or_default();
            Err(Cause::Protocol(
                format!("the keeper refused a command: {why}").into(),
            ))
        }
        _ => Ok(Decoded::Part),
    }
}

impl Encode for Keeper {
    fn encode(&mut self, piece: &[u8], first: bool, last: bool, out: &mut Vec<u8>) {
        let id = if first { leading_id(piece) } else { None };
        let rest = match id {
            Some((id, digits)) => {
                out.extend_from_slice(ID);
                out.extend_from_slice(self.outward(id).to_string().as_bytes());
                &piece[ID.len() + digits..]
            }
            None => piece,
        };
        self.nul.encode(rest, first, last, out);
    }
}

impl Framing for Keeper {
    fn decode(&mut self, inbox: &mut BytesMut) -> Result<Decoded, Cause> {
        match self.nul.take(inbox)? {
            None => Ok(Decoded::More(1)),
            Some(message) if message.starts_with(OWN) => own(&message),
            Some(message) => Ok(Decoded::Message(self.restore_id(message))),
        }
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"keeper\":\"ping\"}\0");
    }

    fn pong(&mut self, _payload: &[u8], _out: &mut Vec<u8>) {}
}

/// The hello of an owner with this fencing number, with its end.
pub(crate) fn hello(epoch: u64) -> Bytes {
    let client = concat!("keeptab ", env!("CARGO_PKG_VERSION"));
    Bytes::from(format!(
        "{{\"hello\":1,\"epoch\":{epoch},\"client\":\"{client}\"}}"
    ))
}

/// The keeper's answer to a hello.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Welcome {
    /// Version of its protocol, or `"refused"`.
    keeper: serde_json::Value,
    /// Names the browser's one CDP connection.
    #[serde(default)]
    pub(crate) connection: Option<String>,
    /// How the browser ended, if it has.
    #[serde(default)]
    pub(crate) browser_exited: Option<String>,
    #[serde(default)]
    pub(crate) next_id: u64,
    #[serde(default)]
    dropped: u64,
    #[serde(default)]
    in_flight: Vec<Listed>,
    #[serde(default)]
    dialogs: Vec<Opening>,
    #[serde(default)]
    pub(crate) why: Option<String>,
}

/// A command of a former owner.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(default)]
    state: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    session_id: Option<String>,
}

/// A dialog that is open, as the event that told of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Opening {
    params: Raw,
    session_id: String,
}

impl Welcome {
    /// What happened while nobody owned the connection.
    pub(crate) fn inheritance(&self) -> Inheritance {
        let unanswered = self
            .in_flight
            .iter()
            .filter(|command| command.state == "sent" || command.method.is_some());
        let text = |text: &Option<String>| text.as_deref().map(Str::from);
        let dialogs = self.dialogs.iter().map(|dialog| StillOpen {
            session: Str::from(dialog.session_id.as_str()),
            opening: dialog.params.clone(),
        });
        Inheritance {
            dropped: self.dropped,
            in_flight: unanswered
                .map(|command| InFlight {
                    method: text(&command.method),
                    session: text(&command.session_id),
                })
                .collect(),
            dialogs: dialogs.collect(),
        }
    }

    /// Reads the answer; the error says why we are not welcome.
    pub(crate) fn read(message: &[u8]) -> Result<Self, String> {
        let welcome: Self = serde_json::from_slice(message).map_err(|error| error.to_string())?;
        if welcome.keeper == serde_json::json!(1) {
            Ok(welcome)
        } else {
            Err(welcome
                .why
                .unwrap_or_else(|| "it speaks another version".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(keeper: &mut Keeper, message: &str) -> String {
        let mut out = Vec::new();
        keeper.encode(message.as_bytes(), true, true, &mut out);
        assert_eq!(out.pop(), Some(0));
        String::from_utf8(out).expect("text")
    }

    fn decoded(keeper: &mut Keeper, message: &str) -> Result<Option<String>, Cause> {
        let mut inbox = BytesMut::from(message.as_bytes());
        inbox.extend_from_slice(b"\0");
        Ok(match keeper.decode(&mut inbox)? {
            Decoded::Message(message) => Some(String::from_utf8(message.to_vec()).expect("text")),
            _ => None,
        })
    }

    #[test]
    fn ids_move_out_and_back() {
        let mut keeper = Keeper::new(1000, 41);
        assert_eq!(
            sent(&mut keeper, r#"{"id":1,"method":"A.b"}"#),
            r#"{"id":41,"method":"A.b"}"#
        );
        let back = decoded(&mut keeper, r#"{"id":41,"result":{}}"#).expect("reply");
        assert_eq!(back.as_deref(), Some(r#"{"id": 1,"result":{}}"#));
        let event = r#"{"method":"A.c","params":{"id":41}}"#;
        assert_eq!(
            decoded(&mut keeper, event).expect("event").as_deref(),
            Some(event)
        );
    }

    #[test]
    fn ids_wrap_like_those_of_chromium() {
        let mut keeper = Keeper::new(1000, IDS);
        assert_eq!(
            sent(&mut keeper, r#"{"id":1}"#),
            format!(r#"{{"id":{IDS}}}"#)
        );
        assert_eq!(sent(&mut keeper, r#"{"id":2}"#), r#"{"id":1}"#);
        let back = decoded(&mut keeper, r#"{"id":1}"#).expect("reply");
        assert_eq!(back.as_deref(), Some(r#"{"id":2}"#));
        for (taken, id) in [(0, 1), (0, IDS), (40, 1), (40, IDS), (IDS - 1, 77)] {
            let keeper = Keeper::new(1000, taken + 1);
            assert_eq!(keeper.inward(keeper.outward(id)), id);
        }
    }

    #[test]
    fn the_keepers_own_words_never_reach_the_link() {
        let mut keeper = Keeper::new(1000, 1);
        assert!(matches!(
            decoded(&mut keeper, r#"{"keeper":"pong"}"#),
            Ok(None)
        ));
        let exited = r#"{"keeper":"browser_exited","status":"signal 9","stderr":"/x"}"#;
        let cause = decoded(&mut keeper, exited).expect_err("the end");
        assert!(matches!(cause, Cause::ProcessExited { status } if &*status == "signal 9"));
        let cause = decoded(&mut keeper, r#"{"keeper":"superseded","by":8}"#).expect_err("the end");
        assert!(cause.is_final());
    }

    #[test]
    fn a_refused_hello_says_why() {
        let refused = Welcome::read(br#"{"keeper":"refused","why":"older_epoch","epoch":1}"#);
        assert_eq!(refused.expect_err("refused"), "older_epoch");
        let welcome = Welcome::read(
            br#"{"keeper":1,"epoch":7,"connection":"12-1","browserExited":null,"nextId":41,"inFlight":[]}"#,
        );
        let welcome = welcome.expect("welcome");
        assert_eq!(welcome.next_id, 41);
        assert_eq!(welcome.inheritance(), Inheritance::default());
    }

    #[test]
    fn a_welcome_names_what_nobody_had_an_answer_to() {
        let welcome = Welcome::read(
            br#"{"keeper":1,"inFlight":[{"id":1,"state":"replied","bytes":3},{"id":2,"state":"sent"},
                {"id":3,"state":"replied","bytes":3,"method":"Page.navigate","sessionId":"AB"}]}"#,
        );
        let in_flight = welcome.expect("welcome").inheritance().in_flight;
        let known = InFlight {
            method: Some("Page.navigate".into()),
            session: Some("AB".into()),
        };
        assert_eq!(in_flight, [InFlight::default(), known]);
    }

    #[test]
    fn a_welcome_names_the_dialogs_that_are_open() {
        let welcome = Welcome::read(
            br#"{"keeper":1,"connection":"12-1","dialogs":[{"method":"Page.javascriptDialogOpening","params":{"message":"Pay?"},"sessionId":"AB"}]}"#,
        );
        let dialogs = welcome.expect("welcome").inheritance().dialogs;
        assert_eq!(&*dialogs[0].session, "AB");
        assert_eq!(dialogs[0].opening.as_str(), r#"{"message":"Pay?"}"#);
    }
}
