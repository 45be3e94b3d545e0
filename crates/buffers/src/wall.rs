//! Wall-clock times, small and exact enough to sort and to show.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A wall-clock time: microseconds since 1970, UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Wall(pub i64);

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

impl Wall {
    /// From the milliseconds since 1970 that CDP's `Runtime` and `Log` use.
    /// What is no number or out of range becomes the nearest bound or 1970.
    pub fn from_ms(ms: f64) -> Self {
        // Casts of floats saturate, and NaN gives 0.
        Wall((ms * 1e3).round() as i64)
    }

    /// From the seconds since 1970 that CDP's `Network.wallTime` uses.
    pub fn from_seconds(seconds: f64) -> Self {
        Wall((seconds * 1e6).round() as i64)
    }

    /// As the standard library has it.
    pub fn to_system(self) -> SystemTime {
        let distance = Duration::from_micros(self.0.unsigned_abs());
        let time = if self.0 >= 0 {
            UNIX_EPOCH.checked_add(distance)
        } else {
            UNIX_EPOCH.checked_sub(distance)
        };
        time.unwrap_or(UNIX_EPOCH)
    }

    /// The time of day, `12:00:01`, so many seconds east of UTC.
    pub fn clock(self, utc_offset: i32) -> String {
        let local = self.0.saturating_add(i64::from(utc_offset) * SECOND);
        let second = local.rem_euclid(DAY) / SECOND;
        format!(
            "{:02}:{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }

    /// RFC 3339 with milliseconds: `2026-11-20T12:00:01.250Z`.
    pub fn rfc3339(self) -> String {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        let ms = self.0.rem_euclid(SECOND) / 1_000;
        format!("{year:04}-{month:02}-{day:02}T{}.{ms:03}Z", self.clock(0))
    }

    /// Milliseconds from `earlier` to this; negative when it is later.
    pub fn ms_since(self, earlier: Wall) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / 1e3
    }
}

impl From<SystemTime> for Wall {
    fn from(time: SystemTime) -> Self {
        Wall(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
        })
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian
/// calendar. Years are counted from March, so that the leap day is their last.
fn civil(days: i64) -> (i64, i64, i64) {
    const PER_400_YEARS: i64 = 146_097;
    // 1970-01-01 is 719,468 days after 0000-03-01.
    let days = days + 719_468;
    let era = days.div_euclid(PER_400_YEARS);
    let day_of_era = days.rem_euclid(PER_400_YEARS);
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_a_calendar_has_them() {
        for (us, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
            (1_795_176_001_250_000, "2026-11-20T12:00:01.250Z"),
            (4_107_542_399_999_999, "2100-02-28T23:59:59.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Wall(us).rfc3339(), text);
        }
    }

    #[test]
    fn the_clock_follows_the_zone() {
        let noon = Wall(1_795_176_001_250_000);
        assert_eq!(noon.clock(0), "12:00:01");
        assert_eq!(noon.clock(3_600), "13:00:01");
        assert_eq!(noon.clock(-13 * 3_600), "23:00:01");
    }

    #[test]
    fn absurd_numbers_do_no_harm() {
        for ms in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            let wall = Wall::from_ms(ms);
            assert!(!wall.rfc3339().is_empty());
            let _ = wall.to_system();
        }
        assert_eq!(Wall::from(Wall(-1_500).to_system()), Wall(-1_500));
    }
}
