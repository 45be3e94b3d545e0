//! The questions, one function each. The expressions are those that the model's little language knows.

use serde_json::json;

use crate::peer::{PATIENCE, Peer};

const TIME_ZONE: &str = "Intl.DateTimeFormat().resolvedOptions().timeZone";

pub(crate) async fn a_targets_id_survives_and_a_sessions_id_does_not(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (target, session) = peer.tab(first).await;
    peer.drop_connection(first).await;

    let second = peer.connect().await;
    let targets = peer
        .call(second, None, "Target.getTargets", json!({}))
        .await;
    let known = targets["targetInfos"].as_array().unwrap();
    assert!(known.iter().any(|info| info["targetId"] == target));
    let old = peer.ask(
        second,
        Some(&session),
        "Runtime.evaluate",
        json!({"expression": "1+1"}),
    );
    assert!(
        old.await
            .unwrap_err()
            .contains("Session with given id not found")
    );
}

pub(crate) async fn overrides_end_with_their_connection(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (target, session) = peer.tab(first).await;
    let plain = peer.evaluate(first, &session, "navigator.userAgent").await;
    let wide = peer.evaluate(first, &session, "innerWidth").await;
    let ua = json!({"userAgent": "Mine/1"});
    peer.call(first, Some(&session), "Emulation.setUserAgentOverride", ua)
        .await;
    let size = json!({"width": 411, "height": 700, "deviceScaleFactor": 1, "mobile": false});
    peer.call(
        first,
        Some(&session),
        "Emulation.setDeviceMetricsOverride",
        size,
    )
    .await;
    peer.settles(first, &session, "navigator.userAgent", json!("Mine/1"))
        .await;
    peer.settles(first, &session, "innerWidth", json!(411))
        .await;
    peer.drop_connection(first).await;

    let second = peer.connect().await;
    let session = peer.attach(second, &target).await;
    peer.settles(second, &session, "navigator.userAgent", json!(plain))
        .await;
    peer.settles(second, &session, "innerWidth", wide).await;
}

pub(crate) async fn the_last_user_agent_wins_and_falls_back_when_it_leaves(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (target, one) = peer.tab(first).await;
    let second = peer.connect().await;
    let two = peer.attach(second, &target).await;
    let set = |ua: &str| json!({"userAgent": ua});
    peer.call(
        first,
        Some(&one),
        "Emulation.setUserAgentOverride",
        set("One/1"),
    )
    .await;
    peer.call(
        second,
        Some(&two),
        "Emulation.setUserAgentOverride",
        set("Two/2"),
    )
    .await;
    peer.settles(first, &one, "navigator.userAgent", json!("Two/2"))
        .await;
    peer.drop_connection(second).await;
    peer.settles(first, &one, "navigator.userAgent", json!("One/1"))
        .await;
}

pub(crate) async fn the_last_viewport_wins_and_takes_the_others_along(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (target, one) = peer.tab(first).await;
    let plain = peer.evaluate(first, &one, "innerWidth").await;
    let second = peer.connect().await;
    let two = peer.attach(second, &target).await;
    let set = |width: u32| json!({"width": width, "height": 600, "deviceScaleFactor": 1, "mobile": false});
    peer.call(
        first,
        Some(&one),
        "Emulation.setDeviceMetricsOverride",
        set(401),
    )
    .await;
    peer.call(
        second,
        Some(&two),
        "Emulation.setDeviceMetricsOverride",
        set(402),
    )
    .await;
    peer.settles(first, &one, "innerWidth", json!(402)).await;
    peer.drop_connection(second).await;
    peer.settles(first, &one, "innerWidth", json!(plain)).await;
}

pub(crate) async fn init_scripts_are_gone_for_the_next_document(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (target, session) = peer.tab(first).await;
    peer.call(first, Some(&session), "Page.enable", json!({}))
        .await;
    let script = json!({"source": "globalThis.marker = 7"});
    peer.call(
        first,
        Some(&session),
        "Page.addScriptToEvaluateOnNewDocument",
        script,
    )
    .await;
    let url = json!({"url": "about:blank#one"});
    peer.call(first, Some(&session), "Page.navigate", url).await;
    peer.call(first, Some(&session), "Page.reload", json!({}))
        .await;
    peer.settles(first, &session, "globalThis.marker", json!(7))
        .await;
    peer.drop_connection(first).await;

    let second = peer.connect().await;
    let session = peer.attach(second, &target).await;
    assert_eq!(
        peer.evaluate(second, &session, "globalThis.marker").await,
        7
    );
    peer.call(second, Some(&session), "Page.reload", json!({}))
        .await;
    peer.settles(
        second,
        &session,
        "typeof globalThis.marker",
        json!("undefined"),
    )
    .await;
}

