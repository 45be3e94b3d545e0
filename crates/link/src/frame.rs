//! Writes outgoing messages, by hand and into one buffer.
use bytes::Bytes;
use keeptab_protocol::Raw;

const ID: &[u8] = b"{\"id\":";
const METHOD: &[u8] = b",\"method\":";
const PARAMS: &[u8] = b",\"params\":";
const SESSION: &[u8] = b",\"sessionId\":";

/// One message: `{"id":…,"method":…,"params":…,"sessionId":…}`. `params` is known to be an object.
pub(crate) fn write(id: u32, method: &str, params: &Raw, session: Option<&str>) -> Bytes {
    let mut digits = [0; 10];
    let id = number(id, &mut digits);
    let quoted = |text: &str| text.len() + 2;
    let length = ID.len() + id.len() + METHOD.len() + quoted(method) + PARAMS.len() + params.len();
    let length = length + session.map_or(0, |session| SESSION.len() + quoted(session)) + 1;
    // Room for exactly this message, so that it becomes shared bytes without another allocation.
    let mut frame = Vec::with_capacity(length);
    frame.extend_from_slice(ID);
    frame.extend_from_slice(id);
    frame.extend_from_slice(METHOD);
    push_string(&mut frame, method);
    frame.extend_from_slice(PARAMS);
    frame.extend_from_slice(params.as_bytes());
    if let Some(session) = session {
        frame.extend_from_slice(SESSION);
        push_string(&mut frame, session);
    }
    frame.push(b'}');
    Bytes::from(frame)
}

/// The id in a message that [`write`] has made.
pub(crate) fn id(frame: &[u8]) -> Option<u32> {
    let digits = frame.strip_prefix(ID)?;
    let length = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    std::str::from_utf8(&digits[..length]).ok()?.parse().ok()
}

fn number(number: u32, digits: &mut [u8; 10]) -> &[u8] {
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    &digits[at..]
}

fn push_string(frame: &mut Vec<u8>, text: &str) {
    // Without a way out of the loop it works on many bytes at once.
    let plain = text.bytes().fold(true, |plain, byte| {
        plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\')
    });
    if plain {
        frame.push(b'"');
        frame.extend_from_slice(text.as_bytes());
        frame.push(b'"');
    } else {
        // Display of a JSON value escapes whatever a caller may have put into a name.
        frame.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    }
}

/// Whether the text is one JSON object, so that it cannot break out of the message around it.
pub(crate) fn is_object(params: &Raw) -> bool {
    let text = params.as_str();
    text == "{}"
        || (text
            .trim_start_matches([' ', '\t', '\n', '\r'])
            .starts_with('{')
            && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_what_chromium_reads() {
        assert_eq!(id(&write(41, "A.b", &Raw::object_empty(), None)), Some(41));
        let frame = write(
            2_147_483_647,
            "Page.enable",
            &Raw::object_empty(),
            Some("AB"),
        );
        assert_eq!(
            &frame[..],
            br#"{"id":2147483647,"method":"Page.enable","params":{},"sessionId":"AB"}"#
        );
        assert_eq!(
            &write(0, "A.b", &Raw::from_static("{\"x\":1}"), None)[..],
            br#"{"id":0,"method":"A.b","params":{"x":1}}"#
        );
    }

    #[test]
    fn a_hostile_method_name_stays_a_string() {
        let frame = write(1, "A\",\"params\":{},\"x\":\"", &Raw::object_empty(), None);
        let value: serde_json::Value = serde_json::from_slice(&frame).expect("JSON");
        assert_eq!(value["method"], "A\",\"params\":{},\"x\":\"");
    }

    #[test]
    fn only_one_whole_object_passes_as_parameters() {
        for (text, good) in [
            ("{}", true),
            (" {\"a\":[1]} ", true),
            ("", false),
            ("[]", false),
            ("null", false),
            ("{},\"sessionId\":\"X\"", false),
            ("{}{}", false),
            ("{\"a\":}", false),
        ] {
            assert_eq!(is_object(&Raw::from(text.to_owned())), good, "{text}");
        }
    }
}
