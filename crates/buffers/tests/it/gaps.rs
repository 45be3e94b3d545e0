//! Losses: said in line, and filled as far as the browser can.

use keeptab_buffers::{Filter, Restored, Stream, Taken, TargetAfter, Unheard, Verdict, What};
use serde_json::json;

use crate::events::{
    after, at, buffers, filtered, finished, lines, log, log_params, loss, request, restored, take,
    wall,
};

#[test]
fn what_was_missed_comes_back_once_and_behind_the_gap() {
    let mut b = buffers();
    b.document("T1", "L1");
    log(&mut b, "T1", "before", 1.0);
    log(&mut b, "T1", "twice", 2.0);
    log(&mut b, "T1", "twice", 2.0);
    b.lost(loss(2.5));
    assert_eq!(
        lines(&b, Stream::Console)[3],
        "04 -- GAP [12:00:02] … and not over: connection reset --"
    );
    for (text, seconds) in [("before", 1.0), ("twice", 2.0), ("twice", 2.0)] {
        assert_eq!(log(&mut b, "T1", text, seconds), Taken::Duplicate);
    }
    log(&mut b, "T1", "during", 3.0);
    b.replay_ended("T1");
    log(&mut b, "T1", "live again", 5.0);
    let verdicts = b.restored(&restored(4.5, vec![after("T1", "L1")])).unwrap();
    assert_eq!(verdicts.0, Verdict::Complete { recovered: 1 });
    assert!(matches!(verdicts.1, Verdict::Unknown { .. }));
    assert_eq!(
        lines(&b, Stream::Console)[3..],
        [
            "04 -- GAP [12:00:02] to [12:00:04] (2.0s): connection reset; 1 recovered, nothing missed --",
            "05 [12:00:03] LOG https://a.test/app.js:10:5 during",
            "06 [12:00:05] LOG https://a.test/app.js:10:5 live again",
        ]
    );
    let recovered = |number| match &b.get(Stream::Console, number).unwrap().what {
        What::Console(console) => console.recovered,
        other => panic!("{other:?}"),
    };
    assert!(recovered(5) && !recovered(6));
}

#[test]
fn a_second_replay_brings_nothing() {
    let mut b = buffers();
    b.document("T1", "L1");
    for round in 0..3 {
        b.lost(loss(10.0 + f64::from(round)));
        let taken = log(&mut b, "T1", "stored", 1.0);
        assert_eq!(taken == Taken::Duplicate, round > 0);
        b.restored(&restored(11.0, vec![after("T1", "L1")]));
    }
    assert_eq!(filtered(&b, Stream::Console, &kind("log")).len(), 1 + 3);
}

fn kind(kind: &str) -> Filter {
    Filter {
        kinds: vec![kind.into()],
        ..Filter::default()
    }
}

#[test]
fn replayed_objects_are_the_same_although_their_ids_are_not() {
    let mut b = buffers();
    let object = |id: &str, preview: bool, description: &str| {
        let mut object = json!({
            "type": "object", "subtype": "array", "className": "Array",
            "description": description, "objectId": id,
        });
        if preview {
            object["preview"] = json!({"type": "object", "overflow": false, "properties": []});
        }
        json!({"type": "log", "args": [object], "timestamp": 5.5})
    };
    take(
        &mut b,
        "T1",
        "Runtime.consoleAPICalled",
        &object("1.1.1", true, "Array(1)"),
    );
    b.lost(loss(1.0));
    let replayed = object("9.1.7", false, "Array(2)");
    assert_eq!(
        take(&mut b, "T1", "Runtime.consoleAPICalled", &replayed),
        Taken::Duplicate
    );
}

#[test]
fn a_full_store_a_navigation_and_a_lost_target_make_it_partial() {
    for (case, expected) in [
        ("full", "1,000"),
        ("navigated", "a page navigated"),
        ("unsure", "may have navigated"),
        ("gone", "a target is gone"),
        ("new", "a target is new"),
        ("not asked", "not asked"),
    ] {
        let mut b = buffers();
        b.document("T1", "L1");
        log(&mut b, "T1", "before", 1.0);
        b.lost(loss(2.0));
        let count = if case == "full" { 1_000 } else { 3 };
        for n in 0..count {
            log(&mut b, "T1", "x", 3.0 + f64::from(n) / 1e3);
        }
        let mut targets = vec![after("T1", "L1")];
        match case {
            "navigated" => targets[0].loader_id = Some("L2".into()),
            "unsure" => targets[0].loader_id = None,
            "gone" => targets.clear(),
            "new" => targets.push(after("T2", "L9")),
            "not asked" => targets[0].replayed = false,
            _ => {}
        }
        match b.restored(&restored(9.0, targets)).unwrap().0 {
            Verdict::Partial { recovered, why } => {
                assert_eq!(recovered, count as u64, "{case}");
                assert!(why.contains(expected), "{case}: {why}");
            }
            other => panic!("{case}: {other:?}"),
        }
    }
}

