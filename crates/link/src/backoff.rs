//! When to try again.
use std::time::Duration;

use crate::Backoff;

/// Retries at once that one run of bad luck may use: a fresh connection that fails during the
/// restore is replaced at once too, but not for ever.
const AT_ONCE: u32 = 5;

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    AtOnce,
    After { attempt: u32, wait: Duration },
    GiveUp,
}

/// Counts the attempts of one outage.
#[derive(Debug)]
pub(crate) struct Attempts {
    policy: Backoff,
    random: u64,
    counted: u32,
    at_once: u32,
}

impl Attempts {
    pub(crate) fn new(policy: Backoff, seed: u64) -> Self {
        Self {
            policy,
            random: seed,
            counted: 0,
            at_once: 0,
        }
    }

    /// Attempts of this outage that count.
    pub(crate) fn counted(&self) -> u32 {
        self.counted
    }

    /// A connection was good again.
    pub(crate) fn restored(&mut self) {
        self.counted = 0;
    }

    /// A connection has held for a while, or somebody asks for a new run of attempts.
    pub(crate) fn settled(&mut self) {
        self.counted = 0;
        self.at_once = 0;
    }

    /// A connection that was open has ended. `eager` is false when the peer asked for patience.
    pub(crate) fn after_loss(&mut self, eager: bool) -> Next {
        if eager && self.policy.immediate_first && self.at_once < AT_ONCE {
            self.at_once += 1;
            return Next::AtOnce;
        }
        self.after_failure(None)
    }

    /// An attempt failed; `told` is how long the endpoint asked us to wait, which is not counted.
    pub(crate) fn after_failure(&mut self, told: Option<Duration>) -> Next {
        if let Some(wait) = told {
            return Next::After {
                attempt: self.counted.max(1),
                wait,
            };
        }
        let max = self.policy.max_attempts;
        if max != 0 && self.counted >= max {
            return Next::GiveUp;
        }
        self.counted = self.counted.saturating_add(1);
        Next::After {
            attempt: self.counted,
            wait: self.wait(),
        }
    }

    fn wait(&mut self) -> Duration {
        let exponent = i32::try_from(self.counted - 1).unwrap_or(i32::MAX);
        let grown = self.policy.first.as_secs_f64() * self.policy.factor.max(1.0).powi(exponent);
        let capped = grown.min(self.policy.cap.as_secs_f64());
        let jitter = self.policy.jitter.clamp(0.0, 1.0) * (2.0 * self.chance() - 1.0);
        Duration::try_from_secs_f64(capped * (1.0 + jitter)).unwrap_or(self.policy.cap)
    }

    /// A number from 0 to 1 (splitmix64; spreading load needs no more).
    fn chance(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(attempts: &mut Attempts) -> Vec<f64> {
        std::iter::from_fn(|| match attempts.after_failure(None) {
            Next::After { wait, .. } => Some(wait.as_secs_f64()),
            _ => None,
        })
        .take(12)
        .collect()
    }

    #[test]
    fn five_attempts_double_and_take_about_31_seconds() {
        let mut attempts = Attempts::new(
            Backoff {
                jitter: 0.0,
                ..Backoff::default()
            },
            1,
        );
        assert_eq!(attempts.after_loss(true), Next::AtOnce);
        assert_eq!(waits(&mut attempts), [1.0, 2.0, 4.0, 8.0, 16.0]);
        assert_eq!(attempts.after_failure(None), Next::GiveUp);
    }

    #[test]
    fn without_a_limit_the_wait_stays_at_the_cap() {
        let mut attempts = Attempts::new(
            Backoff {
                max_attempts: 0,
                ..Backoff::default()
            },
            7,
        );
        let waits = waits(&mut attempts);
        assert_eq!(waits.len(), 12);
        assert!(waits.iter().all(|wait| *wait <= 33.0), "{waits:?}");
        assert!(waits[11] >= 27.0, "{waits:?}");
    }

    #[test]
    fn jitter_stays_within_its_part_and_follows_the_seed() {
        let run = |seed| waits(&mut Attempts::new(Backoff::default(), seed));
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
        for (wait, middle) in run(3).iter().zip([1.0, 2.0, 4.0, 8.0, 16.0]) {
            assert!((middle * 0.9..=middle * 1.1).contains(wait), "{wait}");
        }
    }

    #[test]
    fn a_wait_that_was_asked_for_is_not_counted() {
        let mut attempts = Attempts::new(
            Backoff {
                max_attempts: 1,
                ..Backoff::default()
            },
            1,
        );
        let told = Duration::from_secs(8);
        for _ in 0..10 {
            assert_eq!(
                attempts.after_failure(Some(told)),
                Next::After {
                    attempt: 1,
                    wait: told
                }
            );
        }
        assert!(matches!(
            attempts.after_failure(None),
            Next::After { attempt: 1, .. }
        ));
        assert_eq!(attempts.after_failure(None), Next::GiveUp);
    }

    #[test]
    fn a_connection_that_dies_again_and_again_is_not_retried_at_once_for_ever() {
        let mut attempts = Attempts::new(Backoff::default(), 1);
        let at_once = (0..100)
            .take_while(|_| attempts.after_loss(true) == Next::AtOnce)
            .count();
        assert_eq!(at_once, 5);
        attempts.settled();
        assert_eq!(attempts.after_loss(true), Next::AtOnce);
    }
}
