//! Login sessions: beginning them, refreshing their tokens, ending them.

use std::sync::Arc;

use super::{
    Actor, Client, Services,
    audit_entry::{Attribution, AuditEntry},
};
use crate::{
    auth::{AccessToken, AccessTokenClaims, Authenticated, Credential, RefreshToken},
    db::{Db, Tx, auth_sessions, refresh_tokens, users},
    error::{Error, ErrorCode, Result},
    model::{AuditAction, AuthSession, AuthSessionId, Timestamp, User, UserId},
};

/// The seconds for which a used refresh token still gives its successor: browser tabs refresh concurrently, and responses
/// get lost.
const REUSE_INTERVAL: i64 = 10;
/// The days for which an ended login session is stored.
const RETENTION_DAYS: u64 = 30;
const DAY: u64 = 24 * 60 * 60 * 1_000_000;

/// The tokens that a login or a refresh issues.
#[derive(Debug)]
pub struct IssuedTokens {
    pub user: Arc<User>,
    pub auth_session: AuthSessionId,
    pub access_token: AccessToken,
    pub refresh_token: RefreshToken,
    /// True if another person chose the password.
    pub password_change_required: bool,
}

impl IssuedTokens {
    /// The principal of the tokens, on a server that may require a new password first.
    #[must_use]
    pub fn authenticated(&self, force_password_change: bool) -> Authenticated {
        Authenticated {
            user: Arc::clone(&self.user),
            credential: Credential::AuthSession(self.auth_session),
            must_change_password: force_password_change && self.password_change_required,
        }
    }
}

/// Begins a login session of a user whose password was correct.
pub(super) async fn begin(
    services: &Services,
    tx: &mut Tx,
    client: &Client,
    user: Arc<User>,
    now: Timestamp,
) -> Result<IssuedTokens> {
    auth_sessions::delete_expired(tx, user.id, now.minus_micros(RETENTION_DAYS * DAY)).await?;
    let session = AuthSession {
        id: AuthSessionId::new(now),
        user_id: user.id,
        created_at: now,
        last_used_at: now,
        expires_at: now.plus(services.limits.accounts.login_lifetime),
        ip_address: client.ip_address.clone(),
        user_agent: client.user_agent.clone(),
        revoked_at: None,
    };
    let (refresh_token, successor_key) = RefreshToken::generate()?;
    auth_sessions::insert(tx, &session, &successor_key).await?;
    refresh_tokens::insert(tx, refresh_token.hash(), session.id, now).await?;
    issue(services, user, &session, refresh_token, now)
}

fn issue(
    services: &Services,
    user: Arc<User>,
    session: &AuthSession,
    refresh_token: RefreshToken,
    now: Timestamp,
) -> Result<IssuedTokens> {
    let claims = AccessTokenClaims { user: user.id, auth_session: session.id };
    Ok(IssuedTokens {
        auth_session: session.id,
        access_token: services.access_tokens.issue(claims, session.expires_at, now)?,
        refresh_token,
        password_change_required: false,
        user,
    })
}

