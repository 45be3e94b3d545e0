//! Raw JSON.
use bytes::Bytes;
use keeptab_protocol::Raw;

#[test]
fn keeps_the_text_and_shares_its_memory() {
    let message = Bytes::from_static(br#"{"id":1,"result":{"value": 1.0}}"#);
    let raw = Raw::from_utf8(message.clone()).unwrap();
    let result = raw.slice(17..31).unwrap();
    assert_eq!(result.as_str(), r#"{"value": 1.0}"#);
    assert_eq!(result.as_bytes().as_ptr(), message[17..].as_ptr());
    assert_eq!(
        raw.slice_ref(result.as_str()).as_bytes().as_ptr(),
        message[17..].as_ptr()
    );
    assert_eq!(raw.slice(17..99), None);
    assert_eq!(Raw::from("\"é\"".to_owned()).slice(0..2), None);
    assert!(Raw::from_utf8(Bytes::from_static(b"\"\xff\"")).is_err());
}

#[test]
fn goes_into_other_json_as_it_is() {
    let raw = Raw::from_static(r#"{"a": 1.0, "b":[]}"#);
    let whole = Raw::of(&std::collections::BTreeMap::from([("params", &raw)])).unwrap();
    assert_eq!(whole.as_str(), r#"{"params":{"a": 1.0, "b":[]}}"#);
    let back: std::collections::BTreeMap<String, Raw> = whole.parse().unwrap();
    assert_eq!(back["params"], raw);
}

#[test]
fn what_is_not_one_json_value_cannot_break_out() {
    for text in ["{},\"id\":2", "", "{", "1 2", "nul"] {
        assert!(Raw::of(&[Raw::from(text.to_owned())]).is_err(), "{text}");
    }
}

#[test]
fn an_error_keeps_what_arrived() {
    let error = Raw::from_static(r#"{"frameId":7}"#)
        .parse::<keeptab_protocol::page::NavigateReturns>()
        .unwrap_err();
    assert_eq!(error.raw().as_str(), r#"{"frameId":7}"#);
    assert!(error.to_string().contains("NavigateReturns"), "{error}");
}

#[test]
fn debug_output_is_short() {
    let long = Raw::from(format!("\"{}\"", "é".repeat(10_000)));
    assert!(format!("{long:?}").len() < 600);
}
