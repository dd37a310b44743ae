//! The `known_networks` table: the networks that each user has logged in from.

use sqlx::{query, query_scalar};

use super::{Db, Tx, run};
use crate::{
    error::Result,
    model::{Timestamp, UserId},
};

const CONTAINS: &str = "
    select exists (select 1 from known_networks where user_id = $1 and network = $2 and last_login_at >= $3)";

/// Returns true if the user has logged in from this network since a time.
pub async fn contains(db: &Db, user: UserId, network: &str, since: Timestamp) -> Result<bool> {
    run!(db, connection => query_scalar(CONTAINS).bind(user).bind(network).bind(since).fetch_one(connection).await)
}

const UPSERT: &str = "
    insert into known_networks (user_id, network, last_login_at) values ($1, $2, $3)
    on conflict (user_id, network) do update set last_login_at = excluded.last_login_at";

/// Records a login from this network.
pub async fn upsert(tx: &mut Tx, user: UserId, network: &str, now: Timestamp) -> Result<()> {
    run!(tx, connection => query(UPSERT)
        .bind(user)
        .bind(network)
        .bind(now)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(())
}

const PRUNE: &str = "
    delete from known_networks where user_id = $1 and (last_login_at < $2 or network not in (
        select network from known_networks where user_id = $1 order by last_login_at desc, network limit $3))";

/// Deletes the user's networks without a login since a time, and all but the `keep` newest ones.
pub async fn prune(tx: &mut Tx, user: UserId, since: Timestamp, keep: i64) -> Result<u64> {
    run!(tx, connection => query(PRUNE)
        .bind(user)
        .bind(since)
        .bind(keep)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}
