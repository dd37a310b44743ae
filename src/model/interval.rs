//! Calendar intervals.

use chrono::{DateTime, Datelike, Months, TimeDelta, Timelike, Utc};

use super::Timestamp;

/// A calendar interval in UTC. Weeks begin on Monday (ISO 8601).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interval {
    Hour,
    Day,
    Week,
    Month,
}

impl Interval {
    /// The starts of all intervals from the one that contains `from` to the one that contains `to`; `None` if there are more
    /// than `max`.
    #[must_use]
    pub fn starts(self, from: Timestamp, to: Timestamp, max: usize) -> Option<Vec<Timestamp>> {
        let mut starts = Vec::new();
        let mut start = self.start_of(from.datetime());
        while let Some(at) = start.filter(|at| *at <= to.datetime()) {
            if starts.len() == max {
                return None;
            }
            starts.push(Timestamp::from(at));
            start = self.after(at);
        }
        Some(starts)
    }

    fn start_of(self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let hour = at.with_minute(0)?.with_second(0)?.with_nanosecond(0)?;
        let midnight = hour.with_hour(0)?;
        match self {
            Self::Hour => Some(hour),
            Self::Day => Some(midnight),
            Self::Week => {
                midnight.checked_sub_signed(TimeDelta::days(midnight.weekday().num_days_from_monday().into()))
            }
            Self::Month => midnight.with_day(1),
        }
    }

    fn after(self, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Hour => start.checked_add_signed(TimeDelta::hours(1)),
            Self::Day => start.checked_add_signed(TimeDelta::days(1)),
            Self::Week => start.checked_add_signed(TimeDelta::weeks(1)),
            Self::Month => start.checked_add_months(Months::new(1)),
        }
    }
}
