//! `RateLimit`.

use async_graphql::SimpleObject;

use crate::{auth::RateLimitStatus, model::Timestamp};

/// What the caller's queries may still cost in this minute. The cost of a query is the number of fields that its largest
/// possible answer has; the budget refills steadily, not at once.
#[derive(Debug, SimpleObject)]
pub struct RateLimit {
    /// What the queries of a minute may cost.
    limit: u32,
    /// What this query costs.
    cost: u32,
    /// What is left after this query. A query that costs more is refused with `RATE_LIMITED`, and
    /// `extensions.retryAfter` says in how many seconds there will be enough.
    remaining: u32,
    /// When everything will be there again if nothing more is asked.
    reset_at: Timestamp,
}

impl From<RateLimitStatus> for RateLimit {
    fn from(charge: RateLimitStatus) -> Self {
        let RateLimitStatus { limit, cost, remaining, reset_at } = charge;
        Self { limit, cost, remaining, reset_at }
    }
}
