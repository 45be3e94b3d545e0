//! What a warm eval costs on top of its calls.

use std::time::Instant;

use crate::support::Rig;

/// Prints figures; it fails only when an eval with a call has become a matter of many milliseconds.
#[tokio::test]
async fn a_warm_eval_with_one_call_is_quick() {
    let rig = Rig::on_a_tab();
    let code = "await session.Page.enable()";
    for _ in 0..50 {
        rig.out(code).await;
    }
    let mut times = Vec::new();
    for _ in 0..500 {
        let started = Instant::now();
        rig.out(code).await;
        times.push(started.elapsed());
    }
    times.sort();
    let (best, median) = (times[0], times[times.len() / 2]);
    eprintln!("warm eval with one call: best {best:?}, median {median:?}");
    assert!(median.as_millis() < 50, "median {median:?}");
}
