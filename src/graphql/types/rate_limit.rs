//! `RateLimit`.

use async_graphql::SimpleObject;

use crate::{auth::RateLimitStatus, model::Timestamp};

/// The rate limit by query complexity. The complexity of a query is the number of fields in its largest possible response.
/// The allowance refills continuously.
#[derive(Debug, SimpleObject)]
pub struct RateLimit {
    /// The complexity allowed per minute.
    limit: u32,
    /// The complexity of this query.
    cost: u32,
    /// The remaining allowance after this query. A query of greater complexity is refused with `RATE_LIMITED`;
    /// `extensions.retryAfter` is the number of seconds until it is allowed.
    remaining: u32,
    /// The time at which the full allowance is available again if no query is sent.
    reset_at: Timestamp,
}

impl From<RateLimitStatus> for RateLimit {
    fn from(charge: RateLimitStatus) -> Self {
        let RateLimitStatus { limit, cost, remaining, reset_at } = charge;
        Self { limit, cost, remaining, reset_at }
    }
}
