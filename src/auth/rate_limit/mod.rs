//! Rate limits and concurrency limits per principal. They are kept in memory, so that refusing a request takes no statement;
//! each instance counts for itself. Limits on logins, which all instances share, are in `services::login_throttle`.

mod cost_limiter;
mod principal_key;
mod statement_limiter;
mod token_buckets;
mod write_limiter;

pub use self::{
    cost_limiter::{CostLimiter, RateLimitStatus},
    principal_key::PrincipalKey,
    statement_limiter::StatementLimiter,
    token_buckets::TokenBuckets,
    write_limiter::WriteLimiter,
};
