//! The `server_secrets` table: random keys that all instances of a database share.

use sqlx::{query, query_scalar};

use super::{Db, Tx, run};
use crate::{error::Result, model::Timestamp};

/// The secret with this name.
pub async fn find(db: &Db, name: &str) -> Result<Option<Vec<u8>>> {
    run!(db, connection => query_scalar("select value from server_secrets where name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await)
}

const INSERT: &str = "
    insert into server_secrets (name, value, created_at) values ($1, $2, $3) on conflict do nothing";

/// Stores a secret, unless one with this name exists.
pub async fn insert(tx: &mut Tx, name: &str, value: &[u8], now: Timestamp) -> Result<()> {
    run!(tx, connection => query(INSERT)
        .bind(name)
        .bind(value)
        .bind(now)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(())
}
