//! The `refresh_tokens` table: issued refresh tokens and their use, by their hashes.

use sqlx::{query, query_as, query_scalar};

use super::{Tx, run};
use crate::{
    error::Result,
    model::{AuthSessionId, Timestamp},
};

/// The SHA-256 of a token.
pub type TokenHash = [u8; 32];

const INSERT: &str = "insert into refresh_tokens (token_hash, auth_session_id, created_at) values ($1, $2, $3)";

/// Adds an unused token.
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

const CONSUME: &str = "
    update refresh_tokens set used_at = $2 where token_hash = $1 and used_at is null returning auth_session_id";

/// Marks a token as used and returns its login session. `None` if the token is unknown or used; of concurrent calls one
/// succeeds.
pub async fn consume(tx: &mut Tx, hash: TokenHash, now: Timestamp) -> Result<Option<AuthSessionId>> {
    run!(tx, connection => query_scalar::<_, AuthSessionId>(CONSUME)
        .bind(&hash[..])
        .bind(now)
        .fetch_optional(connection)
        .await)
}

const FIND: &str = "select auth_session_id, used_at from refresh_tokens where token_hash = $1";

/// The login session of a token, and when the token was used.
pub async fn find(tx: &mut Tx, hash: TokenHash) -> Result<Option<(AuthSessionId, Option<Timestamp>)>> {
    run!(tx, connection => query_as::<_, (AuthSessionId, Option<Timestamp>)>(FIND)
        .bind(&hash[..])
        .fetch_optional(connection)
        .await)
}
