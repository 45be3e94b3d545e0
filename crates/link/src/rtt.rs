//! Recent round trips.
use std::time::Duration;

const KEPT: usize = 256;

/// The last round trips of commands to the browser itself.
#[derive(Debug, Default)]
pub(crate) struct RoundTrips {
    recent: Vec<Duration>,
    next: usize,
}

impl RoundTrips {
    pub(crate) fn record(&mut self, took: Duration) {
        if self.recent.len() < KEPT {
            self.recent.push(took);
        } else {
            self.recent[self.next] = took;
            self.next = (self.next + 1) % KEPT;
        }
    }

    /// Median and 99th percentile.
    pub(crate) fn percentiles(&self) -> (Option<Duration>, Option<Duration>) {
        let mut recent = self.recent.clone();
        let mut at = |part: usize| {
            let place = recent.len() * part / 100;
            let (_, found, _) =
                (place < recent.len()).then(|| recent.select_nth_unstable(place))?;
            Some(*found)
        };
        (at(50), at(99))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_round_trips_make_room() {
        let mut trips = RoundTrips::default();
        assert_eq!(trips.percentiles(), (None, None));
        for ms in 0..1000 {
            trips.record(Duration::from_millis(ms));
        }
        let (p50, p99) = trips.percentiles();
        assert_eq!(p50, Some(Duration::from_millis(872)));
        assert_eq!(p99, Some(Duration::from_millis(997)));
    }
}
