//! Frames of other sites and workers: what they say and ask for is recorded under their tab.

use std::time::Duration;

use keeptab_testkit::{Answer, FaultProxy, Site, block_on};

use crate::bed::{Bed, chromium, eventually, site};
use crate::console::{kill, lines};

fn network(bed: &Bed) -> Vec<String> {
    bed.ok(["network"]).lines().map(str::to_owned).collect()
}

fn times(lines: &[String], text: &str) -> usize {
    lines.iter().filter(|line| line.contains(text)).count()
}

/// The page has a frame of another site, and a worker that fetches what it is told.
fn with_children(bed: &Bed, site: &Site) {
    let url = site.url("/frames");
    bed.ok([
        "js",
        &format!("await session.Page.navigate({{url: '{url}'}})"),
    ]);
    eventually("its frame is listened to", || {
        times(&network(bed), "GAP") == 1
    });
    start_worker(bed);
    eventually("its worker is listened to", || {
        times(&network(bed), "GAP") == 2
    });
}

fn start_worker(bed: &Bed) {
    let code = "globalThis.worker = new Worker(URL.createObjectURL(\
                new Blob(['onmessage = event => fetch(event.data).then(answer => answer.text())']))); 1";
    bed.page("default", code);
}

fn in_frame(bed: &Bed, code: &str) {
    let code = format!("document.querySelector('#other').contentWindow.postMessage(`{code}`, '*')");
    bed.page("default", &code);
}

fn in_worker(bed: &Bed, url: &str) {
    bed.page("default", &format!("worker.postMessage('{url}')"));
}

/// Frame and worker each ask for something, and the frame says something.
fn act(bed: &Bed, site: &Site, mark: &str) {
    in_frame(
        bed,
        &format!(
            "console.log('frame says {mark}'); fetch('/echo?frame={mark}').then(answer => answer.text())"
        ),
    );
    in_worker(bed, &site.url(&format!("/echo?worker={mark}")));
    eventually("all of it", || {
        let asked = network(bed);
        times(&asked, &format!("frame={mark} 200")) > 0
            && times(&asked, &format!("worker={mark} 200")) > 0
            && times(&lines(bed, &[]), &format!("frame says {mark}")) > 0
    });
}

fn check_once(bed: &Bed, marks: &[&str]) {
    let (asked, said) = (network(bed), lines(bed, &[]));
    for mark in marks {
        assert_eq!(times(&asked, &format!("frame={mark}")), 1, "{asked:#?}");
        assert_eq!(times(&asked, &format!("worker={mark}")), 1, "{asked:#?}");
        assert_eq!(times(&said, &format!("frame says {mark}")), 1, "{said:#?}");
    }
}

fn body(bed: &Bed, text: &str) -> String {
    let asked = network(bed);
    let line = asked.iter().find(|line| line.contains(text)).unwrap();
    let number = line.split(' ').next().unwrap().to_owned();
    bed.ok(["network".to_owned(), number])
}

