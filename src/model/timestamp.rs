//! Points in time, in the range and precision that both databases support.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, SecondsFormat, SubsecRound, Timelike, Utc};

/// A point in time in UTC, truncated to microseconds, the precision of PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// The last microsecond of the year 9999.
    pub const MAX: Self = Self(DateTime::from_timestamp_micros(253_402_300_799_999_999).expect("it is in range"));

    /// From microseconds since 1970-01-01T00:00:00Z; `None` outside the years 0001 to 9999, which both databases support.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).and_then(Self::in_range)
    }

    fn in_range(at: DateTime<Utc>) -> Option<Self> {
        (1..=9999).contains(&at.year()).then(|| Self::from(at))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// The same time as a chrono value.
    #[must_use]
    pub fn datetime(self) -> DateTime<Utc> {
        self.0
    }

    /// This number of seconds later; saturates at the end of chrono's range.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let later = chrono::TimeDelta::try_seconds(seconds).and_then(|delta| self.0.checked_add_signed(delta));
        later.map_or(Self(DateTime::<Utc>::MAX_UTC), Self::from)
    }

    /// A duration later; unchanged if the result is out of range.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> Self {
        self.plus_micros(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
    }

    /// This number of microseconds later; unchanged if the result is out of range.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.micros().saturating_add(micros)).unwrap_or(self)
    }

    /// The start of the hour.
    #[must_use]
    pub fn start_of_hour(self) -> Self {
        const HOUR: i64 = 3_600_000_000;
        Self::from_micros(self.micros().div_euclid(HOUR) * HOUR).unwrap_or(self)
    }

    /// This number of microseconds earlier; saturates at the beginning of chrono's range.
    #[must_use]
    pub fn minus_micros(self, micros: u64) -> Self {
        let earlier = chrono::TimeDelta::microseconds(i64::try_from(micros).unwrap_or(i64::MAX));
        Self(self.0.checked_sub_signed(earlier).unwrap_or(DateTime::<Utc>::MIN_UTC))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.trunc_subsecs(6))
    }
}

/// A time as RFC 3339 in UTC with six fractional digits, so that texts sort like times (years 0000 to 9999). A page of a list
/// formats hundreds of them; formatting by chrono takes ten times as long.
#[derive(Clone, Copy, Debug)]
pub struct TimeText([u8; 27]);

impl TimeText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits and punctuation")
    }
}

impl Timestamp {
    /// The text of the time; `None` for years without four digits, which no database returns.
    #[must_use]
    pub fn to_text(self) -> Option<TimeText> {
        let year = u32::try_from(self.0.year()).ok().filter(|year| *year <= 9999)?;
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let mut put = |at: std::ops::Range<usize>, mut number: u32| {
            for digit in text[at].iter_mut().rev() {
                *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
                number /= 10;
            }
        };
        put(0..4, year);
        put(5..7, self.0.month());
        put(8..10, self.0.day());
        put(11..13, self.0.hour());
        put(14..16, self.0.minute());
        put(17..19, self.0.second());
        put(20..26, self.0.timestamp_subsec_micros());
        Some(TimeText(text))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_text() {
            Some(text) => f.write_str(text.as_str()),
            None => f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true)),
        }
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// RFC 3339 with any offset, in the years 0001 to 9999 of UTC.
    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidTimestamp)?;
        Self::in_range(at.with_timezone(&Utc)).ok_or(InvalidTimestamp)
    }
}

/// A text that is not a time, or one outside the range of both databases.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not an RFC 3339 time in the years 0001 to 9999")]
pub struct InvalidTimestamp;
