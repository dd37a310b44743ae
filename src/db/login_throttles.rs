//! The `login_throttles` table: counts of failed logins. `services::login_throttle` defines the keys and the limits.

use sqlx::{query, query_as};

use super::{Tx, run};
use crate::{error::Result, model::Timestamp};

/// The failures that are counted together. An empty part matches any value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub account: String,
    pub network: String,
}

/// The number of failures, and when it was last updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub failures: i64,
    pub counted_at: Timestamp,
}

const LOCK: &str = "
    insert into login_throttles (account, network, failures, counted_at) values ($1, $2, 0, $3)
    on conflict (account, network) do update set failures = login_throttles.failures
    returning failures, counted_at";

/// The count, locked until the transaction ends.
pub async fn lock(tx: &mut Tx, key: &Key, now: Timestamp) -> Result<Count> {
    let found = run!(tx, connection => query_as::<_, (i64, Timestamp)>(LOCK)
        .bind(&key.account)
        .bind(&key.network)
        .bind(now)
        .fetch_optional(connection)
        .await)?;
    let (failures, counted_at) = found.unwrap_or((0, now));
    Ok(Count { failures, counted_at })
}

const UPDATE: &str = "update login_throttles set failures = $3, counted_at = $4 where account = $1 and network = $2";

/// Updates a locked count.
pub async fn update(tx: &mut Tx, key: &Key, count: Count) -> Result<()> {
    run!(tx, connection => query(UPDATE)
        .bind(&key.account)
        .bind(&key.network)
        .bind(count.failures)
        .bind(count.counted_at)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(())
}

const DECREMENT: &str = "
    update login_throttles set failures = failures - 1 where account = $1 and network = $2 and failures > 0";

/// Decrements the count.
pub async fn decrement(tx: &mut Tx, key: &Key) -> Result<()> {
    run!(tx, connection => query(DECREMENT)
        .bind(&key.account)
        .bind(&key.network)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(())
}

/// Deletes one count.
pub async fn delete(tx: &mut Tx, key: &Key) -> Result<u64> {
    run!(tx, connection => query("delete from login_throttles where account = $1 and network = $2")
        .bind(&key.account)
        .bind(&key.network)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}

/// Deletes the counts of an account in all networks. Returns how many.
pub async fn delete_all_of_account(tx: &mut Tx, account: &str) -> Result<u64> {
    run!(tx, connection => query("delete from login_throttles where account = $1")
        .bind(account)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}

/// Deletes the counts that were last updated before a time. Returns how many.
pub async fn delete_old(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    run!(tx, connection => query("delete from login_throttles where counted_at < $1")
        .bind(before)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}
