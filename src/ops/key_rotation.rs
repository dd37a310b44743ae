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

/// What a rotation does with the earlier keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlierKeys {
    /// Their tokens stay valid until they expire.
    Retire,
    /// Their tokens are rejected, because the keys may have leaked.
    Revoke,
}

/// The result of a rotation.
#[derive(Debug)]
pub struct Rotation {
    /// The new key, which signs from now on.
    pub active: KeyId,
    /// The previous key, whose tokens stay valid until they expire; `None` if it was revoked or there was none.
    pub retired: Option<KeyId>,
    /// The keys whose tokens are rejected from now on.
    pub revoked: Vec<KeyId>,
    /// The number of deleted keys whose tokens have all expired.
    pub deleted: u64,
}

/// Replaces the active key pair by a new one, and deletes keys whose tokens have expired. Revoked keys are deleted too, as only
/// keys in the database are accepted.
pub async fn rotate(db: &Db, clock: Clock, earlier: EarlierKeys, operator: Option<&Operator>) -> Result<Rotation> {
    let now = clock.now();
    let key = auth::new_signing_key(now)?;
    let mut tx = db.begin().await?;
    let deleted = signing_keys::delete_retired(&mut tx, now.plus_seconds(-ACCEPTED_AFTER_RETIREMENT)).await?;
    let (retired, revoked) = match earlier {
        EarlierKeys::Retire => (signing_keys::retire(&mut tx, now).await?, Vec::new()),
        EarlierKeys::Revoke => (None, signing_keys::delete_all(&mut tx).await?),
    };
    if !signing_keys::insert(&mut tx, &key, now).await? {
        return Err(Error::new(ErrorCode::Conflict, "another process is rotating the keys: try again"));
    }
    let description = match earlier {
        EarlierKeys::Retire => "Rotated the key that signs access tokens",
        EarlierKeys::Revoke => "Rotated the key that signs access tokens and revoked the earlier keys",
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
    Ok(Rotation { active: key.kid, retired, revoked, deleted })
}
