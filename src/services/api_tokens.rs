//! API tokens: creating and revoking them.

use std::time::Duration;

use serde_json::Value;

use super::{Actor, audit_entry::AuditEntry, validation::check_line};
use crate::{
    auth::ApiTokenSecret,
    db::{api_tokens, users},
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
