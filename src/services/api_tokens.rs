//! API tokens: creating and revoking them, and recording their last use.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;

use super::{Actor, Services, audit_entry::AuditEntry, validation::check_line};
use crate::{
    auth::{ApiTokenSecret, Credential, Principal},
    db::{Db, api_tokens, users},
    error::{Error, ErrorCode, Result},
    model::{ApiToken, ApiTokenId, AuditAction, Role, Scope, Scopes, Timestamp},
};

/// The maximum number of characters of a name.
const MAX_NAME: usize = 100;
const DAY: Duration = Duration::from_hours(24);
/// The lifetime of a token without a requested one.
const DEFAULT_LIFETIME: Duration = DAY.saturating_mul(90);
/// The maximum lifetime of a token.
const MAX_LIFETIME: Duration = DAY.saturating_mul(365);
/// The minimum time between two records of the last use of a token, in seconds.
const RECORD_INTERVAL: i64 = 60;

/// A token to create.
#[derive(Debug)]
pub struct NewApiToken {
    pub name: String,
    pub scopes: Vec<Scope>,
    /// In 90 days by default.
    pub expires_at: Option<Timestamp>,
}

/// The lowest role that a scope gives a permission to.
fn lowest_role(scope: Scope) -> Role {
    match scope {
        Scope::Read => Role::Viewer,
        Scope::WriteSessions | Scope::WriteAudit => Role::Analyst,
        Scope::ManageUsers => Role::Admin,
    }
}

/// Creates a token of the actor. This requires a login session: an API token cannot create API tokens.
pub async fn create(actor: Actor<'_>, new: NewApiToken) -> Result<(ApiTokenSecret, ApiToken)> {
    if actor.principal.auth_session().is_none() {
        return Err(Error::new(
            ErrorCode::Forbidden,
            "an API token cannot create API tokens: use the access token of a login session",
        ));
    }
    let now = actor.now();
    let name = name(&new.name)?;
    let scopes = scopes(new.scopes, actor.principal.user.role)?;
    let expires_at = expiry(new.expires_at, now)?;
    let user = &actor.principal.user;
    let token = ApiToken {
        id: ApiTokenId::new(now),
        user_id: user.id,
        name,
        scopes,
        created_at: now,
        expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    let key = ApiTokenSecret::generate()?;
    let scopes: Vec<Value> = token.scopes.iter().map(|scope| scope.as_str().into()).collect();
    let entry = AuditEntry::new(AuditAction::TokenCreated, format!("Made the API token {}", token.name))
        .detail("createdApiToken", token.id.to_string())
        .detail("scopes", scopes)
        .detail("expiresAt", expires_at.to_string());
    let mut tx = actor.db.begin().await?;
    api_tokens::insert(&mut tx, &token, key.hash()).await?;
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok((key, token))
}

fn name(given: &str) -> Result<String> {
    let name = given.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(Error::bad_input("name", format!("the name of an API token has 1 to {MAX_NAME} characters")));
    }
    // The text as given: trimming would remove a line break at its ends.
    check_line("name", Some(given), given.chars().count())?;
    Ok(name.to_owned())
}

fn scopes(given: Vec<Scope>, role: Role) -> Result<Scopes> {
    if given.is_empty() {
        return Err(Error::bad_input("scopes", "an API token needs at least one scope"));
    }
    match given.iter().find(|scope| lowest_role(**scope) > role) {
        None => Ok(Scopes::new(given)),
        Some(scope) => {
            let [scope, role] = [scope.as_str(), lowest_role(*scope).as_str()].map(str::to_uppercase);
            Err(Error::bad_input("scopes", format!("the scope {scope} requires the role {role}")))
        }
    }
}

fn expiry(given: Option<Timestamp>, now: Timestamp) -> Result<Timestamp> {
    match given {
        None => Ok(now.plus(DEFAULT_LIFETIME)),
        Some(at) if at <= now => Err(Error::bad_input("expiresAt", "`expiresAt` is in the past")),
        Some(at) if at > now.plus(MAX_LIFETIME) => {
            Err(Error::bad_input("expiresAt", "`expiresAt` is more than a year from now"))
        }
        Some(at) => Ok(at),
    }
}

/// Revokes a token of the actor; an admin revokes any token. Revoking a revoked token changes nothing.
pub async fn revoke(actor: Actor<'_>, id: ApiTokenId) -> Result<ApiToken> {
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let token = api_tokens::find(&mut tx, id).await?.filter(|token| actor.principal.may_manage(token.user_id));
    let token = token.ok_or_else(|| Error::new(ErrorCode::NotFound, "there is no such API token"))?;
    if !api_tokens::revoke(tx.accounts(), id, now).await? {
        return Ok(token);
    }
    let mut entry = AuditEntry::new(AuditAction::TokenRevoked, format!("Revoked the API token {}", token.name))
        .detail("revokedApiToken", id.to_string());
    if let Some(owner) = users::find_within(&mut tx, token.user_id).await? {
        entry = entry.about(&owner);
    }
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok(ApiToken { revoked_at: Some(now), ..token })
}

/// Remembers the last uses that this instance has recorded, so that most requests write nothing. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct LastUsedRecorder(Arc<Mutex<HashMap<ApiTokenId, Timestamp>>>);

impl LastUsedRecorder {
    /// Returns true if the last recorded use is older than [`RECORD_INTERVAL`], and remembers this one.
    fn is_due(&self, id: ApiTokenId, now: Timestamp) -> bool {
        let since = now.plus_seconds(-RECORD_INTERVAL);
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.get(&id).is_some_and(|at| *at > since) {
            return false;
        }
        recorded.retain(|_, at| *at > since);
        recorded.insert(id, now);
        true
    }
}

impl Services {
    /// Records the use of an API token. The request does not wait for it, and does not fail if it fails.
    pub fn record_token_use(&self, principal: &Principal) {
        let now = self.clock.now();
        if let Some(Credential::ApiToken(id, _)) = principal.authenticated().map(|principal| &principal.credential)
            && self.last_used.is_due(*id, now)
        {
            tokio::spawn(set_last_used(self.db.clone(), *id, now));
        }
    }
}

async fn set_last_used(db: Db, id: ApiTokenId, now: Timestamp) {
    let recorded = async {
        let mut tx = db.begin().await?;
        // Another instance may have recorded a later use.
        api_tokens::set_last_used(&mut tx, id, now, now.plus_seconds(-RECORD_INTERVAL)).await?;
        tx.commit().await
    };
    if let Err(error) = recorded.await {
        tracing::warn!(api_token = %id, error = error.chain(), "the last use of an API token could not be recorded");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_use_is_recorded_once_a_minute() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        let (recorder, one, other) = (LastUsedRecorder::default(), ApiTokenId::new(now), ApiTokenId::new(now));
        let due = [(one, 0), (one, 59), (other, 59), (one, 60), (one, 119), (one, 120)];
        let due = due.map(|(id, seconds)| recorder.is_due(id, now.plus_seconds(seconds)));
        assert_eq!(due, [true, false, true, true, false, true]);
        assert_eq!(recorder.0.lock().expect("a lock").len(), 1, "{other} is removed");
    }
}
