//! Typed commands and events on the wire.
use keeptab_protocol::{
    Command, Empty, Event, Raw, dom, fetch, input, network, page, runtime, target,
};

fn json(command: &impl serde::Serialize) -> String {
    Raw::of(command).unwrap().as_str().to_owned()
}

#[test]
fn only_what_was_given_is_sent() {
    assert_eq!(json(&page::Enable::default()), "{}");
    assert_eq!(
        json(&page::Navigate::new("about:blank")),
        r#"{"url":"about:blank"}"#
    );
    let click = input::DispatchMouseEvent {
        button: Some(input::MouseButton::LEFT),
        click_count: Some(1),
        ..input::DispatchMouseEvent::new(input::DispatchMouseEventType::MOUSE_PRESSED, 10.0, 20.5)
    };
    assert_eq!(
        json(&click),
        r#"{"type":"mousePressed","x":10.0,"y":20.5,"button":"left","clickCount":1}"#
    );
}

#[test]
fn names_of_the_wire_survive() {
    assert_eq!(
        network::SetExtraHTTPHeaders::METHOD,
        "Network.setExtraHTTPHeaders"
    );
    assert_eq!(page::LoadEventFired::METHOD, "Page.loadEventFired");
    let pattern = fetch::RequestPattern {
        url_pattern: Some("*".to_owned()),
        request_stage: Some(fetch::RequestStage::RESPONSE),
        ..Default::default()
    };
    assert_eq!(
        json(&pattern),
        r#"{"urlPattern":"*","requestStage":"Response"}"#
    );
    let attach = target::AttachToTarget {
        flatten: Some(true),
        ..target::AttachToTarget::new("T1")
    };
    assert_eq!(json(&attach), r#"{"targetId":"T1","flatten":true}"#);
}

#[test]
fn newer_browsers_are_no_error() {
    let event: page::FrameNavigated = Raw::from_static(
        r#"{"frame":{"id":"F","loaderId":"L","url":"u","domainAndRegistry":"","securityOrigin":"s",
            "mimeType":"text/html","secureContextType":"Quantum","crossOriginIsolatedContextType":"Isolated",
            "gatedAPIFeatures":["Telepathy"],"born":"tomorrow"},"type":"Teleport","extra":[1]}"#,
    )
    .parse()
    .unwrap();
    assert_eq!(event.frame.secure_context_type.as_str(), "Quantum");
    assert_eq!(event.type_.as_str(), "Teleport");
    assert_ne!(event.type_, page::NavigationType::NAVIGATION);
    assert_eq!(event.frame.id, page::FrameId::from("F"));
    let _: Empty = Raw::from_static(r#"{"new":1}"#).parse().unwrap();
}

#[test]
fn values_of_a_page_stay_raw() {
    let returns: runtime::EvaluateReturns =
        Raw::from_static(r#"{"result":{"type":"object","value":{"n": 1.50, "deep":[[[]]]}}}"#)
            .parse()
            .unwrap();
    assert_eq!(
        returns.result.value.unwrap().as_str(),
        r#"{"n": 1.50, "deep":[[[]]]}"#
    );
    assert_eq!(returns.result.type_, runtime::RemoteObjectType::OBJECT);
    assert!(returns.exception_details.is_none());
}

#[test]
fn trees_nest() {
    let node = |inner: &str| {
        format!(
            r#"{{"nodeId":1,"backendNodeId":2,"nodeType":9,"nodeName":"N","localName":"n","nodeValue":""{inner}}}"#
        )
    };
    let text = format!(
        r#"{{"root":{}}}"#,
        node(&format!(r#","contentDocument":{}"#, node("")))
    );
    let document: dom::GetDocumentReturns = Raw::from(text).parse().unwrap();
    assert_eq!(
        document.root.content_document.unwrap().node_id,
        dom::NodeId(1)
    );
}