pub(crate) async fn a_binding_stays_in_its_document_only(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (target, session) = peer.tab(first).await;
    peer.call(first, Some(&session), "Runtime.enable", json!({}))
        .await;
    let binding = json!({"name": "report"});
    peer.call(first, Some(&session), "Runtime.addBinding", binding)
        .await;
    let is = peer
        .evaluate(first, &session, "typeof globalThis.report")
        .await;
    assert_eq!(is, "function");
    peer.drop_connection(first).await;

    let second = peer.connect().await;
    let session = peer.attach(second, &target).await;
    let is = peer
        .evaluate(second, &session, "typeof globalThis.report")
        .await;
    assert_eq!(is, "function");
    peer.call(second, Some(&session), "Page.reload", json!({}))
        .await;
    peer.settles(
        second,
        &session,
        "typeof globalThis.report",
        json!("undefined"),
    )
    .await;
}

pub(crate) async fn a_time_zone_has_one_owner(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (target, one) = peer.tab(first).await;
    let set = |zone: &str| json!({"timezoneId": zone});
    peer.call(
        first,
        Some(&one),
        "Emulation.setTimezoneOverride",
        set("Asia/Tokyo"),
    )
    .await;
    let second = peer.connect().await;
    let two = peer.attach(second, &target).await;
    let taken = peer
        .ask(
            second,
            Some(&two),
            "Emulation.setTimezoneOverride",
            set("Europe/Oslo"),
        )
        .await;
    assert!(
        taken
            .unwrap_err()
            .contains("Timezone override is already in effect")
    );
    peer.settles(second, &two, TIME_ZONE, json!("Asia/Tokyo"))
        .await;
    peer.drop_connection(first).await;
    // The renderer frees it a moment after the browser knows.
    let begun = std::time::Instant::now();
    loop {
        let params = set("Europe/Oslo");
        let method = "Emulation.setTimezoneOverride";
        match peer.ask(second, Some(&two), method, params).await {
            Ok(_) => break,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
    }
    peer.settles(second, &two, TIME_ZONE, json!("Europe/Oslo"))
        .await;
}

pub(crate) async fn console_messages_are_replayed_with_their_times(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (target, session) = peer.tab(first).await;
    peer.call(first, Some(&session), "Runtime.enable", json!({}))
        .await;
    peer.post(
        first,
        Some(&session),
        "Runtime.evaluate",
        json!({"expression": "console.log('kept')"}),
    )
    .await;
    let said = peer.event(first, "Runtime.consoleAPICalled").await;
    peer.drop_connection(first).await;

    let second = peer.connect().await;
    let session = peer.attach(second, &target).await;
    peer.post(second, Some(&session), "Runtime.enable", json!({}))
        .await;
    let again = peer.event(second, "Runtime.consoleAPICalled").await;
    assert_eq!(again["timestamp"], said["timestamp"]);
    assert_eq!(again["args"][0]["value"], "kept");
}

pub(crate) async fn a_navigation_clears_the_console_store(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (target, session) = peer.tab(first).await;
    peer.evaluate(first, &session, "console.log('gone')").await;
    peer.evaluate(first, &session, "globalThis.old = true")
        .await;
    peer.call(first, Some(&session), "Page.reload", json!({}))
        .await;
    let is = "typeof globalThis.old";
    peer.settles(first, &session, is, json!("undefined")).await;
    peer.drop_connection(first).await;

    let second = peer.connect().await;
    let session = peer.attach(second, &target).await;
    peer.post(second, Some(&session), "Runtime.enable", json!({}))
        .await;
    peer.never(second, |message| {
        message["method"] == "Runtime.consoleAPICalled"
    })
    .await;
}

pub(crate) async fn an_open_dialog_cannot_be_answered_after_a_drop(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (target, session) = peer.tab(first).await;
    peer.call(first, Some(&session), "Page.enable", json!({}))
        .await;
    let alert = json!({"expression": "alert('hello')"});
    peer.post(first, Some(&session), "Runtime.evaluate", alert)
        .await;
    let opened = peer.event(first, "Page.javascriptDialogOpening").await;
    assert_eq!(
        (&opened["type"], &opened["message"]),
        (&json!("alert"), &json!("hello"))
    );
    peer.drop_connection(first).await;

    let second = peer.connect().await;
    let session = peer.attach(second, &target).await;
    peer.is_mute(second, &session).await;
    let accept = json!({"accept": true});
    let answer = peer
        .ask(
            second,
            Some(&session),
            "Page.handleJavaScriptDialog",
            accept,
        )
        .await;
    assert!(answer.unwrap_err().contains("No dialog is showing"));
    let way_out = json!({"url": "about:blank#out"});
    peer.post(second, Some(&session), "Page.navigate", way_out)
        .await;
    peer.drop_connection(second).await;
    let third = peer.connect().await;
    peer.call(
        third,
        None,
        "Target.closeTarget",
        json!({"targetId": target}),
    )
    .await;
}

pub(crate) async fn a_dialog_is_answered_by_who_was_told(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (_, session) = peer.tab(first).await;
    peer.call(first, Some(&session), "Page.enable", json!({}))
        .await;
    let confirm = json!({"expression": "confirm('sure')", "returnByValue": true});
    let asked = peer
        .post(first, Some(&session), "Runtime.evaluate", confirm)
        .await;
    peer.event(first, "Page.javascriptDialogOpening").await;
    let accept = json!({"accept": true});
    peer.post(first, Some(&session), "Page.handleJavaScriptDialog", accept)
        .await;
    let answer = peer.until(first, |message| message["id"] == asked).await;
    assert_eq!(answer["result"]["result"]["value"], true);
}

pub(crate) async fn a_command_sent_before_the_drop_still_runs(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (target, session) = peer.tab(first).await;
    let count = json!({"expression": "globalThis.n = (globalThis.n || 0) + 1"});
    peer.post(first, Some(&session), "Runtime.evaluate", count)
        .await;
    peer.drop_connection(first).await;

    let second = peer.connect().await;
    let session = peer.attach(second, &target).await;
    peer.settles(second, &session, "globalThis.n", json!(1))
        .await;
}

pub(crate) async fn a_closed_tab_is_announced_and_gives_no_result(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let discover = json!({"discover": true});
    peer.call(first, None, "Target.setDiscoverTargets", discover)
        .await;
    let (target, session) = peer.tab(first).await;
    let spin = json!({"expression": "for(;;);"});
    let pending = peer
        .post(first, Some(&session), "Runtime.evaluate", spin)
        .await;
    let close = json!({"targetId": target});
    peer.post(first, None, "Target.closeTarget", close).await;
    let mut result = None;
    peer.until(first, |message| {
        if message["id"] == pending {
            result = message.get("result").cloned();
        }
        message["method"] == "Target.targetDestroyed" && message["params"]["targetId"] == target
    })
    .await;
    // Chromium may answer with an error, or not at all: never with a result.
    assert_eq!(result, None);
}

pub(crate) async fn a_crashed_tab_is_announced_and_never_answers(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (_, session) = peer.tab(first).await;
    peer.call(first, Some(&session), "Inspector.enable", json!({}))
        .await;
    peer.post(first, Some(&session), "Page.crash", json!({}))
        .await;
    peer.event(first, "Inspector.targetCrashed").await;
    peer.is_mute(first, &session).await;
}

pub(crate) async fn a_newcomer_learns_of_an_old_crash(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (target, session) = peer.tab(first).await;
    peer.call(first, Some(&session), "Inspector.enable", json!({}))
        .await;
    peer.post(first, Some(&session), "Page.crash", json!({}))
        .await;
    peer.event(first, "Inspector.targetCrashed").await;
    peer.drop_connection(first).await;

    let second = peer.connect().await;
    let session = peer.attach(second, &target).await;
    peer.post(second, Some(&session), "Inspector.enable", json!({}))
        .await;
    peer.event(second, "Inspector.targetCrashed").await;
}

pub(crate) async fn a_second_connection_sees_what_the_first_left_open(peer: &mut impl Peer) {
    let first = peer.connect().await;
    let (target, session) = peer.tab(first).await;
    peer.evaluate(first, &session, "globalThis.form = \"half filled\"")
        .await;
    peer.drop_connection(first).await;

    let second = peer.connect().await;
    let session = peer.attach(second, &target).await;
    assert_eq!(
        peer.evaluate(second, &session, "globalThis.form").await,
        "half filled"
    );
}
