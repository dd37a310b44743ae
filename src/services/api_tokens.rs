//! API tokens: making and revoking them, and noting that they are used.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;

use super::{Actor, Services, audit::Entry, text::check_line};
use crate::{
    auth::{self, ApiTokenSecret, Credential, Principal},
    db::{Db, api_tokens, users},
    error::{Error, ErrorCode, Result},
    model::{ApiToken, ApiTokenId, AuditAction, Role, Scope, Scopes, Timestamp},
};

/// Characters of a name.
const MAX_NAME: usize = 100;
const DAY: Duration = Duration::from_hours(24);
/// How long a token holds when nothing is said.
const DEFAULT_LIFETIME: Duration = DAY.saturating_mul(90);
/// How long a token may hold.
const MAX_LIFETIME: Duration = DAY.saturating_mul(365);
/// How often the use of a token is noted, in seconds.
const NOTED_EVERY: i64 = 60;

/// What somebody wants a token for.
#[derive(Debug)]
pub struct Wanted {
    pub name: String,
    pub scopes: Vec<Scope>,
    /// In 90 days, when nothing is said.
    pub expires_at: Option<Timestamp>,
}

/// The least role in which a scope is good for anything of its own.
fn least_role(scope: Scope) -> Role {
    match scope {
        Scope::Read => Role::Viewer,
        Scope::WriteSessions | Scope::WriteAudit => Role::Analyst,
        Scope::ManageUsers => Role::Admin,
    }
}

/// Makes a token of the caller's, who has to be logged in: a token makes no tokens.
pub async fn create(actor: Actor<'_>, wanted: Wanted) -> Result<(ApiTokenSecret, ApiToken)> {
    if actor.principal.auth_session().is_none() {
        return Err(Error::new(ErrorCode::Forbidden, "only a login can make an API token"));
    }
    let now = actor.now();
    let name = name(&wanted.name)?;
    let scopes = scopes(wanted.scopes, actor.principal.user.role)?;
    let expires_at = expiry(wanted.expires_at, now)?;
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
    let words: Vec<Value> = token.scopes.iter().map(|scope| scope.as_str().into()).collect();
    let entry = Entry::new(AuditAction::TokenCreated, format!("Made the API token {}", token.name))
        .detail("createdApiToken", token.id.to_string())
        .detail("scopes", words)
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
        return Err(Error::bad_input("name", format!("a name has 1 to {MAX_NAME} characters")));
    }
    // Before its ends are trimmed, or a line break there would go unseen.
    check_line("name", Some(given), given.chars().count())?;
    Ok(name.to_owned())
}

fn scopes(given: Vec<Scope>, role: Role) -> Result<Scopes> {
    if given.is_empty() {
        return Err(Error::bad_input("scopes", "a token needs at least one scope"));
    }
    match given.iter().find(|scope| least_role(**scope) > role) {
        None => Ok(Scopes::new(given)),
        Some(scope) => {
            let [scope, role] = [scope.as_str(), least_role(*scope).as_str()].map(str::to_uppercase);
            Err(Error::bad_input("scopes", format!("the scope {scope} takes the role {role}")))
        }
    }
}

fn expiry(given: Option<Timestamp>, now: Timestamp) -> Result<Timestamp> {
    match given {
        None => Ok(now.plus(DEFAULT_LIFETIME)),
        Some(at) if at <= now => Err(Error::bad_input("expiresAt", "it lies in the past")),
        Some(at) if at > now.plus(MAX_LIFETIME) => {
            Err(Error::bad_input("expiresAt", "a token holds for a year at most"))
        }
        Some(at) => Ok(at),
    }
}

/// Revokes a token: the caller's own, or anybody's for an admin. To revoke one that is revoked already changes nothing.
pub async fn revoke(actor: Actor<'_>, id: ApiTokenId) -> Result<ApiToken> {
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let token = api_tokens::find(&mut tx, id).await?.filter(|token| actor.may_manage(token.user_id));
    let token = token.ok_or_else(|| Error::new(ErrorCode::NotFound, "there is no such API token"))?;
    if !api_tokens::revoke(tx.accounts(), id, now).await? {
        return Ok(token);
    }
    let mut entry = Entry::new(AuditAction::TokenRevoked, format!("Revoked the API token {}", token.name))
        .detail("revokedApiToken", id.to_string());
    if let Some(owner) = users::find_within(&mut tx, token.user_id).await? {
        entry = entry.about(&owner);
    }
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok(ApiToken { revoked_at: Some(now), ..token })
}

/// Which tokens this instance has lately noted the use of, so that most requests write nothing.
#[derive(Clone, Debug, Default)]
pub struct LastUsedRecorder(Arc<Mutex<HashMap<ApiTokenId, Timestamp>>>);

impl LastUsedRecorder {
    /// Whether it is time to note this use.
    fn is_due(&self, id: ApiTokenId, now: Timestamp) -> bool {
        let since = now.plus_seconds(-NOTED_EVERY);
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&id).is_some_and(|at| *at > since) {
            return false;
        }
        noted.retain(|_, at| *at > since);
        noted.insert(id, now);
        true
    }
}

impl Services {
    /// Who sends a request with this `Authorization` header. When it is a token for scripts its use is noted, which the
    /// request does not wait for: it must not fail or slow down because of a note.
    pub async fn authenticate(&self, db: &Db, header: Option<&str>) -> Result<Principal> {
        let force = self.limits.accounts.force_password_change;
        let principal =
            auth::authenticate(db, &self.access_tokens, &self.auth_cache, self.clock, header, force).await?;
        let now = self.clock.now();
        if let Some(Credential::ApiToken(id, _)) = principal.authenticated().map(|principal| &principal.credential)
            && self.last_used.is_due(*id, now)
        {
            tokio::spawn(note_use(self.db.clone(), *id, now));
        }
        Ok(principal)
    }
}

async fn note_use(db: Db, id: ApiTokenId, now: Timestamp) {
    let noted = async {
        let mut tx = db.begin().await?;
        // Another instance may have noted it.
        api_tokens::set_last_used(&mut tx, id, now, now.plus_seconds(-NOTED_EVERY)).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        tracing::warn!(api_token = %id, error = error.chain(), "the use of a token could not be noted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_noted_once_a_minute_and_forgotten_after() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        let (uses, one, other) = (LastUsedRecorder::default(), ApiTokenId::new(now), ApiTokenId::new(now));
        let due = [(one, 0), (one, 59), (other, 59), (one, 60), (one, 119), (one, 120)];
        let due = due.map(|(id, seconds)| uses.is_due(id, now.plus_seconds(seconds)));
        assert_eq!(due, [true, false, true, true, false, true]);
        assert_eq!(uses.0.lock().expect("a lock").len(), 1, "{other} is forgotten");
    }
}
