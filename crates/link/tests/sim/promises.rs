//! What must hold at every moment of a simulation.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use keeptab_link::{Settlement, TargetId, Token};
use serde_json::Value;

/// A command must be settled this soon after its deadline: the timer is exact in virtual time.
const SLACK: Duration = Duration::from_millis(5);

/// The user agent of a tab on which none was set.
const PLAIN_AGENT: &str = "ModelBrowser/1";

/// What a command was for, and so what its answer must look like.
#[derive(Debug, Clone)]
pub(crate) enum Purpose {
    /// Adds one to a counter that only this command knows: more than one is a repeated effect.
    Effect { counter: String },
    /// Sets the user agent of a tab.
    SetUserAgent(String),
    /// Reads the user agent of a tab.
    ReadUserAgent,
    /// Something whose answer is not looked at.
    Other,
}

#[derive(Debug)]
struct Open {
    purpose: Purpose,
    target: Option<TargetId>,
    due: Instant,
    /// The settings that a read may find, as of the moment it was submitted.
    allowed: HashSet<String>,
}

/// Counts and checks.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    open: HashMap<Token, Open>,
    effects_sent: HashMap<String, u32>,
    /// User agents that may be in force on a tab, by the command that sets them. A reply to one proves that the earlier
    /// ones are over; one that was not answered may take effect until then.
    agents: HashMap<TargetId, BTreeMap<u64, String>>,
    pub(crate) settled: HashMap<&'static str, u64>,
}

impl Promises {
    pub(crate) fn submitted(
        &mut self,
        token: Token,
        purpose: Purpose,
        target: Option<TargetId>,
        due: Instant,
    ) {
        let mut allowed = HashSet::new();
        if let Some(target) = &target {
            let plain = || BTreeMap::from([(0, PLAIN_AGENT.to_owned())]);
            let agents = self.agents.entry(target.clone()).or_insert_with(plain);
            if let Purpose::SetUserAgent(agent) = &purpose {
                // From now on the browser may have either; so may every read that is under way.
                agents.insert(token.0, agent.clone());
                let same = |open: &&mut Open| open.target.as_ref() == Some(target);
                for open in self.open.values_mut().filter(same) {
                    open.allowed.insert(agent.clone());
                }
            }
            allowed.extend(agents.values().cloned());
        }
        let twice = self.open.insert(
            token,
            Open {
                purpose,
                target,
                due,
                allowed,
            },
        );
        assert!(twice.is_none(), "the simulation used a token twice");
    }

    /// A frame leaves the link: effects at most once, and to the tab they were meant for.
    pub(crate) fn sent(&mut self, frame: &Value, reaches: Option<&str>) {
        let expression = frame["params"]["expression"].as_str().unwrap_or_default();
        let Some(counter) = expression.strip_prefix("globalThis.once_") else {
            return;
        };
        let counter = counter
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned();
        let times = self.effects_sent.entry(counter.clone()).or_default();
        *times += 1;
        assert_eq!(*times, 1, "an effect was sent again: {frame}");
        let meant = counter.split_once('_').map(|(_, target)| target);
        assert_eq!(reaches, meant, "an effect went to another tab: {frame}");
    }

    pub(crate) fn settled(&mut self, now: Instant, token: Token, settlement: &Settlement) {
        let open = self.open.remove(&token);
        let open = open.unwrap_or_else(|| panic!("{token:?} settled twice, now as {settlement:?}"));
        assert!(
            now <= open.due + SLACK,
            "{open:?} settled {:?} late: {settlement:?}",
            now - open.due
        );
        *self.settled.entry(settlement.name()).or_default() += 1;
        match (&open.purpose, settlement) {
            (Purpose::Effect { counter }, Settlement::Reply(reply)) => {
                let reply: Value = serde_json::from_str(reply.as_str()).unwrap();
                assert_eq!(
                    reply["result"]["value"], 1,
                    "{counter} did not happen just once"
                );
            }
            (Purpose::Effect { counter }, Settlement::NotSent(_)) => {
                let sent = self.effects_sent.contains_key(counter);
                assert!(!sent, "{counter} is called not_sent, and was sent");
            }
            (Purpose::SetUserAgent(_), Settlement::Reply(_)) => {
                let agents = open
                    .target
                    .as_ref()
                    .and_then(|target| self.agents.get_mut(target));
                agents
                    .into_iter()
                    .for_each(|agents| agents.retain(|by, _| *by >= token.0));
            }
            (Purpose::ReadUserAgent, Settlement::Reply(reply)) => {
                let reply: Value = serde_json::from_str(reply.as_str()).unwrap();
                let seen = reply["result"]["value"].as_str().unwrap().to_owned();
                let ours = open.allowed.contains(&seen);
                assert!(
                    ours,
                    "{:?} reads {seen:?}, what was set is {:?}",
                    open.target, open.allowed
                );
            }
            _ => {}
        }
    }

    /// A tab is gone, and with it all that was set on it.
    pub(crate) fn forget(&mut self, target: &TargetId) {
        self.agents.remove(target);
    }

    pub(crate) fn nothing_open(&self) {
        assert!(self.open.is_empty(), "never settled: {:?}", self.open);
    }

    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }
}