/// Exchanges a refresh token for its successor and a new access token.
///
/// The same token gives the same successor for ten seconds. A use after that, or after a use of the successor, shows that the
/// token was copied: the login session ends, which is recorded (RFC 9700, section 4.14.2).
pub async fn refresh(services: &Services, db: &Db, client: &Client, token: RefreshToken) -> Result<IssuedTokens> {
    let now = services.clock.now();
    services.access_tokens.refresh_keys(now).await?;
    let mut tx = db.begin().await?;
    let first_use = refresh_tokens::consume(&mut tx, token.hash(), now).await?;
    let id = match first_use {
        Some(id) => id,
        None => match refresh_tokens::find(&mut tx, token.hash()).await? {
            Some((id, Some(used_at))) if now <= used_at.plus_seconds(REUSE_INTERVAL) => id,
            Some((id, _)) => return Err(end_reused(tx, id, client, now).await?),
            None => return Err(invalid_refresh_token()),
        },
    };
    let session = auth_sessions::find(&mut tx, id).await?.ok_or_else(invalid_refresh_token)?;
    let idle = now > session.last_used_at.plus(services.limits.accounts.login_idle);
    if session.revoked_at.is_some() || now >= session.expires_at || idle {
        return Err(invalid_refresh_token());
    }
    let user = users::find_within(&mut tx, session.user_id)
        .await?
        .filter(|user| user.is_active)
        .ok_or_else(invalid_refresh_token)?;
    services.write_limiter.charge_login(&user)?;
    let key = auth_sessions::successor_key(&mut tx, id).await?.ok_or_else(invalid_refresh_token)?;
    let successor = token.successor(&key);
    if first_use.is_some() {
        refresh_tokens::insert(&mut tx, successor.hash(), id, now).await?;
        auth_sessions::set_last_used(&mut tx, id, now).await?;
    } else if !matches!(refresh_tokens::find(&mut tx, successor.hash()).await?, Some((_, None))) {
        return Err(end_reused(tx, id, client, now).await?);
    }
    let change_required = users::password_change_required(&mut tx, user.id).await?;
    tx.commit().await?;
    let issued = issue(services, Arc::new(user), &session, successor, now)?;
    Ok(IssuedTokens { password_change_required: change_required, ..issued })
}

/// Ends the login session of a copied refresh token.
async fn end_reused(mut tx: Tx, id: AuthSessionId, client: &Client, now: Timestamp) -> Result<Error> {
    if auth_sessions::revoke(tx.accounts(), id, now).await? {
        let session = auth_sessions::find(&mut tx, id).await?;
        let user = match &session {
            Some(session) => users::find_within(&mut tx, session.user_id).await?,
            None => None,
        };
        AuditEntry::new(AuditAction::TokenReuse, "Ended a login session whose refresh token was used twice")
            .failed()
            .detail("authSession", id.to_string())
            .record(&mut tx, Attribution::client(user.as_ref(), client), now)
            .await?;
        tx.commit().await?;
    }
    Ok(invalid_refresh_token())
}

fn invalid_refresh_token() -> Error {
    Error::new(ErrorCode::Unauthenticated, "the refresh token is invalid, expired or revoked: log in again")
}

/// Ends the login session of the actor.
pub async fn logout(actor: Actor<'_>) -> Result<()> {
    let id = actor
        .principal
        .auth_session()
        .ok_or_else(|| Error::new(ErrorCode::Forbidden, "an API token cannot log out: revoke it instead"))?;
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    auth_sessions::revoke(tx.accounts(), id, now).await?;
    let entry = AuditEntry::new(AuditAction::Logout, "Logged out").detail("authSession", id.to_string());
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await
}

/// Ends a login session of the actor; an admin ends any. Ending an ended one changes nothing.
pub async fn revoke(actor: Actor<'_>, id: AuthSessionId) -> Result<AuthSession> {
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let session = auth_sessions::find(&mut tx, id).await?.filter(|session| actor.principal.may_manage(session.user_id));
    let session = session.ok_or_else(|| Error::new(ErrorCode::NotFound, "there is no such login session"))?;
    if !auth_sessions::revoke(tx.accounts(), id, now).await? {
        return Ok(session);
    }
    let owner = users::find_within(&mut tx, session.user_id).await?;
    let mut entry =
        AuditEntry::new(AuditAction::TokenRevoked, "Ended a login session").detail("authSession", id.to_string());
    if let Some(owner) = owner {
        entry = entry.about(&owner);
    }
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok(AuthSession { revoked_at: Some(now), ..session })
}

/// Ends all login sessions of the actor, the current one included; an admin ends those of any user. Returns their number.
pub async fn revoke_all(actor: Actor<'_>, user: UserId) -> Result<u64> {
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let owner = users::find_within(&mut tx, user).await?.filter(|user| actor.principal.may_manage(user.id));
    let owner = owner.ok_or_else(|| Error::new(ErrorCode::NotFound, "there is no such user"))?;
    let count = auth_sessions::revoke_all(tx.accounts(), user, None, now).await?;
    let entry = AuditEntry::new(AuditAction::TokenRevoked, format!("Ended all login sessions of {}", owner.username))
        .about(&owner)
        .detail("authSessions", count);
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok(count)
}
