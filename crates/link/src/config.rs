//! The settings of a link.
use std::time::Duration;

/// Every figure that a link works with. [`Config::default`] is meant for a browser on this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Silence after which the browser is asked whether it is there. Default 5 s.
    pub probe_after: Duration,
    /// Silence after which the connection counts as dead. Default 10 s; must exceed `probe_after`.
    pub dead_after: Duration,
    /// As `dead_after`, for a connection that a person had to approve: replacing it costs another
    /// click, so more patience is cheaper. Default 30 s.
    pub dead_after_approved: Duration,
    /// How long a probe after a clock jump (suspend) may stay unanswered. Default 2 s.
    pub wake_probe: Duration,
    /// Waiting between attempts to connect.
    pub backoff: Backoff,
    /// Whether a first connection that fails is tried again like a lost one. Default `false`: an
    /// address where nothing listens is reported at once. `429`-like answers always wait as told.
    pub retry_first: bool,
    /// How long one dial may take, handshake included. Default 10 s. The driver enforces it.
    pub dial_patience: Duration,
    /// How long a dial may wait for a person to allow it. Default 120 s, never below 60 s.
    pub human_patience: Duration,
    /// Deadline of a command whose [`crate::Submit::timeout`] is `None`. Default 30 s.
    pub default_timeout: Duration,
    /// Which targets the link attaches to by itself.
    pub attach: AttachPolicy,
    /// The bounds of every queue.
    pub limits: Limits,
    /// What to do when the browser behind the address is another one than before.
    pub identity_policy: ReplacedPolicy,
    /// How long one target may take to be restored before it is called unresponsive. The other
    /// targets do not wait for it. Default 5 s.
    pub restore_timeout: Duration,
    /// How long the gap record, and with it the events of the new connection, waits for slow
    /// targets. Default 300 ms. Commands do not wait for it.
    pub gap_patience: Duration,
    /// How long a target may stay silent on an open command before it is called hung. A harmless
    /// read is sent to it after half of it. Default 10 s.
    pub hung_after: Duration,
    /// How long commands in flight may still be answered after a dialog opened. Default 100 ms.
    pub dialog_grace: Duration,
    /// How long a leftover of our own dead socket may block a setting. Default 45 s, the time after
    /// which Chromium notices that a client vanished.
    pub zombie_patience: Duration,
    /// Seed of the jitter, so that a run can be repeated.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            probe_after: Duration::from_secs(5),
            dead_after: Duration::from_secs(10),
            dead_after_approved: Duration::from_secs(30),
            wake_probe: Duration::from_secs(2),
            backoff: Backoff::default(),
            retry_first: false,
            dial_patience: Duration::from_secs(10),
            human_patience: Duration::from_secs(120),
            default_timeout: Duration::from_secs(30),
            attach: AttachPolicy::Pages,
            limits: Limits::default(),
            identity_policy: ReplacedPolicy::Fail,
            restore_timeout: Duration::from_secs(5),
            gap_patience: Duration::from_millis(300),
            hung_after: Duration::from_secs(10),
            dialog_grace: Duration::from_millis(100),
            zombie_patience: Duration::from_secs(45),
            seed: 0,
        }
    }
}

impl Config {
    /// The fast profile: asks after 1 s of silence, gives up after 3 s.
    pub fn fast() -> Self {
        Self {
            probe_after: Duration::from_secs(1),
            dead_after: Duration::from_secs(3),
            hung_after: Duration::from_secs(4),
            ..Self::default()
        }
    }

    /// The profile for a browser elsewhere: as the default, without a limit of attempts.
    pub fn remote() -> Self {
        let mut config = Self::default();
        config.backoff.max_attempts = 0;
        config
    }
}

/// Waiting between attempts: `first`, then `factor` times more each time, up to `cap`.
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    /// The wait before the first counted attempt. Default 1 s.
    pub first: Duration,
    /// Growth per attempt, at least 1. Default 2.
    pub factor: f64,
    /// The longest wait. Default 30 s.
    pub cap: Duration,
    /// Part of each wait that chance adds or takes, 0 to 1. Default 0.1, for ±10 %.
    pub jitter: f64,
    /// Counted attempts before the link gives up; 0 for no limit. Default 5, which is about 31 s.
    pub max_attempts: u32,
    /// Whether one attempt is made at once, and not counted. Default `true`.
    pub immediate_first: bool,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            factor: 2.0,
            cap: Duration::from_secs(30),
            jitter: 0.1,
            max_attempts: 5,
            immediate_first: true,
        }
    }
}

/// Which targets the link attaches to without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AttachPolicy {
    /// Every page, so that crashes and dialogs are noticed everywhere.
    #[default]
    Pages,
    /// Only targets that a command was sent to.
    OnDemand,
}

/// What to do when the browser behind the address is another one than before the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReplacedPolicy {
    /// Stop, with the cause `browser_replaced`.
    #[default]
    Fail,
    /// Go on with it: what was set on the browser is set again, all tabs are gone.
    Accept,
}

/// The bounds of every queue. What does not fit is refused as [`crate::NotSent::Overloaded`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Commands that wait for a connection or a target, all together. Default 4,096.
    pub parked: usize,
    /// Commands that wait for one target. Default 1,024.
    pub per_target: usize,
    /// Bytes of all waiting commands together. Default 256 MiB.
    pub parked_bytes: usize,
    /// Commands that were sent and are not answered. Default 16,384.
    pub in_flight: usize,
    /// Length of one command in bytes. Default 64 MiB; Chromium resets the connection at about 99.
    pub max_command: usize,
    /// Targets that are remembered at once. Default 4,096.
    pub targets: usize,
    /// Settings that are remembered per target. Default 2,048.
    pub ledger: usize,
    /// Events held back while a gap record is being made. Default 10,000.
    pub held_events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            parked: 4096,
            per_target: 1024,
            parked_bytes: 256 << 20,
            in_flight: 16_384,
            max_command: 64 << 20,
            targets: 4096,
            ledger: 2048,
            held_events: 10_000,
        }
    }
}
