//! What a session does by itself when something is lost.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What happens when the page of one of the session's tabs crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnCrash {
    /// It is said, and nothing is done.
    #[default]
    Report,
    /// The page is loaded again at once.
    Reload,
}

/// What happens when the session's browser dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnBrowserDeath {
    /// Every further command fails.
    #[default]
    Fail,
    /// A browser that we launched is started again, with its profile and its tabs' addresses.
    Relaunch,
}

/// The policies of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Policies {
    /// When a page crashes.
    #[serde(default)]
    pub on_crash: OnCrash,
    /// When the browser dies.
    #[serde(default)]
    pub on_browser_death: OnBrowserDeath,
}

/// The policies that a request changes; those it does not name stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyChoice {
    /// When a page crashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_crash: Option<OnCrash>,
    /// When the browser dies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_browser_death: Option<OnBrowserDeath>,
}

impl Policies {
    /// The same with what was chosen.
    #[must_use]
    pub fn with(self, choice: PolicyChoice) -> Self {
        Policies {
            on_crash: choice.on_crash.unwrap_or(self.on_crash),
            on_browser_death: choice.on_browser_death.unwrap_or(self.on_browser_death),
        }
    }
}

impl fmt::Display for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let crash = match self.on_crash {
            OnCrash::Report => "report",
            OnCrash::Reload => "reload",
        };
        let death = match self.on_browser_death {
            OnBrowserDeath::Fail => "fail",
            OnBrowserDeath::Relaunch => "relaunch",
        };
        write!(f, "on crash {crash}, on browser death {death}")
    }
}

impl FromStr for OnCrash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "report" => Ok(Self::Report),
            "reload" => Ok(Self::Reload),
            _ => Err("report or reload"),
        }
    }
}

impl FromStr for OnBrowserDeath {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "fail" => Ok(Self::Fail),
            "relaunch" => Ok(Self::Relaunch),
            _ => Err("fail or relaunch"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_chosen_stays() {
        let before = Policies {
            on_crash: OnCrash::Reload,
            on_browser_death: OnBrowserDeath::Fail,
        };
        let choice = PolicyChoice {
            on_browser_death: Some(OnBrowserDeath::Relaunch),
            ..PolicyChoice::default()
        };
        let after = before.with(choice);
        assert_eq!(
            after.to_string(),
            "on crash reload, on browser death relaunch"
        );
        assert_eq!(before.with(PolicyChoice::default()), before);
    }
}