#[test]
fn another_browser_makes_it_unknown() {
    let mut b = buffers();
    log(&mut b, "T1", "before", 1.0);
    b.lost(loss(2.0));
    let all = Restored {
        same_browser: false,
        ..restored(3.0, vec![after("T9", "L1")])
    };
    assert!(matches!(
        b.restored(&all).unwrap().0,
        Verdict::Unknown { .. }
    ));
    let What::Gap(gap) = &b.get(Stream::Console, 2).unwrap().what else {
        panic!()
    };
    assert_eq!(
        (gap.gone.clone(), gap.new.clone()),
        (vec!["T1".into()], vec!["T9".into()])
    );
}

#[test]
fn a_loss_during_recovery_is_the_same_gap() {
    let mut b = buffers();
    b.document("T1", "L1");
    log(&mut b, "T1", "before", 1.0);
    b.lost(loss(2.0));
    log(&mut b, "T1", "before", 1.0);
    log(&mut b, "T1", "during", 2.5);
    let mut second = loss(3.0);
    second.cause = "end of file".into();
    b.lost(second);
    for (text, seconds) in [("before", 1.0), ("during", 2.5)] {
        assert_eq!(log(&mut b, "T1", text, seconds), Taken::Duplicate);
    }
    b.restored(&restored(4.0, vec![after("T1", "L1")]));
    let gaps: Vec<_> = lines(&b, Stream::Console)
        .into_iter()
        .filter(|line| line.contains("GAP"))
        .collect();
    assert_eq!(gaps.len(), 1);
    assert!(gaps[0].contains("[12:00:02] to [12:00:04]"), "{gaps:?}");
    assert!(
        gaps[0].contains("connection reset; then end of file"),
        "{gaps:?}"
    );
}

#[test]
fn clearing_or_flooding_an_open_gap_does_not_hide_it() {
    let mut b = buffers();
    b.lost(loss(2.0));
    b.clear(Stream::Console);
    assert!(b.restored(&restored(3.0, vec![])).is_some());
    assert!(lines(&b, Stream::Console)[0].contains("GAP"));
    assert!(b.restored(&restored(4.0, vec![])).is_none());
}

#[test]
fn what_was_cleared_does_not_come_back() {
    let mut b = buffers();
    log(&mut b, "T1", "old", 1.0);
    b.clear(Stream::Console);
    b.lost(loss(2.0));
    assert_eq!(log(&mut b, "T1", "old", 1.0), Taken::Duplicate);
}

#[test]
fn requests_under_way_are_unknown_until_they_are_heard_of_again() {
    let mut b = buffers();
    request(&mut b, "1", "https://a.test/lost");
    request(&mut b, "2", "https://a.test/late");
    b.lost(loss(2.0));
    b.restored(&restored(
        3.0,
        vec![TargetAfter {
            target: "T1".into(),
            loader_id: None,
            replayed: true,
        }],
    ));
    take(&mut b, "T1", "Network.loadingFinished", &finished("2"));
    let lines = lines(&b, Stream::Network);
    assert!(
        lines[0].contains("UNKNOWN") && lines[0].contains("connection lost"),
        "{lines:?}"
    );
    assert!(!lines[1].contains("UNKNOWN"), "{lines:?}");
    assert!(
        lines[2].contains("the browser does not replay requests"),
        "{lines:?}"
    );
}

#[test]
fn events_dropped_on_our_side_are_a_gap_too() {
    let mut b = buffers();
    log(&mut b, "T1", "before", 1.0);
    b.missed(42, 1, at(2.0));
    for stream in Stream::ALL {
        assert!(
            lines(&b, stream)
                .last()
                .unwrap()
                .contains("42 events were dropped")
        );
    }
}

/// A page that said 20,000 lines a second left hundreds of lines of 0 ms among the requests.
#[test]
fn what_is_dropped_one_after_the_other_is_one_gap() {
    let mut b = buffers();
    for second in 2..6 {
        b.missed(10, 1, at(f64::from(second)));
        b.missed(1, 1, at(f64::from(second)));
    }
    for stream in Stream::ALL {
        let lines = lines(&b, stream);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].contains("[12:00:02] to [12:00:05] (3.0s)")
                && lines[0].contains("44 events were dropped"),
            "{lines:?}"
        );
    }
    log(&mut b, "T1", "got through", 6.0);
    b.missed(5, 1, at(7.0));
    b.missed(5, 2, at(8.0));
    let console = lines(&b, Stream::Console);
    assert_eq!(console.len(), 4, "{console:?}");
    assert!(console[2].contains("5 events"), "{console:?}");
    // A loss is never taken for more of the same.
    b.lost(loss(9.0));
    b.missed(1, 2, at(9.0));
    assert_eq!(lines(&b, Stream::Console).len(), 6);
}

