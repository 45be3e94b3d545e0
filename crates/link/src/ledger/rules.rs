//! What a call sets, and what it takes back.
use keeptab_protocol::{Class, Raw};
use serde_json::Value;

/// What a successful call means for the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rule {
    /// Sets something; the last call with this key wins.
    Set(String),
    /// Adds something that the browser gives an id to, in this field of its answer.
    Add { field: &'static str },
    /// Takes back what has this id, in this field of the parameters.
    Remove { field: &'static str, id: String },
    /// Takes back everything with one of these keys, or below them.
    Forget(Vec<String>),
    /// Starts something that cannot be started again in the same state; a loss of it is declared.
    Fragile(String),
    /// Means nothing for the ledger.
    Nothing,
}

/// Order of the restore within a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Guards,
    Page,
    Scripts,
    Bindings,
    Overrides,
    Domains,
    Last,
}

/// When a call is repeated during the restore.
pub(crate) fn phase(method: &str) -> Phase {
    match method {
        "Fetch.enable" | "Security.setIgnoreCertificateErrors" => Phase::Guards,
        "Page.addScriptToEvaluateOnNewDocument" | "Page.addScriptToEvaluateOnLoad" => {
            Phase::Scripts
        }
        "Page.startScreencast" | "Target.setAutoAttach" => Phase::Last,
        "Runtime.addBinding" => Phase::Bindings,
        _ => match domain(method) {
            "Page" => Phase::Page,
            "Emulation" | "DeviceOrientation" | "Network" => Phase::Overrides,
            _ => Phase::Domains,
        },
    }
}

/// Separates the parts of a key. It cannot be typed into a URL or a name by accident.
const SEP: char = '\u{1f}';

fn domain(method: &str) -> &str {
    method.split_once('.').map_or(method, |(domain, _)| domain)
}

/// Whether the answer to this method can change the ledger. Cheap, for the hot path.
pub(crate) fn is_sticky(method: &str, class: Class) -> bool {
    class == Class::S || (class != Class::R && fragile(method).is_some())
}

/// Recordings in the browser: the method that starts one names it; whatever ends it gives `false`.
fn fragile(method: &str) -> Option<(&'static str, bool)> {
    Some(match method {
        "Tracing.start" => ("Tracing.start", true),
        "Tracing.end" => ("Tracing.start", false),
        "Profiler.start" => ("Profiler.start", true),
        "Profiler.stop" => ("Profiler.start", false),
        "Profiler.startPreciseCoverage" => ("Profiler.startPreciseCoverage", true),
        "Profiler.stopPreciseCoverage" => ("Profiler.startPreciseCoverage", false),
        "HeapProfiler.startSampling" => ("HeapProfiler.startSampling", true),
        "HeapProfiler.stopSampling" => ("HeapProfiler.startSampling", false),
        "HeapProfiler.startTrackingHeapObjects" => ("HeapProfiler.startTrackingHeapObjects", true),
        "HeapProfiler.stopTrackingHeapObjects" => ("HeapProfiler.startTrackingHeapObjects", false),
        "CSS.startRuleUsageTracking" => ("CSS.startRuleUsageTracking", true),
        "CSS.stopRuleUsageTracking" => ("CSS.startRuleUsageTracking", false),
        "Page.startScreenRecording" => ("Page.startScreenRecording", true),
        "Page.stopScreenRecording" => ("Page.startScreenRecording", false),
        "Emulation.setVirtualTimePolicy" => ("Emulation.setVirtualTimePolicy", true),
        _ => return None,
    })
}

/// Whether the call adds something that a second such call would add once more.
pub(crate) fn adds(method: &str, params: &Raw, class: Class) -> bool {
    matches!(rule(method, params, class), Rule::Add { .. })
}

/// What a successful call of `method` means.
pub(super) fn rule(method: &str, params: &Raw, class: Class) -> Rule {
    if let Some((key, starts)) = fragile(method) {
        let key = key.to_owned();
        return if starts {
            Rule::Fragile(key)
        } else {
            Rule::Forget(vec![key])
        };
    }
    if class != Class::S {
        return Rule::Nothing;
    }
    let params = Params::read(params);
    special(method, &params).unwrap_or_else(|| match method.split_once('.') {
        Some((domain, "disable")) => Rule::Forget(vec![format!("{domain}.")]),
        _ => Rule::Set(method.to_owned()),
    })
}

