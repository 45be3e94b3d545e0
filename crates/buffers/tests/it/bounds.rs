//! Whatever happens: bounds hold, numbers rise, nothing goes uncounted.

use keeptab_buffers::{Bounds, Buffers, Filter, Limits, Stream, What};
use proptest::prelude::*;
use serde_json::json;

use crate::events::{at, finished, log_params, loss, request_params, response, restored};

#[derive(Debug, Clone)]
enum Step {
    Log { target: u8, length: usize },
    Request { target: u8, id: u8, length: usize },
    Redirect { target: u8, id: u8 },
    Extra { target: u8, id: u8 },
    Response { target: u8, id: u8 },
    Finished { target: u8, id: u8 },
    Lost,
    Restored,
    Missed,
    Gone { target: u8 },
    Clear { network: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let target = || 0_u8..4;
    let id = || 0_u8..12;
    let step = prop_oneof![
        6 => (target(), 0_usize..200_000).prop_map(|(target, length)| Step::Log { target, length }),
        6 => (target(), id(), 0_usize..20_000)
            .prop_map(|(target, id, length)| Step::Request { target, id, length }),
        2 => (target(), id()).prop_map(|(target, id)| Step::Redirect { target, id }),
        4 => (target(), id()).prop_map(|(target, id)| Step::Extra { target, id }),
        4 => (target(), id()).prop_map(|(target, id)| Step::Response { target, id }),
        4 => (target(), id()).prop_map(|(target, id)| Step::Finished { target, id }),
        1 => Just(Step::Lost),
        1 => Just(Step::Restored),
        1 => Just(Step::Missed),
        1 => target().prop_map(|target| Step::Gone { target }),
        1 => any::<bool>().prop_map(|network| Step::Clear { network }),
    ];
    proptest::collection::vec(step, 0..120)
}

fn run(buffers: &mut Buffers, step: &Step, seconds: f64) {
    let mut event = |target: u8, method: &str, params: serde_json::Value| {
        let target = format!("T{target}");
        buffers
            .event(&target, method, &params.to_string(), at(seconds))
            .unwrap();
    };
    let id = |id: u8| id.to_string();
    match *step {
        Step::Log { target, length } => {
            event(
                target,
                "Runtime.consoleAPICalled",
                log_params(&"x".repeat(length), seconds),
            );
        }
        Step::Request {
            target,
            id: n,
            length,
        } => {
            let url = format!("https://a.test/{}", "y".repeat(length));
            event(
                target,
                "Network.requestWillBeSent",
                request_params(&id(n), &url),
            );
        }
        Step::Redirect { target, id: n } => {
            let mut params = request_params(&id(n), "https://a.test/next");
            params["redirectResponse"] = response(&id(n), 302)["response"].clone();
            params["redirectHasExtraInfo"] = (n % 2 == 0).into();
            event(target, "Network.requestWillBeSent", params);
        }
        Step::Extra { target, id: n } => {
            let params = json!({"requestId": id(n), "headers": {"a": "b"}, "statusCode": 200});
            event(target, "Network.responseReceivedExtraInfo", params);
        }
        Step::Response { target, id: n } => {
            event(target, "Network.responseReceived", response(&id(n), 200));
        }
        Step::Finished { target, id: n } => {
            event(target, "Network.loadingFinished", finished(&id(n)));
        }
        Step::Lost => buffers.lost(loss(seconds)),
        Step::Restored => drop(buffers.restored(&restored(seconds, vec![]))),
        Step::Missed => buffers.missed(3, 1, at(seconds)),
        Step::Gone { target } => buffers.target_gone(&format!("T{target}")),
        Step::Clear { network } => {
            buffers.clear(if network {
                Stream::Network
            } else {
                Stream::Console
            });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn bounds_hold_numbers_rise_and_nothing_goes_uncounted(
        steps in steps(),
        entries in 1_usize..40,
        targets in 1_usize..5,
    ) {
        let bounds = Bounds { entries, bytes: 512 << 10 };
        let mut buffers = Buffers::new(Limits { console: bounds, network: bounds, targets });
        let mut cleared = [1_u64; 2];
        let mut gaps_open = false;
        for (n, step) in steps.iter().enumerate() {
            run(&mut buffers, step, n as f64);
            match step {
                Step::Clear { network } => {
                    let stream = Stream::ALL[usize::from(*network)];
                    cleared[usize::from(*network)] = buffers.next_number(stream);
                }
                Step::Lost => gaps_open = true,
                Step::Restored => gaps_open = false,
                _ => {}
            }
            for (index, stream) in Stream::ALL.into_iter().enumerate() {
                prop_assert!(buffers.len(stream) <= entries);
                prop_assert!(buffers.bytes(stream) <= 512 << 10, "{}", buffers.bytes(stream));
                let numbers: Vec<u64> =
                    buffers.select(stream, &Filter::default()).iter().map(|e| e.number).collect();
                prop_assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
                let made = buffers.next_number(stream) - cleared[index];
                prop_assert_eq!(made, buffers.len(stream) as u64 + buffers.dropped(stream));
                for number in numbers {
                    prop_assert_eq!(buffers.get(stream, number).unwrap().number, number);
                }
            }
        }
        // The end of a gap is always there to read, right after it came.
        if gaps_open {
            buffers.restored(&restored(999.0, vec![]));
            for stream in Stream::ALL {
                let is_end = |e: &&keeptab_buffers::Entry| {
                    matches!(&e.what, What::Gap(gap) if gap.to.is_some_and(|to| to > crate::events::wall(900.0)))
                };
                let all = buffers.select(stream, &Filter::default());
                prop_assert!(all.iter().any(is_end));
            }
        }
    }

    /// Events of a hostile browser: an error or an entry, never a panic.
    #[test]
    fn odd_values_do_no_harm(
        text in "\\PC{0,40}",
        time in proptest::num::f64::ANY,
        number in any::<i64>(),
    ) {
        let mut buffers = Buffers::new(Limits::default());
        let time = serde_json::Number::from_f64(time).map_or(json!(1e308), Into::into);
        let events = [
            ("Runtime.consoleAPICalled", json!({
                "type": text, "timestamp": time, "args": [
                    {"type": "string", "value": text}, {"type": text, "value": number},
                    {"type": "string", "value": number}, {"type": "object", "description": text},
                ],
                "stackTrace": {"callFrames": [{"lineNumber": number, "columnNumber": number, "url": text}]},
            })),
            ("Network.requestWillBeSent", json!({
                "requestId": text, "timestamp": time, "wallTime": time,
                "request": {"url": text, "method": text, "headers": {"Cookie": text, "Set-Cookie": text, text.clone(): text}, "postData": text},
            })),
            ("Network.responseReceived", json!({
                "requestId": text, "timestamp": time, "response": {"url": text, "status": number, "encodedDataLength": time},
            })),
            ("Network.loadingFinished", json!({"requestId": text, "timestamp": time, "encodedDataLength": time})),
        ];
        for (method, params) in events {
            buffers.event("T", method, &params.to_string(), at(0.0)).unwrap();
        }
        for stream in Stream::ALL {
            for entry in buffers.select(stream, &Filter::default()) {
                let line = keeptab_buffers::line(entry, Default::default());
                prop_assert!(!line.contains(char::is_control), "{line:?}");
                keeptab_buffers::detail(entry, None, Default::default());
                keeptab_buffers::json(entry).to_string();
            }
        }
        for change in buffers.unsaved("s", 100) {
            let keeptab_store::Change::PutEntries(batch) = change else { panic!() };
            for entry in batch.put {
                prop_assert!(!String::from_utf8(entry.bytes).unwrap().contains("\"started\":null"));
            }
        }
    }
}
