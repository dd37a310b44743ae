//! The current time. No other code reads the system clock, so that tests can fix it.

use crate::model::Timestamp;

/// The source of the current time.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system clock.
    System,
    /// A constant time, for tests.
    Fixed(Timestamp),
}

impl Clock {
    /// The current time, truncated to microseconds.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the only permitted use")]
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::from(chrono::Utc::now()),
            Self::Fixed(at) => at,
        }
    }
}
