//! The `signing_keys` table: the key pairs that sign access tokens.

use sqlx::{FromRow, Row, query, query_as, query_scalar};

use super::{Db, Tx, run};
use crate::{
    error::Result,
    model::{KeyId, Timestamp},
};

/// A stored key pair.
pub struct SigningKey {
    /// The `kid` of the tokens it signs.
    pub kid: KeyId,
    /// The private key, PKCS#8 (RFC 5958), DER.
    pub private_key: Vec<u8>,
    /// The public key, 32 bytes (RFC 8032).
    pub public_key: Vec<u8>,
    pub created_at: Timestamp,
    /// When it was retired. It signs no more tokens; the tokens that it signed are valid until they expire.
    pub retired_at: Option<Timestamp>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

const LIST: &str = "
    select kid, private_key, public_key, created_at, retired_at from signing_keys order by created_at desc, kid desc";

/// All key pairs, newest first.
pub async fn list(db: &Db) -> Result<Vec<SigningKey>> {
    run!(db, connection => query_as::<_, SigningKey>(LIST).fetch_all(connection).await)
}

impl<'r, R: Row> FromRow<'r, R> for SigningKey
where
    usize: sqlx::ColumnIndex<R>,
    KeyId: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    Vec<u8>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    Timestamp: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    Option<Timestamp>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self {
            kid: row.try_get(0)?,
            private_key: row.try_get(1)?,
            public_key: row.try_get(2)?,
            created_at: row.try_get(3)?,
            retired_at: row.try_get(4)?,
        })
    }
}

const INSERT: &str = "
    insert into signing_keys (kid, private_key, public_key, created_at) values ($1, $2, $3, $4)
    on conflict do nothing";

/// Adds a key pair as the active one; `false` if there is an active key pair.
pub async fn insert(tx: &mut Tx, key: &SigningKey, now: Timestamp) -> Result<bool> {
    let done = run!(tx, connection => query(INSERT)
        .bind(key.kid)
        .bind(&key.private_key[..])
        .bind(&key.public_key[..])
        .bind(now)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done > 0)
}

const RETIRE: &str = "update signing_keys set retired_at = $1 where retired_at is null returning kid";

/// Retires the active key pair, if there is one.
pub async fn retire(tx: &mut Tx, now: Timestamp) -> Result<Option<KeyId>> {
    run!(tx, connection => query_scalar::<_, KeyId>(RETIRE).bind(now).fetch_optional(connection).await)
}

/// Deletes the key pairs that were retired before a time. Returns how many.
pub async fn delete_retired(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    run!(tx, connection => query("delete from signing_keys where retired_at < $1")
        .bind(before)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))
}

/// Deletes all key pairs. Returns their ids.
pub async fn delete_all(tx: &mut Tx) -> Result<Vec<KeyId>> {
    run!(tx, connection => query_scalar::<_, KeyId>("delete from signing_keys returning kid").fetch_all(connection).await)
}
