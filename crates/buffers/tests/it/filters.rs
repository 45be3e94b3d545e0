//! Filters, and that no filter hides a gap.

use keeptab_buffers::{Buffers, Filter, Stream};
use serde_json::json;

use crate::events::{
    after, buffers, filtered, log, loss, request_params, restored, take, wall, whole_request,
};

fn numbers(buffers: &Buffers, stream: Stream, filter: &Filter) -> Vec<u64> {
    buffers
        .select(stream, filter)
        .iter()
        .map(|entry| entry.number)
        .collect()
}

fn some_requests() -> Buffers {
    let mut b = buffers();
    whole_request(&mut b, "1", "https://a.test/api/one", 200);
    whole_request(&mut b, "2", "https://a.test/style.css", 404);
    let mut post = request_params("3", "https://b.test/api/two");
    post["request"]["method"] = "POST".into();
    post["request"]["postData"] = "needle=1".into();
    post["type"] = "Fetch".into();
    take(&mut b, "T2", "Network.requestWillBeSent", &post);
    let failed = json!({"requestId": "3", "timestamp": 103.0, "errorText": "net::ERR_FAILED"});
    take(&mut b, "T2", "Network.loadingFailed", &failed);
    b
}

#[test]
fn requests_are_found_by_each_of_their_properties() {
    let b = some_requests();
    let none = Filter::default;
    for (name, filter, expected) in [
        (
            "type",
            Filter {
                kinds: vec!["FETCH".into()],
                ..none()
            },
            vec![3],
        ),
        (
            "status",
            Filter {
                status: Some("4xx".parse().unwrap()),
                ..none()
            },
            vec![2],
        ),
        (
            "url",
            Filter {
                url: Some("*/api/*".parse().unwrap()),
                ..none()
            },
            vec![1, 3],
        ),
        (
            "method",
            Filter {
                method: Some("post".into()),
                ..none()
            },
            vec![3],
        ),
        (
            "mime",
            Filter {
                mime: Some("JSON".into()),
                ..none()
            },
            vec![1, 2],
        ),
        (
            "failed",
            Filter {
                failed: true,
                ..none()
            },
            vec![2, 3],
        ),
        (
            "find",
            Filter {
                find: Some("needle".parse().unwrap()),
                ..none()
            },
            vec![3],
        ),
        (
            "find error",
            Filter {
                find: Some("err_failed".parse().unwrap()),
                ..none()
            },
            vec![3],
        ),
        (
            "duration",
            Filter {
                min_duration_ms: Some(1_000.0),
                ..none()
            },
            vec![3],
        ),
        (
            "size",
            Filter {
                min_bytes: Some(3_000),
                ..none()
            },
            vec![1, 2],
        ),
        (
            "target",
            Filter {
                target: Some("T2".into()),
                ..none()
            },
            vec![3],
        ),
        (
            "range",
            Filter {
                range: Some((2, 3)),
                ..none()
            },
            vec![2, 3],
        ),
        (
            "head",
            Filter {
                head: Some(2),
                ..none()
            },
            vec![1, 2],
        ),
        (
            "tail",
            Filter {
                tail: Some(2),
                ..none()
            },
            vec![2, 3],
        ),
        (
            "both",
            Filter {
                head: Some(2),
                tail: Some(1),
                ..none()
            },
            vec![2],
        ),
        (
            "since",
            Filter {
                since: Some(wall(9.0)),
                ..none()
            },
            vec![],
        ),
    ] {
        assert_eq!(numbers(&b, Stream::Network, &filter), expected, "{name}");
    }
}

#[test]
fn messages_are_found_by_level_call_and_text() {
    let mut b = buffers();
    log(&mut b, "T1", "one", 1.0);
    let warning =
        json!({"type": "warning", "args": [{"type": "string", "value": "Two"}], "timestamp": 1.0});
    take(&mut b, "T1", "Runtime.consoleAPICalled", &warning);
    let none = Filter::default;
    for (filter, expected) in [
        (
            Filter {
                kinds: vec!["log".into()],
                ..none()
            },
            vec![1],
        ),
        (
            Filter {
                kinds: vec!["warn".into(), "error".into()],
                ..none()
            },
            vec![2],
        ),
        (
            Filter {
                find: Some("two".parse().unwrap()),
                ..none()
            },
            vec![2],
        ),
        (
            Filter {
                url: Some("app.js".parse().unwrap()),
                ..none()
            },
            vec![1],
        ),
        (
            Filter {
                failed: true,
                ..none()
            },
            vec![],
        ),
        (
            Filter {
                method: Some("GET".into()),
                ..none()
            },
            vec![],
        ),
        (
            Filter {
                since: Some(wall(0.0)),
                ..none()
            },
            vec![1],
        ),
    ] {
        assert_eq!(
            numbers(&b, Stream::Console, &filter),
            expected,
            "{filter:?}"
        );
    }
}

#[test]
fn no_filter_by_content_hides_a_gap() {
    let mut b = buffers();
    log(&mut b, "T1", "one", 1.0);
    b.lost(loss(2.0));
    b.restored(&restored(3.0, vec![after("T1", "L1")]));
    log(&mut b, "T1", "two", 4.0);
    let none = Filter::default;
    for filter in [
        Filter {
            kinds: vec!["error".into()],
            ..none()
        },
        Filter {
            find: Some("no such".parse().unwrap()),
            ..none()
        },
        Filter {
            status: Some("404".parse().unwrap()),
            ..none()
        },
        Filter {
            failed: true,
            ..none()
        },
        Filter {
            target: Some("T7".into()),
            ..none()
        },
    ] {
        let lines = filtered(&b, Stream::Console, &filter);
        assert_eq!(lines.len(), 1, "{filter:?}");
        assert!(lines[0].contains("GAP"));
    }
    assert_eq!(
        numbers(
            &b,
            Stream::Console,
            &Filter {
                tail: Some(2),
                ..none()
            }
        ),
        [1, 2, 3]
    );
    assert_eq!(
        numbers(
            &b,
            Stream::Console,
            &Filter {
                head: Some(2),
                ..none()
            }
        ),
        [1, 2, 3]
    );
    assert_eq!(
        numbers(
            &b,
            Stream::Console,
            &Filter {
                tail: Some(1),
                ..none()
            }
        ),
        [3]
    );
    assert_eq!(
        numbers(
            &b,
            Stream::Console,
            &Filter {
                since: Some(wall(2.5)),
                ..none()
            }
        ),
        [2, 3]
    );
    assert_eq!(
        numbers(
            &b,
            Stream::Console,
            &Filter {
                since: Some(wall(3.5)),
                ..none()
            }
        ),
        [3]
    );
}
