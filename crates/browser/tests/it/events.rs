//! Events, and readers that are too slow.
use keeptab_browser::{EventFilter, Notice};
use keeptab_protocol::{page, runtime};
use keeptab_testkit::Site;
use tokio::time::timeout;

use crate::support::{LONG, attached, tab};

#[tokio::test]
async fn every_event_arrives_in_order_for_a_reader_who_reads() {
    let (_chromium, session) = attached().await;
    let tab = tab(&session).await;
    let mut events = tab.events(EventFilter::of::<runtime::ConsoleAPICalled>(), 4096);
    tab.call(&runtime::Enable::default()).await.expect("enable");
    let script = "for (let i = 0; i < 5000; i++) console.log(i)";
    let logging = tokio::spawn({
        let tab = tab.clone();
        async move { tab.evaluate::<Option<u32>>(script).await }
    });
    let mut next = 0;
    while next < 5000 {
        let notice = timeout(LONG, events.next()).await.expect("in time");
        match notice.expect("the session lives") {
            Notice::Event(event) => {
                assert_eq!(event.target.as_ref(), Some(tab.target_id()));
                let logged = event
                    .params
                    .parse::<runtime::ConsoleAPICalled>()
                    .expect("event");
                let value = logged.args[0].value.clone().expect("value");
                assert_eq!(value.parse::<u32>().expect("number"), next);
                next += 1;
            }
            Notice::Dropped(count) => panic!("{count} dropped"),
            _ => {}
        }
    }
    logging.await.expect("task").expect("evaluate");
}

#[tokio::test]
async fn a_reader_who_does_not_read_loses_and_is_told_how_much() {
    let (_chromium, session) = attached().await;
    let tab = tab(&session).await;
    let mut slow = tab.events(EventFilter::of::<runtime::ConsoleAPICalled>(), 10);
    let mut other = tab.events(EventFilter::of::<runtime::ConsoleAPICalled>(), 4096);
    tab.call(&runtime::Enable::default()).await.expect("enable");
    let script = "for (let i = 0; i < 1000; i++) console.log(i)";
    tab.evaluate::<Option<u32>>(script).await.expect("evaluate");
    let mut seen = 0;
    while seen < 1000 {
        let notice = timeout(LONG, other.next()).await.expect("in time");
        seen += u32::from(matches!(notice, Some(Notice::Event(_))));
    }
    let (mut kept, mut dropped) = (0, 0);
    while let Some(notice) = slow.try_next() {
        match notice {
            Notice::Event(_) => kept += 1,
            Notice::Dropped(count) => dropped += count,
            _ => {}
        }
    }
    assert_eq!((kept, dropped), (10, 990));
    assert_eq!(session.status().dropped, 990);
}

#[tokio::test]
async fn waiting_for_one_event() {
    let (_chromium, session) = attached().await;
    let site = Site::start().await;
    let tab = tab(&session).await;
    tab.call(&page::Enable::default()).await.expect("enable");
    let url = site.url("/form");
    let arrived = tab.wait_for::<page::FrameNavigated>(|event| event.frame.url == url, LONG);
    let (arrived, gone) = tokio::join!(arrived, tab.navigate(&url));
    gone.expect("navigate");
    assert_eq!(arrived.expect("event").frame.url, url);

    let nowhere = tab
        .navigate("http://127.0.0.1:1/")
        .await
        .expect_err("nobody there");
    assert!(nowhere.to_string().contains("ERR_"), "{nowhere}");

    let never = tab
        .wait_for::<page::JavascriptDialogOpening>(|_| true, std::time::Duration::from_millis(100));
    let never = never.await.expect_err("no dialog");
    assert_eq!(never.kind(), keeptab_browser::Kind::Deadline);
}
