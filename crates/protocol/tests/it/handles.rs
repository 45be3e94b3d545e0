//! Ids that die with a connection: marked on the way out, checked on the way in.
use keeptab_protocol::Raw;
use keeptab_protocol::handles::{Reason, check_params, tag_event, tag_result};
use proptest::prelude::*;

fn raw(text: &str) -> Raw {
    Raw::from(text.to_owned())
}

#[test]
fn the_first_connection_costs_nothing() {
    let result = raw(r#"{"object":{"type":"object","objectId":"1.2.3"}}"#);
    let same = tag_result("DOM.resolveNode", result.clone(), 1);
    assert_eq!(same.as_bytes().as_ptr(), result.as_bytes().as_ptr());
    let params = raw("not even JSON");
    let same = check_params("DOM.resolveNode", params.clone(), 1).unwrap();
    assert_eq!(same.as_bytes().as_ptr(), params.as_bytes().as_ptr());
}

#[test]
fn later_connections_mark_every_id_and_nothing_else() {
    let result = raw(
        r#"{"result":{"type":"object","objectId":"1.2.3","value":{"objectId":"mine","nodeId":7}},"exceptionDetails":{"exceptionId":1,"text":"objectId","exception":{"objectId":"4"},"scriptId":"9"}}"#,
    );
    assert_eq!(
        tag_result("Runtime.evaluate", result, 3).as_str(),
        r#"{"result":{"type":"object","objectId":"e3:1.2.3","value":{"objectId":"mine","nodeId":7}},"exceptionDetails":{"exceptionId":1,"text":"objectId","exception":{"objectId":"e3:4"},"scriptId":"9"}}"#
    );
    let tree = raw(
        r#"{"root":{"nodeId":1,"backendNodeId":5,"frameId":"F","children":[{"nodeId":2,"parentId":1,"contentDocument":{"nodeId":3}}]}}"#,
    );
    assert_eq!(
        tag_result("DOM.getDocument", tree, 2).as_str(),
        r#"{"root":{"nodeId":4294967297,"backendNodeId":5,"frameId":"F","children":[{"nodeId":4294967298,"parentId":4294967297,"contentDocument":{"nodeId":4294967299}}]}}"#
    );
    let paused = raw(r#"{"requestId":"interception-job-1.0","networkId":"77.1","frameId":"F"}"#);
    assert_eq!(
        tag_event("Fetch.requestPaused", paused, 2).as_str(),
        r#"{"requestId":"e2:interception-job-1.0","networkId":"77.1","frameId":"F"}"#
    );
    let stream = raw(r#"{"data":"","stream":"1"}"#);
    assert_eq!(
        tag_result("Page.printToPDF", stream, 2).as_str(),
        r#"{"data":"","stream":"e2:1"}"#
    );
    let console =
        raw(r#"{"type":"log","args":[{"type":"string","value":"objectId"},{"objectId":"5"}]}"#);
    assert!(
        tag_event("Runtime.consoleAPICalled", console, 2)
            .as_str()
            .contains(r#""objectId":"e2:5""#)
    );
}

#[test]
fn no_node_stays_no_node() {
    assert_eq!(
        tag_result("DOM.querySelector", raw(r#"{"nodeId":0}"#), 4).as_str(),
        r#"{"nodeId":0}"#
    );
    assert!(
        check_params(
            "DOM.querySelector",
            raw(r#"{"nodeId":0,"selector":"a"}"#),
            4
        )
        .is_ok()
    );
}

#[test]
fn methods_without_such_ids_are_not_even_read() {
    for method in ["Page.navigate", "Network.getResponseBody", "No.such", ""] {
        let text = raw("{{{");
        assert_eq!(tag_result(method, text.clone(), 5), text);
        assert_eq!(tag_event(method, text.clone(), 5), text);
        assert_eq!(check_params(method, text.clone(), 5), Ok(text));
    }
}

#[test]
fn ids_of_another_connection_are_refused() {
    let reason =
        |method, params: &str, epoch| check_params(method, raw(params), epoch).unwrap_err();
    let stale = reason("Runtime.getProperties", r#"{"objectId":"e2:1.2.3"}"#, 3);
    assert_eq!(stale.reason, Reason::OtherEpoch { of: 2, now: 3 });
    assert_eq!(
        stale.to_string(),
        "'objectId' is e2:1.2.3, an id of connection 2; this is connection 3"
    );
    // Without a mark it is from the first connection.
    let stale = reason("Runtime.getProperties", r#"{"objectId":"1.2.3"}"#, 2);
    assert_eq!(stale.reason, Reason::OtherEpoch { of: 1, now: 2 });
    let stale = reason("DOM.querySelector", r#"{"nodeId":7,"selector":"a"}"#, 2);
    assert_eq!(stale.reason, Reason::OtherEpoch { of: 1, now: 2 });
    let stale = reason(
        "Runtime.callFunctionOn",
        r#"{"functionDeclaration":"f","arguments":[{"value":1},{"objectId":"e4:1"}]}"#,
        5,
    );
    assert_eq!(stale.field, "objectId");
    assert_eq!(
        reason("IO.read", r#"{"handle":"e2:1"#, 2).reason,
        Reason::Unreadable
    );
    assert!(!stale.hint().is_empty());
}

#[test]
fn no_spelling_gets_past_the_check() {
    for params in [
        r#"{"object\u0049d":"1.2.3"}"#,
        r#"{"objectId":"\u0065\u0032:x","objectId":"1"}"#,
        r#"{"objectId":"e2:1","objectId":"1"}"#,
        r#"{"objectId":"e02:1"}"#,
        r#"{"objectId":"e2 :1"}"#,
        r#"{"objectId":"e+2:1"}"#,
        r#"{"objectId":"e99999999999:1"}"#,
        "\n\t{ \"objectId\" \r : \"e3:1\" } ",
    ] {
        assert!(
            check_params("Runtime.getProperties", raw(params), 2).is_err(),
            "{params}"
        );
    }
    let escaped = check_params(
        "Runtime.getProperties",
        raw(r#"{"objectId":"\u0065\u0032:x\"y"}"#),
        2,
    );
    assert_eq!(escaped.unwrap().as_str(), r#"{"objectId":"x\"y"}"#);
    // A number as JavaScript may write it.
    let double = check_params(
        "DOM.querySelector",
        raw(r#"{"nodeId":4.294967303e9,"selector":"a"}"#),
        2,
    );
    assert_eq!(double.unwrap().as_str(), r#"{"nodeId":7,"selector":"a"}"#);
}

proptest! {
    #[test]
    fn a_marked_object_id_comes_back_as_it_was(id in "[^\u{0}]{1,20}", epoch in 2_u32..100_000) {
        let quoted = serde_json::to_string(&id).unwrap();
        let given = tag_result("DOM.resolveNode", raw(&format!(r#"{{"object":{{"objectId":{quoted}}}}}"#)), epoch);
        let value: serde_json::Value = given.parse().unwrap();
        let marked = serde_json::to_string(&value["object"]["objectId"]).unwrap();
        let params = format!(r#"{{"objectId":{marked}}}"#);
        let sent = check_params("Runtime.releaseObject", raw(&params), epoch).unwrap();
        let sent: serde_json::Value = sent.parse().unwrap();
        prop_assert_eq!(sent["objectId"].as_str().unwrap(), id.as_str());
        for other in [epoch - 1, epoch + 1] {
            if other >= 2 {
                prop_assert!(check_params("Runtime.releaseObject", raw(&params), other).is_err());
            }
        }
    }

    #[test]
    fn a_marked_node_id_comes_back_as_it_was(id in 1_i64..=i64::from(i32::MAX), epoch in 2_u32..100_000) {
        let given = tag_result("DOM.requestNode", raw(&format!(r#"{{"nodeId":{id}}}"#)), epoch);
        let value: serde_json::Value = given.parse().unwrap();
        let marked = value["nodeId"].as_i64().unwrap();
        // A double holds it, so JavaScript does not change it.
        prop_assert_eq!(marked as f64 as i64, marked);
        let params = format!(r#"{{"nodeId":{marked}}}"#);
        let sent = check_params("DOM.focus", raw(&params), epoch).unwrap();
        prop_assert_eq!(sent.as_str(), format!(r#"{{"nodeId":{id}}}"#));
        prop_assert!(check_params("DOM.focus", raw(&params), epoch + 1).is_err());
    }

    #[test]
    fn values_of_a_page_are_never_touched(value in json_value(4), epoch in 1_u32..9) {
        let text = format!(r#"{{"result":{{"type":"object","value":{value}}}}}"#);
        let given = tag_result("Runtime.evaluate", raw(&text), epoch);
        prop_assert_eq!(given.as_str(), text.as_str());
        let text = format!(r#"{{"functionDeclaration":"f","arguments":[{{"value":{value}}}]}}"#);
        let sent = check_params("Runtime.callFunctionOn", raw(&text), epoch).unwrap();
        prop_assert_eq!(sent.as_str(), text.as_str());
    }
}

/// JSON with the names of ids in it.
fn json_value(depth: u32) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i32>().prop_map(|n| n.to_string()),
        "[a-z\"\\\\]{0,6}".prop_map(|s| serde_json::to_string(&s).unwrap()),
    ];
    leaf.prop_recursive(depth, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(("objectId|nodeId|requestId|value", inner), 0..4).prop_map(
                |fields| {
                    let fields: Vec<String> =
                        fields.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                    format!("{{{}}}", fields.join(","))
                }
            ),
        ]
    })
}
