//! One login attempt, from its count to its success.

use super::{
    counters::{Counter, counters_of},
    limit::Limit,
};
use crate::{
    db::{
        Db, Tx,
        login_throttles::{self, Count},
    },
    error::{Error, Result},
    model::User,
    services::{Client, Services},
};

/// A counter is deleted after this time without an attempt, in seconds.
const RETENTION: i64 = 90 * 24 * 60 * 60;

/// A login attempt, counted as failed until it succeeds.
#[derive(Debug)]
pub struct LoginAttempt {
    counters: Vec<Counter>,
    /// True if the attempt fails whatever the password is, because a limit that must not be revealed is exceeded.
    pub refused: bool,
}

impl LoginAttempt {
    /// Counts an attempt. The error is `RATE_LIMITED` with the waiting time if a revealed limit is exceeded.
    pub async fn begin(
        services: &Services,
        db: &Db,
        client: &Client,
        login: &str,
        user: Option<&User>,
    ) -> Result<Self> {
        let now = services.clock.now();
        // The attempt holds a permit to hash, which must not wait for other statements of the principal.
        let db = &db.unlimited();
        let counters = counters_of(services, db, client, login, user).await?;
        let mut tx = db.begin().await?;
        login_throttles::delete_old(&mut tx, now.plus_seconds(-RETENTION)).await?;
        // All attempts lock in the same order, which prevents deadlocks.
        let mut counts = Vec::new();
        for counter in &counters {
            counts.push(counter.limit.drained(login_throttles::lock(&mut tx, &counter.key, now).await?, now));
        }
        let blocked_until =
            |counter: &Counter, count: &Count| counter.limit.blocked_until(*count).filter(|until| *until > now);
        let revealed = counters.iter().zip(&counts).filter(|(counter, _)| counter.is_revealed);
        if let Some(until) = revealed.filter_map(|(counter, count)| blocked_until(counter, count)).max() {
            let seconds = u64::try_from((until.micros() - now.micros()).div_euclid(1_000_000) + 1).unwrap_or(1);
            return Err(Error::rate_limited(format!("too many failed logins: try again in {seconds} s"), seconds));
        }
        let mut refused = false;
        for (counter, count) in counters.iter().zip(counts) {
            // Attempts during a back-off do not prolong it.
            let is_blocked = blocked_until(counter, &count).is_some();
            let after = if is_blocked { count } else { counter.limit.increment(count, now) };
            login_throttles::update(&mut tx, &counter.key, after).await?;
            refused |= is_blocked;
        }
        tx.commit().await?;
        Ok(Self { counters, refused })
    }

    /// As [`succeeded`](Self::succeeded) in a transaction of its own: the password was correct, but the request failed.
    pub async fn withdraw(&self, db: &Db) -> Result<()> {
        let mut tx = db.begin().await?;
        self.succeeded(&mut tx).await?;
        tx.commit().await
    }

    /// Takes the attempt back and clears its counters of the name and the account.
    pub async fn succeeded(&self, tx: &mut Tx) -> Result<()> {
        for counter in &self.counters {
            match counter.limit {
                Limit::Drain { .. } => login_throttles::decrement(tx, &counter.key).await?,
                Limit::Backoff { .. } | Limit::Lockout { .. } => {
                    login_throttles::delete(tx, &counter.key).await.map(drop)?;
                }
            }
        }
        Ok(())
    }
}
