//! Limits the complexity of the operations of one principal per minute.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use super::{
    PrincipalKey,
    token_buckets::{Rejection, TokenBuckets, whole_seconds},
};
use crate::{
    auth::Principal,
    clock::Clock,
    error::{Error, ErrorCode, Result},
    model::Timestamp,
};

const MINUTE: Duration = Duration::from_mins(1);
const SETTING: &str = "GUARDIANEYE_MAX_COST_PER_MINUTE";

/// A token bucket for each principal, which holds the cost of a minute. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CostLimiter {
    buckets: Arc<TokenBuckets<PrincipalKey>>,
    per_minute: NonZeroU32,
    clock: Clock,
}

/// The state of a bucket after an operation.
#[derive(Clone, Copy, Debug)]
pub struct RateLimitStatus {
    /// The capacity of the bucket.
    pub limit: u32,
    /// The cost of the operation.
    pub cost: u32,
    /// What is left in the bucket.
    pub remaining: u32,
    /// When the bucket is full again, if nothing more is taken.
    pub reset_at: Timestamp,
}

impl CostLimiter {
    /// Full buckets with the cost of a minute.
    #[must_use]
    pub fn new(per_minute: u32, clock: Clock) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        Self { buckets: Arc::new(TokenBuckets::per_minute(per_minute, clock)), per_minute, clock }
    }

    /// Takes the cost of an operation from the bucket of the principal. The error is `RATE_LIMITED` with the waiting time,
    /// or `QUERY_TOO_COMPLEX` for a cost above the capacity.
    pub fn charge(&self, principal: &Principal, address: Option<&str>, cost: u64) -> Result<RateLimitStatus> {
        let Self { buckets, per_minute, clock } = self;
        let too_complex = || {
            let message = format!("query complexity {cost} exceeds the limit of {per_minute} per minute ({SETTING})");
            Error::new(ErrorCode::QueryTooComplex, message)
        };
        let cost = u32::try_from(cost.max(1)).ok().and_then(NonZeroU32::new).ok_or_else(too_complex)?;
        let key = PrincipalKey::of(principal, address);
        let remaining = buckets.take(&key, cost).map_err(|rejection| match rejection {
            Rejection::ExceedsCapacity => too_complex(),
            Rejection::RetryAfter(seconds) => {
                let message = format!(
                    "the complexity of your queries exceeds the limit of {per_minute} per minute ({SETTING}): try again in \
                     {seconds} s"
                );
                Error::rate_limited(message, seconds)
            }
        })?;
        let taken = per_minute.get().saturating_sub(remaining);
        let refill = Duration::from_secs_f64(MINUTE.as_secs_f64() * f64::from(taken) / f64::from(per_minute.get()));
        let reset_at = clock.now().plus_seconds(i64::try_from(whole_seconds(refill)).unwrap_or(i64::MAX));
        Ok(RateLimitStatus { limit: per_minute.get(), cost: cost.get(), remaining, reset_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::rate_limit::token_buckets::SWEEP_INTERVAL;

    fn limiter() -> CostLimiter {
        CostLimiter::new(100, Clock::Fixed("2026-03-01T12:00:00Z".parse().expect("a time")))
    }

    #[test]
    fn exceeding_the_limit_is_refused_with_the_waiting_time() {
        let limiter = limiter();
        let status = limiter.charge(&Principal::Anonymous, Some("192.0.2.1"), 40).expect("enough");
        assert_eq!((status.limit, status.cost, status.remaining), (100, 40, 60));
        assert_eq!(status.reset_at.datetime().to_rfc3339(), "2026-03-01T12:00:24+00:00");
        let error = limiter.charge(&Principal::Anonymous, Some("192.0.2.1"), 70).expect_err("not enough");
        assert_eq!((error.code(), error.retry_after()), (ErrorCode::RateLimited, Some(6)));
        limiter.charge(&Principal::Anonymous, Some("192.0.2.1"), 60).expect("a refused operation takes nothing");
    }

    #[test]
    fn anonymous_clients_share_a_limit_per_ipv4_address_and_ipv6_network() {
        let limiter = limiter();
        let charge = |address| limiter.charge(&Principal::Anonymous, address, 100).map(|status| status.remaining);
        assert_eq!(charge(Some("192.0.2.1")).ok(), Some(0));
        assert_eq!(charge(Some("192.0.2.2")).ok(), Some(0));
        assert_eq!(charge(Some("2001:db8::1")).ok(), Some(0));
        assert!(charge(Some("2001:db8::ffff:2")).is_err());
        assert_eq!(charge(Some("2001:db8:0:1::1")).ok(), Some(0));
        assert_eq!(charge(None).ok(), Some(0));
        assert!(charge(Some("nonsense")).is_err(), "clients without an address share one limit");
    }

    #[test]
    fn cost_above_the_capacity_is_too_complex() {
        for cost in [101, u64::MAX] {
            let error = limiter().charge(&Principal::Anonymous, None, cost).expect_err("too much");
            assert_eq!((error.code(), error.retry_after()), (ErrorCode::QueryTooComplex, None));
        }
    }

    #[test]
    fn full_buckets_are_removed() {
        let limiter = CostLimiter::new(1_000_000_000, Clock::System);
        for n in 0..20 * SWEEP_INTERVAL {
            let address = std::net::Ipv4Addr::from_bits(n).to_string();
            limiter.charge(&Principal::Anonymous, Some(&address), 1).expect("enough");
        }
        assert!(limiter.buckets.len() <= 2 * SWEEP_INTERVAL as usize, "{}", limiter.buckets.len());
    }
}
