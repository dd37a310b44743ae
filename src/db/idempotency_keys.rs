//! The `idempotency_keys` table: the requests that must not be executed again, and their responses.

use sqlx::{query, query_as, query_scalar};

use super::{Db, Tx, run};
use crate::{
    error::Result,
    model::{Timestamp, UserId},
};

/// A user's idempotency key, as the hash of the client's key.
#[derive(Clone, Debug)]
pub struct UserKey {
    pub user: UserId,
    pub key: String,
}

/// The stored request of a key.
#[derive(Debug)]
pub struct StoredRequest {
    pub request_hash: Vec<u8>,
    pub created_at: Timestamp,
    /// `None` while the request is in progress, and after it was aborted.
    pub response: Option<String>,
}

const INSERT: &str = "
    insert into idempotency_keys (user_id, key, request_hash, created_at) values ($1, $2, $3, $4)
    on conflict do nothing";

/// Claims a key; `false` if it is claimed. Of concurrent calls one succeeds.
pub async fn insert(tx: &mut Tx, of: &UserKey, request_hash: &[u8], now: Timestamp) -> Result<bool> {
    let done = run!(tx, connection => query(INSERT)
        .bind(of.user)
        .bind(&of.key)
        .bind(request_hash)
        .bind(now)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}

const FIND: &str = "select request_hash, created_at, answer from idempotency_keys where user_id = $1 and key = $2";

/// The stored request of a key.
pub async fn find(tx: &mut Tx, of: &UserKey) -> Result<Option<StoredRequest>> {
    let found = run!(tx, connection => query_as::<_, (Vec<u8>, Timestamp, Option<String>)>(FIND)
        .bind(of.user)
        .bind(&of.key)
        .fetch_optional(connection)
        .await)?;
    Ok(found.map(|(request_hash, created_at, response)| StoredRequest { request_hash, created_at, response }))
}

const SET_RESPONSE: &str = "update idempotency_keys set answer = $3 where user_id = $1 and key = $2";

/// Stores the response.
pub async fn set_response(tx: &mut Tx, of: &UserKey, response: &str) -> Result<()> {
    run!(tx, connection => query(SET_RESPONSE)
        .bind(of.user)
        .bind(&of.key)
        .bind(response)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(())
}

/// Releases a key.
pub async fn delete(tx: &mut Tx, of: &UserKey) -> Result<()> {
    run!(tx, connection => query("delete from idempotency_keys where user_id = $1 and key = $2")
        .bind(of.user)
        .bind(&of.key)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(())
}

const DELETE_IF_EXPIRED: &str = "delete from idempotency_keys where user_id = $1 and key = $2 and created_at <= $3";

/// Releases an expired key.
pub async fn delete_if_expired(tx: &mut Tx, of: &UserKey, until: Timestamp) -> Result<()> {
    run!(tx, connection => query(DELETE_IF_EXPIRED)
        .bind(of.user)
        .bind(&of.key)
        .bind(until)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(())
}

/// Deletes all expired keys. Returns how many.
pub async fn delete_expired(tx: &mut Tx, until: Timestamp) -> Result<u64> {
    run!(tx, connection => query("delete from idempotency_keys where created_at <= $1")
        .bind(until)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}

/// The number of stored keys.
pub async fn count(db: &Db) -> Result<i64> {
    run!(db, connection => query_scalar("select count(*) from idempotency_keys").fetch_one(connection).await)
}
