//! Token buckets by key, for rate limits within this process: each bucket starts full and refills steadily. Nothing is asked
//! of the database, because refusing has to be cheap.

use std::{
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

/// After so many charges, keys whose buckets are full again are forgotten.
pub(super) const SWEEP: u32 = 1_000;

/// A bucket for each key.
pub(super) struct Buckets<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DefaultKeyedStateStore<K>, Ticks, StateInformationMiddleware>,
    charges: AtomicU32,
}

/// Why nothing was taken from a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The full bucket does not hold as much.
    TooMuch,
    /// There is enough after so many seconds.
    Until(u64),
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// Buckets that hold what they get in a minute, all full.
    pub fn per_minute(size: NonZeroU32, clock: Clock) -> Self {
        let limiter = RateLimiter::new(Quota::per_minute(size), DefaultKeyedStateStore::default(), Ticks::new(clock));
        Self { limiter, charges: AtomicU32::new(0) }
    }

    /// Takes an amount from the bucket of a key; what is left.
    pub fn take(&self, key: &K, amount: NonZeroU32) -> Result<u32, Refused> {
        // A bucket that is full again is as good as none, and most are after a moment: this bounds the memory.
        if self.charges.fetch_add(1, Relaxed) % SWEEP == SWEEP - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let taken = self.limiter.check_key_n(key, amount).map_err(|_| Refused::TooMuch)?;
        let state = taken
            .map_err(|until| Refused::Until(whole_seconds(until.wait_time_from(self.limiter.clock().now())).max(1)))?;
        Ok(state.remaining_burst_capacity())
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.limiter.len()
    }
}

/// A duration in seconds, rounded up.
pub(super) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// The time that buckets refill by: it never goes back, and stands still for tests whose clock does.
#[derive(Clone, Debug)]
struct Ticks(Option<Instant>);

impl Ticks {
    fn new(clock: Clock) -> Self {
        Self(match clock {
            Clock::System => Some(Instant::now()),
            Clock::Fixed(_) => None,
        })
    }
}

impl governor::clock::Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.map_or(Nanos::new(0), |start| start.elapsed().into())
    }
}