fn special(method: &str, params: &Params) -> Option<Rule> {
    let set = |base: &str, parts: &[&str]| Some(Rule::Set(params.key(base, parts)));
    let forget = |base: &str, parts: &[&str]| Some(Rule::Forget(vec![params.key(base, parts)]));
    let one = |base: &str| Some(Rule::Forget(vec![base.to_owned()]));
    match method {
        // Two names for one setting.
        "Network.setUserAgentOverride" | "Emulation.setUserAgentOverride" => {
            params.unless_empty("userAgent", "Emulation.setUserAgentOverride")
        }
        "Page.setDeviceMetricsOverride" => set("Emulation.setDeviceMetricsOverride", &[]),
        "Page.setGeolocationOverride" => set("Emulation.setGeolocationOverride", &[]),
        "Page.setTouchEmulationEnabled" => set("Emulation.setTouchEmulationEnabled", &[]),
        "Page.setDeviceOrientationOverride" => {
            set("DeviceOrientation.setDeviceOrientationOverride", &[])
        }
        "Emulation.setTimezoneOverride" => params.unless_empty("timezoneId", method),
        "Emulation.setLocaleOverride" => params.unless_empty("locale", method),

        // Taking back.
        "Emulation.clearDeviceMetricsOverride" | "Page.clearDeviceMetricsOverride" => {
            one("Emulation.setDeviceMetricsOverride")
        }
        "Emulation.clearGeolocationOverride" | "Page.clearGeolocationOverride" => {
            one("Emulation.setGeolocationOverride")
        }
        "Emulation.clearIdleOverride" => one("Emulation.setIdleOverride"),
        "Emulation.clearDevicePostureOverride" => one("Emulation.setDevicePostureOverride"),
        "Emulation.clearDisplayFeaturesOverride" => one("Emulation.setDisplayFeaturesOverride"),
        "DeviceOrientation.clearDeviceOrientationOverride"
        | "Page.clearDeviceOrientationOverride" => {
            one("DeviceOrientation.setDeviceOrientationOverride")
        }
        "Log.stopViolationsReport" => one("Log.startViolationsReport"),
        "Page.stopScreencast" => one("Page.startScreencast"),
        "Target.setAutoAttach" => params.unless_false("autoAttach", method),
        "Target.setDiscoverTargets" => params.unless_false("discover", method),

        // One per something.
        "Browser.grantPermissions" => set(method, &["browserContextId", "origin"]),
        "Browser.setPermission" => set(
            method,
            &["browserContextId", "origin", "embeddedOrigin", "permission"],
        ),
        "Browser.resetPermissions" => Some(Rule::Forget(vec![
            params.key("Browser.grantPermissions", &["browserContextId"]),
            params.key("Browser.setPermission", &["browserContextId"]),
        ])),
        "Browser.setDownloadBehavior" => set(method, &["browserContextId"]),
        "Runtime.addBinding" => set(
            method,
            &["name", "executionContextName", "executionContextId"],
        ),
        "Runtime.removeBinding" => forget("Runtime.addBinding", &["name"]),
        "BackgroundService.startObserving" => set(method, &["service"]),
        "BackgroundService.stopObserving" => {
            forget("BackgroundService.startObserving", &["service"])
        }
        "Storage.trackCacheStorageForOrigin"
        | "Storage.trackIndexedDBForOrigin"
        | "Storage.overrideQuotaForOrigin" => set(method, &["origin"]),
        "Storage.trackCacheStorageForStorageKey"
        | "Storage.trackIndexedDBForStorageKey"
        | "Storage.setStorageBucketTracking" => set(method, &["storageKey"]),
        "Storage.untrackCacheStorageForOrigin" => {
            forget("Storage.trackCacheStorageForOrigin", &["origin"])
        }
        "Storage.untrackIndexedDBForOrigin" => {
            forget("Storage.trackIndexedDBForOrigin", &["origin"])
        }
        "Storage.untrackCacheStorageForStorageKey" => {
            forget("Storage.trackCacheStorageForStorageKey", &["storageKey"])
        }
        "Storage.untrackIndexedDBForStorageKey" => {
            forget("Storage.trackIndexedDBForStorageKey", &["storageKey"])
        }
        "DOMDebugger.setEventListenerBreakpoint" => set(method, &["eventName", "targetName"]),
        "DOMDebugger.removeEventListenerBreakpoint" => forget(
            "DOMDebugger.setEventListenerBreakpoint",
            &["eventName", "targetName"],
        ),
        "DOMDebugger.setXHRBreakpoint" => set(method, &["url"]),
        "DOMDebugger.removeXHRBreakpoint" => forget("DOMDebugger.setXHRBreakpoint", &["url"]),
        "DOMDebugger.setInstrumentationBreakpoint"
        | "EventBreakpoints.setInstrumentationBreakpoint" => set(method, &["eventName"]),
        "DOMDebugger.removeInstrumentationBreakpoint" => {
            forget("DOMDebugger.setInstrumentationBreakpoint", &["eventName"])
        }
        "EventBreakpoints.removeInstrumentationBreakpoint" => forget(
            "EventBreakpoints.setInstrumentationBreakpoint",
            &["eventName"],
        ),
        "Emulation.setSensorOverrideEnabled" | "Emulation.setSensorOverrideReadings" => {
            set(method, &["type"])
        }
        "Emulation.setPressureSourceOverrideEnabled" | "Emulation.setPressureStateOverride" => {
            set(method, &["source"])
        }
        "Debugger.setBlackboxedRanges" => set(method, &["scriptId"]),

        // With an id that the browser hands out.
        "Page.addScriptToEvaluateOnNewDocument" | "Page.addScriptToEvaluateOnLoad" => {
            Some(Rule::Add {
                field: "identifier",
            })
        }
        "Page.removeScriptToEvaluateOnNewDocument" | "Page.removeScriptToEvaluateOnLoad" => {
            params.remove("identifier")
        }
        "Debugger.setBreakpoint"
        | "Debugger.setBreakpointByUrl"
        | "Debugger.setInstrumentationBreakpoint" => Some(Rule::Add {
            field: "breakpointId",
        }),
        "Debugger.removeBreakpoint" => params.remove("breakpointId"),
        "WebAuthn.addVirtualAuthenticator" => Some(Rule::Add {
            field: "authenticatorId",
        }),
        "WebAuthn.removeVirtualAuthenticator" => params.remove("authenticatorId"),
        "WebAuthn.setUserVerified"
        | "WebAuthn.setAutomaticPresenceSimulation"
        | "WebAuthn.setResponseOverrideBits" => set(method, &["authenticatorId"]),
        "WebAuthn.setCredentialProperties" => set(method, &["authenticatorId", "credentialId"]),
        "WebAuthn.addCredential" => set(method, &["authenticatorId", "credential.credentialId"]),
        "WebAuthn.removeCredential" => forget(
            "WebAuthn.addCredential",
            &["authenticatorId", "credentialId"],
        ),
        "WebAuthn.clearCredentials" => forget("WebAuthn.addCredential", &["authenticatorId"]),

        // Nothing that outlasts the call, or nothing that a new socket could take over.
        "DOM.hideHighlight"
        | "DOM.highlightNode"
        | "DOM.highlightRect"
        | "Overlay.hideHighlight"
        | "Overlay.highlightFrame"
        | "Overlay.highlightNode"
        | "Overlay.highlightQuad"
        | "Overlay.highlightRect"
        | "CSS.trackComputedStyleUpdates"
        | "Target.attachToTarget"
        | "Target.attachToBrowserTarget"
        | "Target.detachFromTarget"
        | "Target.autoAttachRelated"
        | "Debugger.setBlackboxExecutionContexts" => Some(Rule::Nothing),
        _ => None,
    }
}

