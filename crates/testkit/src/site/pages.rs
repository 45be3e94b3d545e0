//! The text of the pages.

pub(super) const PLAIN: &str = r#"<!doctype html><meta charset="utf-8"><title>Plain page</title>
<h1>Plain page</h1><p id="text">Some text.</p><p><a href="/title/Next">Next</a></p>"#;

pub(super) const DEMO: &str = r##"<!doctype html><meta charset="utf-8"><title>keeptab demo</title>
<style>body { font: 18px/1.6 system-ui, sans-serif; max-width: 40em; margin: 3em auto; color: #223 }
h1 { font-size: 1.6em } dt { color: #667 } dd { margin: 0 0 .6em; font-family: monospace }</style>
<h1>The socket may drop; the session does not.</h1>
<dl><dt>visits of this tab</dt><dd id="visits"></dd><dt>user agent</dt><dd id="agent"></dd>
<dt>time zone</dt><dd id="zone"></dd></dl>
<script>sessionStorage.visits = Number(sessionStorage.visits || 0) + 1;
document.querySelector("#visits").textContent = sessionStorage.visits;
document.querySelector("#agent").textContent = navigator.userAgent;
document.querySelector("#zone").textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;</script>"##;

pub(super) const FORM: &str = r##"<!doctype html><meta charset="utf-8"><title>Form</title>
<form id="form"><label>Name <input name="name" id="name"></label>
<select name="colour" id="colour"><option>red</option><option>green</option></select>
<label><input type="checkbox" name="agree" id="agree"> Agree</label><button id="send">Send</button></form>
<pre id="result"></pre>
<script>document.querySelector("#form").onsubmit = event => {
  event.preventDefault();
  document.querySelector("#result").textContent = JSON.stringify(Object.fromEntries(new FormData(event.target)));
};</script>"##;

pub(super) const DIALOGS: &str = r#"<!doctype html><meta charset="utf-8"><title>Dialogs</title>
<button onclick="ask('alert')">alert</button><button onclick="ask('confirm')">confirm</button>
<button onclick="ask('prompt')">prompt</button>
<script>function ask(kind) { window.answer = window[kind]("a question", "a default"); return window.answer; }</script>"#;

pub(super) const ALERT: &str = r#"<!doctype html><meta charset="utf-8"><title>Alert</title>
<script>addEventListener("load", () => setTimeout(() => { alert("by itself"); window.passed = true; }, 50));</script>"#;

pub(super) const BEFORE_UNLOAD: &str = r#"<!doctype html><meta charset="utf-8"><title>Before unload</title>
<button id="touch">touch me first</button>
<script>addEventListener("beforeunload", event => { event.preventDefault(); event.returnValue = "stay"; });</script>"#;

pub(super) const FRAME: &str = r#"<!doctype html><meta charset="utf-8"><title>Frame</title>
<p id="inside">inside</p><script>window.where = location.origin;
addEventListener("message", (event) => (0, eval)(event.data));</script>"#;

pub(super) const POPUP: &str = r#"<!doctype html><meta charset="utf-8"><title>Opener</title>
<button id="open" onclick="open_popup()">open</button>
<script>function open_popup() { window.popup = window.open("/title/Popup", "_blank", "width=300,height=200"); }</script>"#;

pub(super) const LOGIN: &str = r#"<!doctype html><meta charset="utf-8"><title>Log in</title>
<form method="post" action="/login"><input name="name" id="name" value="ada"><button id="send">Log in</button></form>"#;

pub(super) const FETCHES: &str = r#"<!doctype html><meta charset="utf-8"><title>Fetches</title>
<script>async function fetches(n) {
  let done = 0;
  for (let from = 0; from < n; from += 20) {
    const part = Array.from({ length: Math.min(20, n - from) }, (_, i) => fetch("/echo?n=" + (from + i)));
    for (const answer of await Promise.all(part)) { await answer.text(); done += answer.ok; }
  }
  return done;
}</script>"#;

pub(super) const ASKS: &str = r#"<!doctype html><meta charset="utf-8"><title>Asks at once</title>
<script>console.log("asks", { a: 1 }); fetch("/echo?first"); fetch("/echo?second", { method: "POST" });</script>"#;

pub(super) fn titled(title: &str) -> String {
    format!(
        "<!doctype html><meta charset=\"utf-8\"><title>{}</title>",
        escape(title)
    )
}

pub(super) fn console(n: u64) -> String {
    format!(
        r#"<!doctype html><meta charset="utf-8"><title>Console</title>
<script>console.log("a log", {{ a: 1 }}); console.info("an info"); console.warn("a warning");
console.error("an error"); console.debug("a debug message"); console.table([{{ a: 1 }}]);
for (let i = 0; i < {n}; i++) console.log("line", i);
setTimeout(() => {{ throw new Error("uncaught on purpose"); }}, 0);</script>"#
    )
}

pub(super) fn frames(port: u16) -> String {
    format!(
        r#"<!doctype html><meta charset="utf-8"><title>Frames</title>
<iframe id="same" src="/frame"></iframe><iframe id="other" src="http://localhost:{port}/frame"></iframe>"#
    )
}

pub(super) fn account(user: Option<&str>) -> String {
    let who = user.map_or("nobody is logged in".into(), |name| {
        format!("logged in as {}", escape(name))
    });
    format!(r#"<!doctype html><meta charset="utf-8"><title>Account</title><p id="who">{who}</p>"#)
}

pub(super) fn endless(ms: u64) -> String {
    format!(
        r#"<!doctype html><meta charset="utf-8"><title>Loop</title>
<script>addEventListener("load", () => setTimeout(() => {{ for (;;) {{}} }}, {ms}));</script>"#
    )
}

pub(super) fn app(n: u64) -> String {
    let mut page = String::from("<!doctype html><meta charset=\"utf-8\"><title>App</title><main>");
    for i in 0..n {
        if i % 10 == 0 {
            page.push_str("<ul>");
        }
        page.push_str(&format!("<li><button id=\"b{i}\">Button {i}</button></li>"));
        if i % 10 == 9 || i + 1 == n {
            page.push_str("</ul>");
        }
    }
    page.push_str("</main>");
    page
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
