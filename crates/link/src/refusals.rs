//! Which methods work where most do not.
use crate::{Dialog, NotSent, Settlement};

/// Methods that hand out or use raw session ids.
pub(crate) fn raw_sessions(method: &str) -> Option<NotSent> {
    let instead = match method {
        "Target.sendMessageToTarget" => "send the command to the target itself",
        "Target.attachToBrowserTarget" => "send the command without a target",
        _ => return None,
    };
    Some(NotSent::Unsupported {
        method: method.to_owned(),
        instead,
    })
}

/// Whether a tab that crashed, or that an unreachable dialog blocks, comes back (or goes) by this.
pub(crate) fn revives(method: &str) -> bool {
    matches!(
        method,
        "Page.reload" | "Page.navigate" | "Page.navigateToHistoryEntry" | "Page.close"
    )
}

/// Whether the browser process answers this while a dialog stops the page.
pub(crate) fn answered_despite_dialog(method: &str) -> bool {
    revives(method)
        || matches!(
            method,
            "Page.handleJavaScriptDialog"
                | "Page.bringToFront"
                | "Page.getNavigationHistory"
                | "Inspector.enable"
                | "Network.getCookies"
                | "Network.setCookie"
                | "Network.setCookies"
                | "Network.deleteCookies"
                | "Network.clearBrowserCookies"
                | "Network.clearBrowserCache"
        )
        || matches!(
            method.split_once('.').map(|(domain, _)| domain),
            Some("Target" | "Browser" | "Fetch" | "Storage" | "IO" | "Tracing" | "SystemInfo")
        )
}

/// The end of a command that a dialog stops.
pub(crate) fn dialog_open(dialog: &Dialog, sent: bool) -> Settlement {
    Settlement::DialogOpen {
        sent,
        kind: dialog.kind.clone(),
        message: dialog.message.clone(),
        answerable: dialog.answerable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_the_page_is_refused_while_a_dialog_is_open() {
        for method in [
            "Runtime.evaluate",
            "Page.captureScreenshot",
            "Input.dispatchMouseEvent",
            "DOM.getDocument",
        ] {
            assert!(!answered_despite_dialog(method), "{method}");
        }
        for method in [
            "Page.handleJavaScriptDialog",
            "Page.reload",
            "Target.getTargets",
            "Fetch.continueRequest",
        ] {
            assert!(answered_despite_dialog(method), "{method}");
        }
        assert!(
            !revives("Page.handleJavaScriptDialog"),
            "it cannot reach a dialog of an old connection"
        );
    }
}