/// The field in which a method takes an id that a ledger may have to translate.
pub(super) fn id_field(method: &str) -> Option<&'static str> {
    match method {
        "Page.removeScriptToEvaluateOnNewDocument" | "Page.removeScriptToEvaluateOnLoad" => {
            Some("identifier")
        }
        "Debugger.removeBreakpoint" => Some("breakpointId"),
        _ if method.starts_with("WebAuthn.") => Some("authenticatorId"),
        _ => None,
    }
}

/// Everything whose key begins with `key`, as a whole part of it.
pub(super) fn covers(key: &str, other: &str) -> bool {
    match other.strip_prefix(key) {
        Some(rest) => rest.is_empty() || key.ends_with('.') || rest.starts_with(SEP),
        None => false,
    }
}

/// A key made of parts.
pub(super) fn joined(base: &str, parts: &[&str]) -> String {
    parts.iter().fold(base.to_owned(), |mut key, part| {
        key.push(SEP);
        key.push_str(part);
        key
    })
}

/// Parameters that are looked into.
struct Params(Value);

impl Params {
    fn read(params: &Raw) -> Self {
        Self(params.parse().unwrap_or(Value::Null))
    }

    fn text(&self, path: &str) -> String {
        let found = path
            .split('.')
            .try_fold(&self.0, |value, part| value.get(part));
        match found {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    fn key(&self, base: &str, parts: &[&str]) -> String {
        let texts: Vec<String> = parts.iter().map(|part| self.text(part)).collect();
        joined(base, &texts.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn unless_empty(&self, field: &str, key: &str) -> Option<Rule> {
        let key = key.to_owned();
        Some(if self.text(field).is_empty() {
            Rule::Forget(vec![key])
        } else {
            Rule::Set(key)
        })
    }

    fn unless_false(&self, field: &str, key: &str) -> Option<Rule> {
        let key = key.to_owned();
        Some(if self.text(field) == "true" {
            Rule::Set(key)
        } else {
            Rule::Forget(vec![key])
        })
    }

    fn remove(&self, field: &'static str) -> Option<Rule> {
        Some(Rule::Remove {
            field,
            id: self.text(field),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, params: &str) -> Rule {
        rule(method, &Raw::from(params.to_owned()), Class::of(method))
    }

    #[test]
    fn two_names_of_one_setting_share_a_key() {
        let params = r#"{"userAgent":"A"}"#;
        let key = of("Emulation.setUserAgentOverride", params);
        assert_eq!(of("Network.setUserAgentOverride", params), key);
        assert!(matches!(key, Rule::Set(_)));
    }

    #[test]
    fn an_empty_value_takes_a_setting_back() {
        for (method, params) in [
            ("Emulation.setTimezoneOverride", r#"{"timezoneId":""}"#),
            ("Emulation.setLocaleOverride", "{}"),
            ("Target.setAutoAttach", r#"{"autoAttach":false}"#),
        ] {
            assert!(matches!(of(method, params), Rule::Forget(_)), "{method}");
        }
    }

    #[test]
    fn resetting_permissions_covers_one_context_only() {
        let Rule::Forget(keys) = of("Browser.resetPermissions", r#"{"browserContextId":"C1"}"#)
        else {
            panic!("forgets")
        };
        let granted = |context: &str| {
            let params = format!(
                r#"{{"browserContextId":"{context}","origin":"http://a","permissions":[]}}"#
            );
            match of("Browser.grantPermissions", &params) {
                Rule::Set(key) => keys.iter().any(|forgotten| covers(forgotten, &key)),
                other => panic!("{other:?}"),
            }
        };
        assert!(granted("C1"));
        assert!(!granted("C2"));
        assert!(!granted("C12"), "a longer name is another context");
    }

    #[test]
    fn every_sticky_method_of_the_spec_has_a_rule_or_sets_by_its_name() {
        for (method, class) in Class::table() {
            if *class == Class::S {
                let rule = rule(method, &Raw::object_empty(), *class);
                let disables = method.ends_with(".disable");
                assert_eq!(
                    disables,
                    matches!(&rule, Rule::Forget(keys) if keys[0].ends_with('.')),
                    "{method}"
                );
                for word in [".remove", ".clear", ".stop", ".untrack", ".reset"] {
                    assert!(
                        !method.contains(word) || !matches!(rule, Rule::Set(_)),
                        "{method} takes something back"
                    );
                }
            }
        }
    }

    #[test]
    fn the_hot_path_is_not_sticky() {
        for method in [
            "Runtime.evaluate",
            "Page.navigate",
            "Input.dispatchMouseEvent",
            "Runtime.callFunctionOn",
        ] {
            assert!(!is_sticky(method, Class::of(method)), "{method}");
        }
        assert!(is_sticky("Tracing.start", Class::of("Tracing.start")));
    }
}
