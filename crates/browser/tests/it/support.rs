//! What these tests share.
use std::time::Duration;

use keeptab_browser::{Endpoint, Options, Session, State, Tab};
use keeptab_testkit::{Chromium, FaultProxy};
use tokio::time::timeout;

/// Longer than anything takes on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A browser and a session with it.
pub(crate) async fn attached() -> (Chromium, Session) {
    let chromium = Chromium::start().await;
    let endpoint = Endpoint::Ws(chromium.ws_url());
    let session = Session::connect(endpoint, Options::new())
        .await
        .expect("connect");
    (chromium, session)
}

/// The same with a fault proxy between them.
pub(crate) async fn through_proxy(options: Options) -> (Chromium, FaultProxy, Session) {
    let chromium = Chromium::start().await;
    let proxy = FaultProxy::start(&chromium.ws_url()).await;
    let session = Session::connect(Endpoint::Ws(proxy.ws_url()), options)
        .await
        .expect("connect");
    (chromium, proxy, session)
}

/// Waits for a state.
pub(crate) async fn until(session: &Session, wanted: impl FnMut(&State) -> bool) -> State {
    let mut state = session.state();
    let reached = timeout(LONG, state.wait_for(wanted)).await;
    reached
        .expect("the state comes in time")
        .expect("the session lives")
        .clone()
}

pub(crate) fn is_epoch(state: &State, epoch: u32) -> bool {
    matches!(state, State::Connected { epoch: now } if now.0 == epoch)
}

/// A tab with a page that scripts can run in.
pub(crate) async fn tab(session: &Session) -> Tab {
    let tab = session.new_tab("about:blank").await.expect("tab");
    let ready: bool = tab.evaluate("true").await.expect("evaluate");
    assert!(ready);
    tab
}

/// Whether a process is there, a dead one that nobody has collected excepted.
#[cfg(target_os = "linux")]
pub(crate) fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .trim_start()
        .chars()
        .next();
    state.is_some_and(|state| state != 'Z')
}
