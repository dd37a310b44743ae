//! The `login_throttles` table: failed logins in a row, per account and per network.

use sqlx::{query, query_as, query_scalar};

use super::{Db, Tx, on, on_tx};
use crate::{error::Result, model::Timestamp};

/// Whose failures are counted. An empty part stands for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub account: String,
    pub network: String,
}

const BLOCKED_UNTIL: &str = "
    select max(blocked_until) from login_throttles
    where (account = $1 and network = $2) or (account = '' and network = $3)";

/// Until when an account's logins, or a network's, are refused; `None` when nothing is known of either.
pub async fn blocked_until(db: &Db, account: &Key, network: &Key) -> Result<Option<Timestamp>> {
    let found: (Option<Timestamp>,) = on!(db, connection => query_as(BLOCKED_UNTIL)
        .bind(&account.account)
        .bind(&account.network)
        .bind(&network.network)
        .fetch_one(connection)
        .await)?;
    Ok(found.0)
}

const COUNT: &str = "
    insert into login_throttles (account, network, failures, last_failure_at, blocked_until)
    values ($1, $2, 1, $3, $3)
    on conflict (account, network) do update set
        failures = case when login_throttles.last_failure_at < $4 then 1 else login_throttles.failures + 1 end,
        last_failure_at = excluded.last_failure_at
    returning failures";

/// Counts a failure; those before `since` no longer count. How many there are now in a row.
pub async fn count(tx: &mut Tx, key: &Key, now: Timestamp, since: Timestamp) -> Result<i64> {
    on_tx!(tx, connection => query_scalar::<_, i64>(COUNT)
        .bind(&key.account)
        .bind(&key.network)
        .bind(now)
        .bind(since)
        .fetch_one(connection)
        .await)
}

const BLOCK: &str = "update login_throttles set blocked_until = $3 where account = $1 and network = $2";

/// Refuses the key's logins until then.
pub async fn block(tx: &mut Tx, key: &Key, until: Timestamp) -> Result<()> {
    on_tx!(tx, connection => query(BLOCK)
        .bind(&key.account)
        .bind(&key.network)
        .bind(until)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(())
}

/// Forgets the failures of an account, wherever they came from; how many rows there were.
pub async fn clear(tx: &mut Tx, account: &str) -> Result<u64> {
    on_tx!(tx, connection => query("delete from login_throttles where account = $1")
        .bind(account)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}

/// Forgets what last failed before a time.
pub async fn delete_old(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    on_tx!(tx, connection => query("delete from login_throttles where last_failure_at < $1")
        .bind(before)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}
