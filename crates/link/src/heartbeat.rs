//! Whether the other side is still there.
use std::time::{Duration, Instant, SystemTime};

/// A difference between the two clocks that is not drift: the machine slept, or its clock was set.
const JUMP: Duration = Duration::from_secs(5);

/// What the passing of time means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    Quiet,
    Probe,
    Dead { silent: Duration },
}

/// Watches the silence of one connection.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    probe_after: Duration,
    dead_after: Duration,
    last_byte: Instant,
    /// The same, or a later moment in which the other side took something.
    last_sign: Instant,
    /// When a probe was sent, and how long it may stay unanswered.
    probe: Option<(Instant, Instant)>,
}

impl Heartbeat {
    pub(crate) fn new(now: Instant, probe_after: Duration, dead_after: Duration) -> Self {
        Self {
            probe_after,
            dead_after: dead_after.max(probe_after),
            last_byte: now,
            last_sign: now,
            probe: None,
        }
    }

    pub(crate) fn last_byte(&self) -> Instant {
        self.last_byte
    }

    /// Any byte is life.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.last_byte = now;
        self.took(now);
    }

    /// The other side takes what waits to be written: it lives, and did not come to the probe yet.
    pub(crate) fn took(&mut self, now: Instant) {
        self.last_sign = now;
        self.probe = None;
    }

    /// Asks now, and gives the answer `patience`. True when a probe is to be sent.
    pub(crate) fn probe_now(&mut self, now: Instant, patience: Duration) -> bool {
        let dead = now + patience;
        match &mut self.probe {
            Some((_, limit)) => {
                *limit = dead.min(*limit);
                false
            }
            None => {
                self.probe = Some((now, dead));
                true
            }
        }
    }

    /// The probe was not answered, and the connection is kept all the same.
    pub(crate) fn ask_again(&mut self, now: Instant) {
        self.probe = Some((now, now + self.dead_after));
    }

    pub(crate) fn timeout(&mut self, now: Instant) -> Beat {
        match self.probe {
            Some((_, dead)) if now >= dead => Beat::Dead {
                silent: now.saturating_duration_since(self.last_byte),
            },
            None if now >= self.last_sign + self.probe_after => {
                // A driver that was late asks before it judges.
                let dead = (self.last_sign + self.dead_after)
                    .max(now + self.dead_after.saturating_sub(self.probe_after));
                self.probe = Some((now, dead));
                Beat::Probe
            }
            _ => Beat::Quiet,
        }
    }

    pub(crate) fn next(&self) -> Instant {
        match self.probe {
            Some((_, dead)) => dead,
            None => self.last_sign + self.probe_after,
        }
    }
}

/// Compares the time of day with the monotonic clock, which stands still while the machine sleeps.
#[derive(Debug, Default)]
pub(crate) struct Clocks {
    last: Option<(Instant, SystemTime)>,
}

impl Clocks {
    /// Whether the two clocks moved apart since the last call.
    pub(crate) fn jumped(&mut self, now: Instant, wall: SystemTime) -> bool {
        let Some((then, wall_then)) = self.last.replace((now, wall)) else {
            return false;
        };
        let elapsed = now.saturating_duration_since(then);
        match wall.duration_since(wall_then) {
            Ok(wall_elapsed) => wall_elapsed.abs_diff(elapsed) > JUMP,
            Err(back) => back.duration() + elapsed > JUMP,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEC: Duration = Duration::from_secs(1);

    #[test]
    fn silence_is_probed_after_5_and_dead_after_10_seconds() {
        let start = Instant::now();
        let mut beat = Heartbeat::new(start, 5 * SEC, 10 * SEC);
        assert_eq!(beat.timeout(start + 4 * SEC), Beat::Quiet);
        assert_eq!(beat.next(), start + 5 * SEC);
        assert_eq!(beat.timeout(start + 5 * SEC), Beat::Probe);
        assert_eq!(beat.timeout(start + 9 * SEC), Beat::Quiet);
        assert_eq!(
            beat.timeout(start + 10 * SEC),
            Beat::Dead { silent: 10 * SEC }
        );
    }

    #[test]
    fn any_byte_is_life() {
        let start = Instant::now();
        let mut beat = Heartbeat::new(start, 5 * SEC, 10 * SEC);
        assert_eq!(beat.timeout(start + 5 * SEC), Beat::Probe);
        beat.heard(start + 9 * SEC);
        assert_eq!(beat.timeout(start + 10 * SEC), Beat::Quiet);
        assert_eq!(beat.next(), start + 14 * SEC);
    }

    #[test]
    fn what_is_taken_is_a_sign_of_life_and_no_byte() {
        let start = Instant::now();
        let mut beat = Heartbeat::new(start, 5 * SEC, 10 * SEC);
        assert_eq!(beat.timeout(start + 5 * SEC), Beat::Probe);
        beat.took(start + 9 * SEC);
        assert_eq!(beat.timeout(start + 10 * SEC), Beat::Quiet);
        assert_eq!(beat.last_byte(), start);
        assert_eq!(beat.timeout(start + 14 * SEC), Beat::Probe);
        assert_eq!(
            beat.timeout(start + 19 * SEC),
            Beat::Dead { silent: 19 * SEC }
        );
    }

    #[test]
    fn a_late_driver_asks_before_it_judges() {
        let start = Instant::now();
        let mut beat = Heartbeat::new(start, 5 * SEC, 10 * SEC);
        assert_eq!(beat.timeout(start + 60 * SEC), Beat::Probe);
        assert_eq!(beat.timeout(start + 60 * SEC), Beat::Quiet);
        assert_eq!(beat.next(), start + 65 * SEC);
    }

    #[test]
    fn only_a_difference_between_the_clocks_is_a_jump() {
        let (now, wall) = (Instant::now(), SystemTime::UNIX_EPOCH + 1000 * SEC);
        let mut clocks = Clocks::default();
        assert!(!clocks.jumped(now, wall));
        assert!(
            !clocks.jumped(now + 60 * SEC, wall + 61 * SEC),
            "both moved"
        );
        assert!(clocks.jumped(now + 61 * SEC, wall + 7200 * SEC), "suspend");
        assert!(clocks.jumped(now + 62 * SEC, wall + 3600 * SEC), "set back");
        assert!(!clocks.jumped(now + 63 * SEC, wall + 3601 * SEC));
    }
}
