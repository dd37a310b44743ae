//! The one place that asks the machine for the time. Tests hand out a fixed one.

use crate::model::Timestamp;

/// Where "now" comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Always the same moment, for tests.
    Fixed(Timestamp),
}

impl Clock {
    /// Now, cut to microseconds.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one caller the ban points to")]
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::from(chrono::Utc::now()),
            Self::Fixed(at) => at,
        }
    }
}
