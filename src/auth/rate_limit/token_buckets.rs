//! Token buckets by key. The crate `governor` implements the buckets; this file adds the clock of the tests, the removal of
//! full buckets, and the remaining tokens and waiting time as numbers.

use std::{
    fmt,
    hash::Hash,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::{Duration, Instant},
};

use governor::{
    Quota, RateLimiter, clock::Clock as _, middleware::StateInformationMiddleware, nanos::Nanos,
    state::keyed::DefaultKeyedStateStore,
};

use crate::clock::Clock;

/// Full buckets are removed once per this number of requests.
pub(super) const SWEEP_INTERVAL: u32 = 1_000;

/// A token bucket for each key: it starts full and refills steadily.
pub struct TokenBuckets<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DefaultKeyedStateStore<K>, MonotonicClock, StateInformationMiddleware>,
    takes: AtomicU32,
}

/// Why a bucket gave no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// A full bucket does not hold as many tokens.
    ExceedsCapacity,
    /// The bucket holds enough tokens after so many seconds.
    RetryAfter(u64),
}

impl<K: Hash + Eq + Clone> TokenBuckets<K> {
    /// Full buckets that hold `capacity` tokens and refill within a minute.
    #[must_use]
    pub fn per_minute(capacity: NonZeroU32, clock: Clock) -> Self {
        let quota = Quota::per_minute(capacity);
        let limiter = RateLimiter::new(quota, DefaultKeyedStateStore::default(), MonotonicClock::new(clock));
        Self { limiter, takes: AtomicU32::new(0) }
    }

    /// Takes tokens from the bucket of a key and returns the number of remaining ones.
    pub fn take(&self, key: &K, tokens: NonZeroU32) -> Result<u32, Rejection> {
        // A full bucket is equivalent to none: removing it bounds the memory.
        if self.takes.fetch_add(1, Relaxed) % SWEEP_INTERVAL == SWEEP_INTERVAL - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let taken = self.limiter.check_key_n(key, tokens).map_err(|_| Rejection::ExceedsCapacity)?;
        let state = taken.map_err(|until| {
            Rejection::RetryAfter(whole_seconds(until.wait_time_from(self.limiter.clock().now())).max(1))
        })?;
        Ok(state.remaining_burst_capacity())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.limiter.len()
    }
}

impl<K: Hash + Eq + Clone> fmt::Debug for TokenBuckets<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBuckets").finish_non_exhaustive()
    }
}

/// A duration in seconds, rounded up.
pub(super) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// The time that buckets refill by. It never goes back, and stands still with [`Clock::Fixed`].
#[derive(Clone, Debug)]
struct MonotonicClock(Option<Instant>);

impl MonotonicClock {
    fn new(clock: Clock) -> Self {
        Self(match clock {
            Clock::System => Some(Instant::now()),
            Clock::Fixed(_) => None,
        })
    }
}

impl governor::clock::Clock for MonotonicClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.map_or(Nanos::new(0), |start| start.elapsed().into())
    }
}
