//! The `refresh_tokens` table: which refresh tokens were issued and which were used, by their hashes.

use sqlx::{query, query_as, query_scalar};

use super::{Tx, run};
use crate::{
    error::Result,
    model::{AuthSessionId, Timestamp},
};

/// The SHA-256 of a token.
pub type TokenHash = [u8; 32];

const INSERT: &str = "insert into refresh_tokens (token_hash, auth_session_id, created_at) values ($1, $2, $3)";

/// Adds a token that is not used yet.
pub async fn insert(tx: &mut Tx, hash: TokenHash, session: AuthSessionId, now: Timestamp) -> Result<()> {
    run!(tx, connection => query(INSERT)
        .bind(&hash[..])
        .bind(session)
        .bind(now)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(())
}

const TAKE: &str = "
    update refresh_tokens set used_at = $2 where token_hash = $1 and used_at is null returning auth_session_id";

/// Uses a token: of many that try at once, one gets its auth session. `None` when it is unknown or used.
pub async fn take(tx: &mut Tx, hash: TokenHash, now: Timestamp) -> Result<Option<AuthSessionId>> {
    run!(tx, connection => query_scalar::<_, AuthSessionId>(TAKE)
        .bind(&hash[..])
        .bind(now)
        .fetch_optional(connection)
        .await)
}

const FIND: &str = "select auth_session_id, used_at from refresh_tokens where token_hash = $1";

/// Whose token it is, and when it was used if it was.
pub async fn find(tx: &mut Tx, hash: TokenHash) -> Result<Option<(AuthSessionId, Option<Timestamp>)>> {
    run!(tx, connection => query_as::<_, (AuthSessionId, Option<Timestamp>)>(FIND)
        .bind(&hash[..])
        .fetch_optional(connection)
        .await)
}
