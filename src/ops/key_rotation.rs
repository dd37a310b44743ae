//! Rotation of the key pairs that sign access tokens.

use serde_json::Value;

use crate::{
    auth::{self, ACCEPTED_AFTER_RETIREMENT},
    clock::Clock,
    db::{Db, signing_keys},
    error::{Error, ErrorCode, Result},
    model::{AuditAction, KeyId},
    services::audit_entry::{Attribution, AuditEntry, Operator},
};

/// What a rotation does with the keys that there were before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlierKeys {
    /// What they signed holds until it expires.
    Retire,
    /// What they signed is refused, because somebody else may have them.
    Revoke,
}

/// What a rotation did.
#[derive(Debug)]
pub struct Rotated {
    /// The key that signs from here on.
    pub active: KeyId,
    /// The key that did before, whose tokens hold until they expire; none when it was revoked, and in a database that was
    /// never served.
    pub retired: Option<KeyId>,
    /// The keys whose tokens are refused from now on.
    pub revoked: Vec<KeyId>,
    /// How many keys were deleted that nothing needs any more.
    pub deleted: u64,
}

/// Puts a new key pair in the place of the active one, and deletes those that no longer count. Revoked keys are deleted
/// too: what nobody finds in the database is not accepted.
pub async fn rotate(db: &Db, clock: Clock, earlier: EarlierKeys, operator: Option<&Operator>) -> Result<Rotated> {
    let now = clock.now();
    let key = auth::new_signing_key(now)?;
    let mut tx = db.begin().await?;
    let deleted = signing_keys::delete_retired(&mut tx, now.plus_seconds(-ACCEPTED_AFTER_RETIREMENT)).await?;
    let (retired, revoked) = match earlier {
        EarlierKeys::Retire => (signing_keys::retire(&mut tx, now).await?, Vec::new()),
        EarlierKeys::Revoke => (None, signing_keys::delete_all(&mut tx).await?),
    };
    if !signing_keys::insert(&mut tx, &key, now).await? {
        return Err(Error::new(ErrorCode::Conflict, "somebody else is rotating the keys at this moment"));
    }
    let description = match earlier {
        EarlierKeys::Retire => "Changed the key that signs access tokens",
        EarlierKeys::Revoke => "Changed the key that signs access tokens and revoked the earlier ones",
    };
    let mut entry = AuditEntry::new(AuditAction::ConfigChanged, description)
        .detail("activeKey", key.kid.to_string())
        .detail("deletedKeys", deleted);
    if let Some(retired) = retired {
        entry = entry.detail("retiredKey", retired.to_string());
    }
    if earlier == EarlierKeys::Revoke {
        let kids: Vec<Value> = revoked.iter().map(|kid| kid.to_string().into()).collect();
        entry = entry.detail("revokedKeys", kids);
    }
    entry.record(&mut tx, Attribution::command(operator), now).await?;
    tx.commit().await?;
    Ok(Rotated { active: key.kid, retired, revoked, deleted })
}
