//! The key pairs that sign access tokens: the first one, and the change to a new one.

use super::{
    Services,
    audit::{By, Entry},
};
use crate::{
    auth::{self, KEPT_AFTER_RETIREMENT},
    clock::Clock,
    db::{Db, signing_keys},
    error::{Code, Error, Result},
    model::{AuditAction, KeyId},
};

/// What a rotation did.
#[derive(Debug)]
pub struct Rotated {
    /// The key that signs from here on.
    pub active: KeyId,
    /// The key that did before; none in a database that was never served.
    pub retired: Option<KeyId>,
    /// How many keys were deleted that nothing needs any more.
    pub deleted: u64,
}

/// Makes the first key pair of a database, unless it has one.
pub(super) async fn ensure(db: &Db, clock: Clock) -> Result<()> {
    if signing_keys::list(db).await?.iter().any(|key| key.retired_at.is_none()) {
        return Ok(());
    }
    // When two instances do this at once, the database keeps the first one's key.
    let key = auth::new_signing_key(clock.now())?;
    let mut tx = db.begin().await?;
    signing_keys::insert(&mut tx, &key, clock.now()).await?;
    tx.commit().await
}

/// Puts a new key pair in the place of the active one. What the old one signed holds until it expires; keys whose tokens
/// have all expired long ago are deleted.
pub async fn rotate(db: &Db, clock: Clock) -> Result<Rotated> {
    let now = clock.now();
    let key = auth::new_signing_key(now)?;
    let mut tx = db.begin().await?;
    let deleted = signing_keys::delete_retired(&mut tx, now.plus_seconds(-KEPT_AFTER_RETIREMENT)).await?;
    let retired = signing_keys::retire(&mut tx, now).await?;
    if !signing_keys::insert(&mut tx, &key, now).await? {
        return Err(Error::new(Code::Conflict, "somebody else is rotating the keys at this moment"));
    }
    let mut entry = Entry::new(AuditAction::ConfigChanged, "Changed the key that signs access tokens")
        .detail("activeKey", key.kid.to_string())
        .detail("deletedKeys", deleted);
    if let Some(retired) = retired {
        entry = entry.detail("retiredKey", retired.to_string());
    }
    entry.record(&mut tx, By::the_system(), now).await?;
    tx.commit().await?;
    Ok(Rotated { active: key.kid, retired, deleted })
}

impl Services {
    /// The public keys of access tokens, the active one first.
    pub async fn public_keys(&self) -> Result<Vec<auth::PublicKey>> {
        let now = self.clock.now();
        self.tokens.renew(&self.db, now).await?;
        Ok(self.tokens.public_keys(now))
    }
}
