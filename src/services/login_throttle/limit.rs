//! The limits of a counter of failed logins.

use crate::{db::login_throttles::Count, model::Timestamp};

/// The longest back-off, in seconds.
const MAX_BACKOFF: i64 = 15 * 60;
/// The time in which a full bucket drains, in microseconds.
const DRAIN_TIME: i64 = 15 * 60 * 1_000_000;

/// What follows from the failures of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// Exponential back-off: from this number of failures on, each attempt waits twice as long as the one before.
    Backoff { after: i64 },
    /// A leaky bucket: this number of failures, which drain steadily.
    Drain { capacity: i64 },
    /// A lockout after this number of failures, until an admin or operator unlocks the account.
    Lockout { after: i64 },
}

impl Limit {
    /// The counter without the failures that have drained by now. The remainder of an interval is kept, so that reading the
    /// counter often does not slow the draining.
    pub fn drained(self, count: Count, now: Timestamp) -> Count {
        let Self::Drain { capacity } = self else { return count };
        let interval = DRAIN_TIME / capacity;
        let drained = ((now.micros() - count.counted_at.micros()) / interval).clamp(0, count.failures);
        if drained == count.failures {
            return Count { failures: 0, counted_at: now };
        }
        Count { failures: count.failures - drained, counted_at: count.counted_at.plus_micros(drained * interval) }
    }

    /// The counter with one more failure.
    pub fn increment(self, count: Count, now: Timestamp) -> Count {
        let counted_at = if matches!(self, Self::Drain { .. }) { count.counted_at } else { now };
        Count { failures: count.failures + 1, counted_at }
    }

    /// When the next attempt is within the limit; possibly in the past.
    pub fn blocked_until(self, Count { failures, counted_at }: Count) -> Option<Timestamp> {
        match self {
            Self::Backoff { after } => {
                let doublings = u32::try_from(failures - after).ok()?;
                let seconds = 2_i64.checked_pow(doublings).map_or(MAX_BACKOFF, |seconds| seconds.min(MAX_BACKOFF));
                Some(counted_at.plus_seconds(seconds))
            }
            Self::Drain { capacity } if failures >= capacity => {
                Some(counted_at.plus_micros((failures - capacity + 1) * (DRAIN_TIME / capacity)))
            }
            Self::Lockout { after } if failures >= after => Some(Timestamp::MAX),
            Self::Drain { .. } | Self::Lockout { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        "2026-03-01T12:00:00Z".parse::<Timestamp>().expect("a time").plus_seconds(seconds)
    }

    #[test]
    fn back_off_doubles_up_to_its_maximum() {
        let backoff = |failures| {
            let until = Limit::Backoff { after: 5 }.blocked_until(Count { failures, counted_at: at(0) });
            until.map(|until| (until.micros() - at(0).micros()) / 1_000_000)
        };
        let backoffs = [0, 4, 5, 6, 7, 14, 15, 69, 4_000_000_000, 5_000_000_000].map(backoff);
        let expected = [None, None, Some(1), Some(2), Some(4), Some(512), Some(900), Some(900), Some(900)];
        assert_eq!(backoffs[..9], expected);
    }

    #[test]
    fn bucket_drains_steadily() {
        let limit = Limit::Drain { capacity: 100 };
        let full = Count { failures: 100, counted_at: at(0) };
        assert_eq!(limit.blocked_until(full), Some(at(9)));
        for (seconds, failures, counted_at) in [
            (-5, 100, 0),
            (0, 100, 0),
            (8, 100, 0),
            (9, 99, 9),
            (17, 99, 9),
            (450, 50, 450),
            (899, 1, 891),
            (900, 0, 900),
            (9_000, 0, 9_000),
        ] {
            let expected = Count { failures, counted_at: at(counted_at) };
            assert_eq!(limit.drained(full, at(seconds)), expected, "after {seconds} s");
        }
        assert_eq!(limit.blocked_until(limit.drained(full, at(9))), None);
        // A counter that is read each second drains as fast.
        let read_often = (1..=900).fold(full, |count, seconds| limit.drained(count, at(seconds)));
        assert_eq!(read_often.failures, 0);
        assert_eq!(limit.increment(full, at(5)), Count { failures: 101, counted_at: at(0) });
    }

    #[test]
    fn lockout_does_not_end() {
        let limit = Limit::Lockout { after: 100 };
        assert_eq!(limit.blocked_until(Count { failures: 99, counted_at: at(0) }), None);
        assert_eq!(limit.blocked_until(Count { failures: 100, counted_at: at(0) }), Some(Timestamp::MAX));
    }
}
