//! How much a caller may ask for in a minute: a bucket of cost per user, or per address for those who are not logged
//! in. It must not ask the database: refusing has to be cheap.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use super::{
    Principal,
    buckets::{Buckets, Refused, whole_seconds},
};
use crate::{
    clock::Clock,
    error::{Error, ErrorCode, Result},
    model::{Timestamp, UserId},
};

const MINUTE: Duration = Duration::from_mins(1);

/// The buckets of all callers. Each holds a minute's cost, and refills steadily.
#[derive(Clone)]
pub struct CostLimiter(Arc<Costs>);

struct Costs {
    buckets: Buckets<PrincipalKey>,
    per_minute: NonZeroU32,
    clock: Clock,
}

impl fmt::Debug for CostLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CostLimiter").field("per_minute", &self.0.per_minute).finish_non_exhaustive()
    }
}

/// What was taken from a caller's bucket, and what is left.
#[derive(Clone, Copy, Debug)]
pub struct RateLimitStatus {
    /// What the bucket holds when it is full.
    pub limit: u32,
    /// What was taken.
    pub cost: u32,
    /// What is left.
    pub remaining: u32,
    /// When the bucket is full again, if nothing more is taken.
    pub reset_at: Timestamp,
}

/// Whose bucket it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum PrincipalKey {
    User(UserId),
    /// One IPv4 address, or one IPv6 network of 64 bits: a household has as many addresses of that as it likes.
    Address(IpAddr),
    Unknown,
}

impl CostLimiter {
    /// Buckets of this size, all full.
    #[must_use]
    pub fn new(per_minute: u32, clock: Clock) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        Self(Arc::new(Costs { buckets: Buckets::per_minute(per_minute, clock), per_minute, clock }))
    }

    /// Takes the cost from the caller's bucket, or says when there will be enough.
    pub fn charge(&self, principal: &Principal, address: Option<&str>, cost: u64) -> Result<RateLimitStatus> {
        let Costs { buckets, per_minute, clock } = &*self.0;
        let never = || {
            Error::new(
                ErrorCode::QueryTooComplex,
                format!(
                    "{cost} is what this query costs: the limit for a minute is {per_minute} \
                         (GUARDIANEYE_MAX_COST_PER_MINUTE)"
                ),
            )
        };
        let cost = u32::try_from(cost.max(1)).ok().and_then(NonZeroU32::new).ok_or_else(never)?;
        let caller = PrincipalKey::of(principal, address);
        let remaining = buckets.take(&caller, cost).map_err(|refused| match refused {
            Refused::TooMuch => never(),
            Refused::Until(seconds) => {
                let message = format!("your queries of the last minute cost too much: try again in {seconds} s");
                Error::rate_limited(message, seconds)
            }
        })?;
        let taken = per_minute.get().saturating_sub(remaining);
        let refill = Duration::from_secs_f64(MINUTE.as_secs_f64() * f64::from(taken) / f64::from(per_minute.get()));
        let reset_at = clock.now().plus_seconds(i64::try_from(whole_seconds(refill)).unwrap_or(i64::MAX));
        Ok(RateLimitStatus { limit: per_minute.get(), cost: cost.get(), remaining, reset_at })
    }
}

impl PrincipalKey {
    pub(super) fn of(principal: &Principal, address: Option<&str>) -> Self {
        match (principal, address.map(str::parse)) {
            (Principal::Authenticated(authenticated), _) => Self::User(authenticated.user.id),
            (Principal::Anonymous, Some(Ok(IpAddr::V6(address)))) => {
                let network = address.to_bits() & (u128::MAX << 64);
                Self::Address(Ipv6Addr::from_bits(network).into())
            }
            (Principal::Anonymous, Some(Ok(address))) => Self::Address(address),
            (Principal::Anonymous, _) => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::buckets::SWEEP;

    fn budget() -> CostLimiter {
        CostLimiter::new(100, Clock::Fixed("2026-03-01T12:00:00Z".parse().expect("a time")))
    }

    #[test]
    fn a_bucket_is_emptied_and_says_when_there_will_be_enough() {
        let budget = budget();
        let charge = budget.charge(&Principal::Anonymous, Some("192.0.2.1"), 40).expect("enough");
        assert_eq!((charge.limit, charge.cost, charge.remaining), (100, 40, 60));
        assert_eq!(charge.reset_at.datetime().to_rfc3339(), "2026-03-01T12:00:24+00:00");
        let error = budget.charge(&Principal::Anonymous, Some("192.0.2.1"), 70).expect_err("not enough");
        assert_eq!((error.code(), error.retry_after()), (ErrorCode::RateLimited, Some(6)));
        budget.charge(&Principal::Anonymous, Some("192.0.2.1"), 60).expect("what was refused was not taken");
    }

    #[test]
    fn addresses_have_buckets_of_their_own_but_not_within_an_ipv6_network() {
        let budget = budget();
        let charge = |address| budget.charge(&Principal::Anonymous, address, 100).map(|charge| charge.remaining);
        assert_eq!(charge(Some("192.0.2.1")).ok(), Some(0));
        assert_eq!(charge(Some("192.0.2.2")).ok(), Some(0));
        assert_eq!(charge(Some("2001:db8::1")).ok(), Some(0));
        assert!(charge(Some("2001:db8::ffff:2")).is_err());
        assert_eq!(charge(Some("2001:db8:0:1::1")).ok(), Some(0));
        assert_eq!(charge(None).ok(), Some(0));
        assert!(charge(Some("nonsense")).is_err(), "whoever has no address shares one bucket");
    }

    #[test]
    fn what_can_never_be_paid_is_no_matter_of_time() {
        for cost in [101, u64::MAX] {
            let error = budget().charge(&Principal::Anonymous, None, cost).expect_err("too much");
            assert_eq!((error.code(), error.retry_after()), (ErrorCode::QueryTooComplex, None));
        }
    }

    #[test]
    fn callers_are_forgotten_when_their_buckets_are_full_again() {
        let budget = CostLimiter::new(1_000_000_000, Clock::System);
        for n in 0..20 * SWEEP {
            let address = std::net::Ipv4Addr::from_bits(n).to_string();
            budget.charge(&Principal::Anonymous, Some(&address), 1).expect("enough");
        }
        assert!(budget.0.buckets.len() <= 2 * SWEEP as usize, "{}", budget.0.buckets.len());
    }
}