#[test]
fn frames_of_other_sites_and_workers_are_recorded_under_their_tab_through_a_loss() {
    let (bed, site, chromium) = (Bed::new(), site(), chromium());
    let proxy = block_on(FaultProxy::start(&chromium.ws_url()));
    bed.ok(["attach", "--ws", &proxy.ws_url()]);
    with_children(&bed, &site);
    let asked = network(&bed);
    for (part, address) in [("frame", "http://localhost:"), ("worker", "blob:http://")] {
        let line = asked
            .iter()
            .find(|line| line.contains(&format!("{part} {address}")));
        assert!(
            line.is_some_and(
                |line| line.contains("GAP") && line.contains("before it was listened to")
            ),
            "{asked:#?}"
        );
    }
    act(&bed, &site, "one");
    for part in ["frame=one", "worker=one"] {
        eventually("its body is there", || {
            body(&bed, part).contains(&format!("\n  {part}"))
        });
    }
    // It goes on while the connection is lost.
    in_frame(
        &bed,
        "globalThis.at = 0; const timer = setInterval(() => { console.log('tick', at); \
         if (++at === 60) clearInterval(timer) }, 20)",
    );
    eventually("it counts", || times(&lines(&bed, &[]), " tick 3") > 0);
    proxy.answer_upgrades(Answer::status(503), Duration::from_millis(700));
    assert!(proxy.rst() > 0, "there was a connection to cut");
    eventually("the last tick", || times(&lines(&bed, &[]), " tick 59") > 0);
    act(&bed, &site, "two");
    check_once(&bed, &["one", "two"]);
    let said = lines(&bed, &[]);
    for tick in 0..60 {
        let text = format!(" tick {tick}");
        let count = said.iter().filter(|line| line.ends_with(&text)).count();
        assert_eq!(count, 1, "tick {tick}: {said:#?}");
    }
    let gaps: Vec<_> = said.iter().filter(|line| line.contains("GAP")).collect();
    assert!(
        gaps.len() == 1 && gaps[0].contains("recovered, nothing missed"),
        "{gaps:#?}"
    );
    let (_, status) = bed.json(["status"]);
    assert_eq!(status["data"]["tabs"], 1, "{status}");
}

#[test]
fn a_snippet_that_turns_off_what_the_recording_needs_does_not_end_it_for_parts_of_the_tab() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/")]);
    with_children(&bed, &site);
    let off = "await session.Network.disable(); \
               const tab = (await listPageTargets())[0]; \
               const {sessionId} = await cdp.attachToTarget({targetId: tab.targetId}); \
               await cdp.send({method: 'Target.setAutoAttach', sessionId, \
                 params: {autoAttach: false, waitForDebuggerOnStart: false}}); return 'done'";
    assert_eq!(bed.run_with(["js"], off).stdout, "done\n");
    act(&bed, &site, "one");
    check_once(&bed, &["one"]);
    // Who asks for them is told of those that are there, as without the recording.
    let ask = "const told = []; session.onEvent((method, params) => { \
                 if (method === 'Target.attachedToTarget') told.push(params.targetInfo.type) }); \
               const tab = (await listPageTargets())[0]; \
               const {sessionId} = await cdp.attachToTarget({targetId: tab.targetId}); \
               await cdp.send({method: 'Target.setAutoAttach', sessionId, \
                 params: {autoAttach: true, waitForDebuggerOnStart: false, flatten: true}}); \
               return told.sort().join()";
    assert_eq!(bed.run_with(["js"], ask).stdout, "iframe,worker\n");
    act(&bed, &site, "two");
    check_once(&bed, &["one", "two"]);
}

#[test]
fn a_killed_daemon_goes_on_with_the_parts_of_a_tab_and_says_which_it_cannot_hear() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/")]);
    with_children(&bed, &site);
    act(&bed, &site, "one");
    let later =
        "setTimeout(() => { globalThis.unheard = new Worker('data:text/javascript,1'); }, 700); 1";
    bed.page("default", later);
    kill(bed.daemon_pid());
    std::thread::sleep(Duration::from_millis(1500));
    act(&bed, &site, "two");
    check_once(&bed, &["two"]);
    // The browser has kept what was said; requests that were not stored yet went with the daemon.
    let said = lines(&bed, &[]);
    assert_eq!(times(&said, "frame says one"), 1, "{said:#?}");
    eventually("the other worker is named", || {
        times(&network(&bed), "a worker began while no daemon was there") == 1
    });
}

#[test]
fn a_worker_that_ends_at_once_is_a_line() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/")]);
    let code = "new Worker(URL.createObjectURL(new Blob(['fetch(\"data:,x\"); close()']))); 1";
    bed.page("default", code);
    eventually("it is named", || {
        let asked = network(&bed);
        asked
            .iter()
            .any(|line| line.contains("GAP") && line.contains("worker blob:"))
    });
}