#[test]
fn documents_without_their_init_scripts_are_named_on_the_line_of_their_gap() {
    let named = |urls: &[&str]| {
        let mut b = buffers();
        b.lost(loss(10.0));
        b.restored(&Restored {
            without_init_scripts: urls.iter().map(|url| (*url).to_owned()).collect(),
            ..restored(11.0, Vec::new())
        });
        lines(&b, Stream::Console).remove(0)
    };
    assert!(!named(&[]).contains("init scripts"));
    let one = named(&["http://shop/a"]);
    assert!(
        one.ends_with("; without its init scripts: http://shop/a --"),
        "{one}"
    );
    let three = named(&["http://shop/a", "http://shop/b", "http://shop/c"]);
    assert!(
        three.ends_with("; without their init scripts: http://shop/a and 2 more --"),
        "{three}"
    );
}

#[test]
fn commands_in_doubt_are_named_on_the_line_of_their_gap() {
    let named = |methods: &[&str]| {
        let mut b = buffers();
        b.lost(loss(10.0));
        b.restored(&Restored {
            unknown: methods.iter().map(|method| (*method).to_owned()).collect(),
            ..restored(11.0, Vec::new())
        });
        lines(&b, Stream::Console).remove(0)
    };
    assert!(!named(&[]).contains("unknown:"), "{}", named(&[]));
    let one = named(&["Page.navigate"]);
    assert!(
        one.ends_with("; outcome unknown: Page.navigate --"),
        "{one}"
    );
    let five = named(&["A.a", "A.b", "A.c", "A.d", "A.e"]);
    assert!(five.ends_with(": A.a, A.b, A.c and 2 more --"), "{five}");
}

#[test]
fn the_beginning_of_a_gap_is_corrected_when_it_is_known_better() {
    let mut b = buffers();
    b.lost(loss(10.0));
    let all = Restored {
        from: Some(crate::events::wall(6.0)),
        ..restored(11.0, Vec::new())
    };
    b.restored(&all);
    let line = &lines(&b, Stream::Console)[0];
    assert!(line.contains("[12:00:06] to [12:00:11]"), "{line}");
    assert!(!b.in_gap());
}

/// A message of a frame that is a target of its own, within the tab `T1`.
fn said_in_frame(b: &mut keeptab_buffers::Buffers, text: &str, seconds: f64) -> Taken {
    let (method, params) = ("Runtime.consoleAPICalled", log_params(text, seconds));
    b.event_within("T1", "F1", method, &params.to_string(), at(30.0))
        .unwrap()
}

#[test]
fn what_a_frame_replays_is_told_apart_from_a_talkative_page() {
    let mut b = buffers();
    b.document("T1", "L1");
    b.document("F1", "L2");
    said_in_frame(&mut b, "in the frame", 1.0);
    for n in 0..1_000 {
        log(&mut b, "T1", &format!("line {n}"), 2.0 + f64::from(n) / 1e3);
    }
    b.lost(loss(4.0));
    assert_eq!(said_in_frame(&mut b, "in the frame", 1.0), Taken::Duplicate);
    said_in_frame(&mut b, "meanwhile", 4.5);
    let there = vec![after("T1", "L1"), after("F1", "L2")];
    let verdicts = b.restored(&restored(5.0, there)).unwrap();
    assert_eq!(verdicts.0, Verdict::Complete { recovered: 1 });
    let found = b.select(Stream::Console, &kind("log"));
    let last = found.last().unwrap();
    assert_eq!(last.target.as_deref(), Some("T1"), "it is the tab's");
    let What::Console(console) = &last.what else {
        panic!("{last:?}")
    };
    assert_eq!(console.frame.as_deref(), Some("F1"));
}

#[test]
fn what_could_not_be_listened_to_is_a_line_of_its_tab_without_secrets() {
    let mut b = buffers();
    let unheard = Unheard {
        from: wall(1.0),
        until: wall(1.5),
        epoch: 1,
        cause: "frame".into(),
        url: "https://user:secret@a.test/".into(),
        why: "what it asked for before it was listened to".into(),
    };
    b.unheard(Stream::Network, "T1", &unheard);
    assert!(b.is_empty(Stream::Console));
    assert_eq!(
        lines(&b, Stream::Network),
        [
            "01 -- GAP [12:00:01] to [12:00:01] (500ms): frame https://[redacted]@a.test/; \
          entries may be missing: what it asked for before it was listened to --"
        ]
    );
    let of = |tab: &str| Filter {
        target: Some(tab.into()),
        ..Filter::default()
    };
    assert_eq!(filtered(&b, Stream::Network, &of("T1")).len(), 1);
    assert_eq!(filtered(&b, Stream::Network, &of("T2")).len(), 0);
}

#[test]
fn an_answer_about_the_document_does_not_undo_what_an_event_told_meanwhile() {
    let mut b = buffers();
    let navigated = json!({"frame": {"id": "T1", "loaderId": "L2", "url": "https://a.test/"}});
    take(&mut b, "T1", "Page.frameNavigated", &navigated);
    b.document_unless_told("T1", "L1");
    b.document_unless_told("T2", "L9");
    b.lost(loss(1.0));
    let there = vec![after("T1", "L2"), after("T2", "L9")];
    let verdicts = b.restored(&restored(2.0, there)).unwrap();
    assert_eq!(verdicts.0, Verdict::Complete { recovered: 0 });
}
