//! Which commands snippets may send: everything that stays within the session's pages, and the rest when a person
//! says so for a snippet.

use keeptab_protocol::{Raw, spec};
use serde::Deserialize;

use super::address::address;
use crate::error::{ApiError, Code};

/// Why a command is refused.
enum Refusal {
    /// It is for a person to say; this is what it does.
    Ask(&'static str),
    /// Never; this is what it does, and what to type instead.
    Never(&'static str, &'static str),
}

use Refusal::{Ask, Never};

/// Whether a snippet may send a command. `granted`: whoever runs the snippet said so for this method.
///
/// # Errors
/// It is refused, and why, and what would allow it.
pub(crate) fn permit(method: &str, params: &Raw, granted: bool) -> Result<(), ApiError> {
    // Nothing when they cannot be read as the rules need them, a name that comes twice included: then the worst is taken.
    let read = || params.parse::<Params>().ok();
    if matches!(
        method,
        "Page.navigate" | "Target.createTarget" | "Network.loadNetworkResource"
    ) {
        return match read().map(|params| params.url) {
            Some(Some(url)) if !url.is_empty() => address(&url).map(drop),
            // What is wrong with it, the spec says better.
            Some(_) => Ok(()),
            None => Err(ApiError::new(
                Code::Refused,
                format!("{method} is refused: its parameters cannot be read"),
            )
            .hint(format!("keeptab spec {method}"))),
        };
    }
    let (why, hint) = match refusal(method, read) {
        None => return Ok(()),
        Some(Ask(_)) if granted => return Ok(()),
        Some(Ask(why)) => (
            why,
            format!("if that is meant: keeptab js --allow {method} …"),
        ),
        Some(Never(why, instead)) => (why, instead.to_owned()),
    };
    Err(ApiError::new(Code::Refused, format!("{method} is refused: {why}")).hint(hint))
}

/// What `--allow` takes: a method, or `Domain.*`.
///
/// # Errors
/// There is no such method or domain.
pub(crate) fn known(allowed: &str) -> Result<(), ApiError> {
    let (found, kind) = match allowed.strip_suffix(".*") {
        Some(domain) => (spec::domain(domain).is_some(), spec::NameKind::Domain),
        None => (spec::command(allowed).is_some(), spec::NameKind::Method),
    };
    if found {
        return Ok(());
    }
    let name = allowed.trim_end_matches(".*");
    let hint = match spec::nearest(kind, name) {
        Some(near) if kind == spec::NameKind::Domain => format!("--allow '{near}.*'"),
        Some(near) => format!("--allow {near}"),
        None => "--allow DOM.setFileInputFiles".to_owned(),
    };
    Err(ApiError::new(
        Code::Invalid,
        format!("there is no method {allowed} that could be allowed"),
    )
    .hint(hint))
}

/// What the rules look at in parameters; all else is skipped.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Params {
    url: Option<String>,
    behavior: Option<String>,
    files: Vec<serde::de::IgnoredAny>,
    data: Dragged,
    enabled: bool,
    ignore: bool,
    #[serde(rename = "override")]
    overridden: bool,
    proxy_server: Option<serde::de::IgnoredAny>,
    proxy_bypass_list: Option<serde::de::IgnoredAny>,
    origins_with_universal_network_access: Option<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Dragged {
    files: Vec<serde::de::IgnoredAny>,
}

/// The commands that reach outside the page. Parameters that take something back (no files, `enabled: false`) are fine.
fn refusal(method: &str, read: impl Fn() -> Option<Params>) -> Option<Refusal> {
    let fine = |harmless: fn(&Params) -> bool| read().is_some_and(|params| harmless(&params));
    let domain = method.split('.').next().unwrap_or_default();
    Some(match method {
        "Browser.close" | "Browser.crash" | "Browser.crashGpuProcess" => {
            Never("it ends the browser of everybody", "keeptab close")
        }
        "Target.attachToBrowserTarget" => Never(
            "it would lead around the session",
            "pass sessionId: null to reach the browser itself",
        ),
        "Target.exposeDevToolsProtocol" => Ask("it would give the page control over the browser"),
        "Target.setRemoteLocations" => Ask("it would make the browser connect to other machines"),
        "Target.openDevTools" => Ask("it opens a window beside the page"),
        "Target.createBrowserContext" => {
            if fine(|params| {
                params.proxy_server.is_none()
                    && params.proxy_bypass_list.is_none()
                    && params.origins_with_universal_network_access.is_none()
            }) {
                return None;
            }
            Ask("it would lead traffic past the session's way to the network")
        }
        "Browser.setDownloadBehavior" | "Page.setDownloadBehavior" => {
            if fine(|params| matches!(params.behavior.as_deref(), Some("deny" | "default"))) {
                return None;
            }
            Ask("pages could write to any directory of this machine")
        }
        "Browser.executeBrowserCommand" => Ask("it acts on the browser, not on a page"),
        "DOM.setFileInputFiles" if fine(|params| params.files.is_empty()) => return None,
        "Input.dispatchDragEvent" if fine(|params| params.data.files.is_empty()) => return None,
        "DOM.setFileInputFiles" | "Input.dispatchDragEvent" => {
            Ask("it hands files of this machine to the page")
        }
        "Security.setIgnoreCertificateErrors" if fine(|params| !params.ignore) => return None,
        "Security.setOverrideCertificateErrors" if fine(|params| !params.overridden) => {
            return None;
        }
        "Security.setIgnoreCertificateErrors" | "Security.setOverrideCertificateErrors" => {
            Ask("it would make every connection untrustworthy")
        }
        "Page.setBypassCSP" if fine(|params| !params.enabled) => return None,
        "Page.setBypassCSP" => Ask("it switches off the page's own protection"),
        "Storage.getCookies" | "Network.getCookies" | "Network.getAllCookies" => {
            Ask("it hands out cookies, and logins with them")
        }
        "WebAuthn.getCredentials" | "WebAuthn.getCredential" => Ask("it hands out private keys"),
        "HeapProfiler.takeHeapSnapshot" => Ask("it hands out all that the page has in memory"),
        _ if method.starts_with("Browser.addMock") => Ask("it acts on the browser, not on a page"),
        _ => match domain {
            "Tethering" => Ask("it would open ports on this machine"),
            "Extensions" | "PWA" => Ask("it would install software in the browser"),
            "Cast" | "DeviceAccess" => Ask("it reaches devices outside the browser"),
            "SystemInfo" => Ask("it tells about the machine, not about a page"),
            "Autofill" => Ask("it deals in what the browser knows of its user"),
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: &[(&str, &str)] = &[
        ("Browser.addMockCamera", r#"{"deviceId":"1"}"#),
        ("Browser.executeBrowserCommand", "{}"),
        (
            "Browser.setDownloadBehavior",
            r#"{"behavior":"allow","downloadPath":"/"}"#,
        ),
        (
            "Browser.setDownloadBehavior",
            r#"{"behavior":"allowAndName","downloadPath":"../x"}"#,
        ),
        (
            "Page.setDownloadBehavior",
            r#"{"behavior":"allow","downloadPath":"/"}"#,
        ),
        ("Target.exposeDevToolsProtocol", r#"{"targetId":"T"}"#),
        ("Target.setRemoteLocations", r#"{"locations":[]}"#),
        ("Target.openDevTools", r#"{"targetId":"T"}"#),
        ("Target.createBrowserContext", r#"{"proxyServer":"evil:1"}"#),
        (
            "Target.createBrowserContext",
            r#"{"proxyBypassList":"<-loopback>"}"#,
        ),
        (
            "Target.createBrowserContext",
            r#"{"originsWithUniversalNetworkAccess":["https://a"]}"#,
        ),
        ("Tethering.bind", r#"{"port":1}"#),
        ("Extensions.loadUnpacked", r#"{"path":"/"}"#),
        ("PWA.install", r#"{"manifestId":"x"}"#),
        ("Security.setIgnoreCertificateErrors", r#"{"ignore":true}"#),
        (
            "Security.setOverrideCertificateErrors",
            r#"{"override":true}"#,
        ),
        (
            "DOM.setFileInputFiles",
            r#"{"files":["/etc/passwd"],"nodeId":1}"#,
        ),
        (
            "Input.dispatchDragEvent",
            r#"{"type":"drop","x":1,"y":1,"data":{"items":[],"files":["/etc/passwd"],"dragOperationsMask":1}}"#,
        ),
        ("Storage.getCookies", "{}"),
        ("Network.getCookies", "{}"),
        ("Network.getAllCookies", "{}"),
        ("SystemInfo.getInfo", "{}"),
        ("HeapProfiler.takeHeapSnapshot", "{}"),
        ("Page.setBypassCSP", r#"{"enabled":true}"#),
        ("Cast.enable", "{}"),
        ("DeviceAccess.enable", "{}"),
        ("Autofill.trigger", "{}"),
        ("WebAuthn.getCredentials", r#"{"authenticatorId":"1"}"#),
        ("WebAuthn.getCredential", r#"{"authenticatorId":"1"}"#),
    ];

    const NEVER: &[&str] = &[
        "Browser.close",
        "Browser.crash",
        "Browser.crashGpuProcess",
        "Target.attachToBrowserTarget",
    ];

    #[test]
    fn what_reaches_outside_the_page_is_refused_until_it_is_allowed() {
        for (method, params) in REFUSED {
            let params = Raw::from_static(params);
            let error = permit(method, &params, false).unwrap_err();
            assert_eq!(error.code, Code::Refused, "{method}");
            let hint = error.hint.unwrap_or_default();
            assert!(hint.contains(&format!("--allow {method}")), "{hint}");
            assert!(permit(method, &params, true).is_ok(), "{method}");
        }
    }

    #[test]
    fn what_would_end_or_leave_the_session_is_never_allowed() {
        for method in NEVER {
            let error = permit(method, &Raw::from_static("{}"), true).unwrap_err();
            assert_eq!(error.code, Code::Refused, "{method}");
            assert!(!error.hint.unwrap_or_default().contains("--allow"));
        }
        for method in [
            "Page.navigate",
            "Target.createTarget",
            "Network.loadNetworkResource",
        ] {
            let file = Raw::from_static(r#"{"url": "file:///etc/passwd"}"#);
            assert_eq!(permit(method, &file, true).unwrap_err().code, Code::Refused);
        }
    }

    #[test]
    fn every_rule_is_about_a_method_that_exists() {
        for method in REFUSED.iter().map(|(method, _)| method).chain(NEVER) {
            assert!(spec::command(method).is_some(), "{method}");
        }
    }

    #[test]
    fn everything_within_the_page_is_free() {
        for (method, params) in [
            ("Runtime.evaluate", r#"{"expression":"1"}"#),
            ("Page.navigate", r#"{"url":"https://example.com"}"#),
            ("Target.getTargets", "{}"),
            ("Target.createBrowserContext", r#"{"disposeOnDetach":true}"#),
            ("Browser.getVersion", "{}"),
            ("Browser.setDownloadBehavior", r#"{"behavior":"deny"}"#),
            ("DOM.setFileInputFiles", r#"{"files":[],"nodeId":1}"#),
            (
                "Input.dispatchDragEvent",
                r#"{"type":"drop","x":1,"y":1,"data":{"items":[],"dragOperationsMask":1}}"#,
            ),
            ("Page.setBypassCSP", r#"{"enabled":false}"#),
            ("Security.setIgnoreCertificateErrors", r#"{"ignore":false}"#),
            ("Network.setCookie", r#"{"name":"a","value":"b"}"#),
            ("Fetch.enable", "{}"),
            ("IO.read", r#"{"handle":"1"}"#),
        ] {
            assert!(
                permit(method, &Raw::from_static(params), false).is_ok(),
                "{method}"
            );
        }
    }

    #[test]
    fn parameters_that_cannot_be_read_are_taken_for_the_worst() {
        for (method, params) in [
            (
                "DOM.setFileInputFiles",
                r#"{"files":[],"files":["/etc/passwd"]}"#,
            ),
            (
                "Page.navigate",
                r#"{"url":"https://a.example","url":"file:///etc/passwd"}"#,
            ),
            (
                "Browser.setDownloadBehavior",
                r#"{"behavior":"deny","behavior":"allow"}"#,
            ),
            (
                "Security.setIgnoreCertificateErrors",
                r#"{"ignore":false,"ignore":true}"#,
            ),
        ] {
            let refused = permit(method, &Raw::from_static(params), false);
            assert_eq!(refused.unwrap_err().code, Code::Refused, "{method}");
        }
    }

    #[test]
    fn only_names_that_exist_can_be_allowed() {
        assert!(known("DOM.setFileInputFiles").is_ok() && known("SystemInfo.*").is_ok());
        let hint = |name| known(name).unwrap_err().hint.unwrap_or_default();
        assert_eq!(
            hint("DOM.setFileInputFile"),
            "--allow DOM.setFileInputFiles"
        );
        assert_eq!(hint("SytemInfo.*"), "--allow 'SystemInfo.*'");
    }
}
