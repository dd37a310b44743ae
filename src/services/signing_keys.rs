//! The key pairs that sign access tokens: the first one of a database, and the published public keys.

use crate::{
    auth::{self, AccessTokens},
    clock::Clock,
    db::{Db, signing_keys},
    error::Result,
    model::Timestamp,
};

/// Creates a key pair, unless the database has an active one.
pub(super) async fn ensure(db: &Db, clock: Clock) -> Result<()> {
    if signing_keys::list(db).await?.iter().any(|key| key.retired_at.is_none()) {
        return Ok(());
    }
    // When two instances do this concurrently, the database keeps the first key.
    let key = auth::new_signing_key(clock.now())?;
    let mut tx = db.begin().await?;
    signing_keys::insert(&mut tx, &key, clock.now()).await?;
    tx.commit().await
}

/// The public keys that verify access tokens, the active one first.
pub async fn public_keys(access_tokens: &AccessTokens, now: Timestamp) -> Result<Vec<auth::PublicKey>> {
    access_tokens.refresh_keys(now).await?;
    Ok(access_tokens.public_keys(now))
}
