//! Logins over time: beginning them, refreshing their tokens, ending them.

use std::sync::Arc;

use super::{
    Actor, Client, Services,
    audit::{By, Entry},
};
use crate::{
    auth::{AccessToken, AccessTokenClaims, Authenticated, Credential, RefreshToken},
    db::{Db, Tx, auth_sessions, refresh_tokens, users},
    error::{Error, ErrorCode, Result},
    model::{AuditAction, AuthSession, AuthSessionId, Role, Timestamp, User, UserId},
};

/// For so many seconds a used refresh token still gives the same successor: tabs refresh at the same time, and answers
/// get lost.
const GRACE: i64 = 10;
/// For so many days an ended login is shown.
const KEPT: u64 = 30;
const DAY: u64 = 24 * 60 * 60 * 1_000_000;

/// What a login or a refresh hands out.
#[derive(Debug)]
pub struct Issued {
    pub user: Arc<User>,
    pub auth_session: AuthSessionId,
    pub access_token: AccessToken,
    pub refresh_token: RefreshToken,
    /// Whether the password is one that somebody else knows.
    pub password_change_required: bool,
}

impl Issued {
    /// Who is signed in by it, on a server that may want another password first.
    #[must_use]
    pub fn authenticated(&self, force_password_change: bool) -> Authenticated {
        Authenticated {
            user: Arc::clone(&self.user),
            credential: Credential::AuthSession(self.auth_session),
            must_change_password: force_password_change && self.password_change_required,
        }
    }
}

/// Begins an auth session of a user whose password was right.
pub(super) async fn begin(
    services: &Services,
    tx: &mut Tx,
    client: &Client,
    user: Arc<User>,
    now: Timestamp,
) -> Result<Issued> {
    auth_sessions::delete_ended(tx, user.id, now.minus_micros(KEPT * DAY)).await?;
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
    let (refresh_token, successor_key) = RefreshToken::new()?;
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
) -> Result<Issued> {
    let subject = AccessTokenClaims { user: user.id, auth_session: session.id };
    Ok(Issued {
        auth_session: session.id,
        access_token: services.access_tokens.issue(subject, session.expires_at, now)?,
        refresh_token,
        password_change_required: false,
        user,
    })
}

/// Takes a refresh token and gives its successor with a new access token.
///
/// The same token gives the same successor for ten seconds. After that, or when the successor was used already, somebody
/// has a copy of it: the login ends, which is recorded.
pub async fn refresh(services: &Services, db: &Db, client: &Client, token: RefreshToken) -> Result<Issued> {
    let now = services.clock.now();
    services.access_tokens.refresh_keys(now).await?;
    let mut tx = db.begin().await?;
    let first_use = refresh_tokens::take(&mut tx, token.hash(), now).await?;
    let id = match first_use {
        Some(id) => id,
        None => match refresh_tokens::find(&mut tx, token.hash()).await? {
            Some((id, Some(used_at))) if now <= used_at.plus_seconds(GRACE) => id,
            Some((id, _)) => return Err(reused(tx, id, client, now).await?),
            None => return Err(refused()),
        },
    };
    let session = auth_sessions::find(&mut tx, id).await?.ok_or_else(refused)?;
    let idle = now > session.last_used_at.plus(services.limits.accounts.login_idle);
    if session.revoked_at.is_some() || now >= session.expires_at || idle {
        return Err(refused());
    }
    let user = users::find_within(&mut tx, session.user_id).await?.filter(|user| user.is_active).ok_or_else(refused)?;
    services.write_limiter.charge_login(&user)?;
    let key = auth_sessions::successor_key(&mut tx, id).await?.ok_or_else(refused)?;
    let successor = token.successor(&key);
    if first_use.is_some() {
        refresh_tokens::insert(&mut tx, successor.hash(), id, now).await?;
        auth_sessions::set_last_used(&mut tx, id, now).await?;
    } else if !matches!(refresh_tokens::find(&mut tx, successor.hash()).await?, Some((_, None))) {
        return Err(reused(tx, id, client, now).await?);
    }
    let change_required = users::password_change_required(&mut tx, user.id).await?;
    tx.commit().await?;
    let issued = issue(services, Arc::new(user), &session, successor, now)?;
    Ok(Issued { password_change_required: change_required, ..issued })
}

/// Ends the login of a refresh token that two have.
async fn reused(mut tx: Tx, id: AuthSessionId, client: &Client, now: Timestamp) -> Result<Error> {
    if auth_sessions::revoke(tx.accounts(), id, now).await? {
        let session = auth_sessions::find(&mut tx, id).await?;
        let user = match &session {
            Some(session) => users::find_within(&mut tx, session.user_id).await?,
            None => None,
        };
        Entry::new(AuditAction::TokenReuse, "Ended a login whose refresh token was used twice")
            .failed()
            .detail("authSession", id.to_string())
            .record(&mut tx, By::client(user.as_ref(), client), now)
            .await?;
        tx.commit().await?;
    }
    Ok(refused())
}

fn refused() -> Error {
    Error::new(ErrorCode::Unauthenticated, "the refresh token is not valid, or no longer: log in again")
}

/// Ends the caller's own login.
pub async fn logout(actor: Actor<'_>) -> Result<()> {
    let id =
        actor.principal.auth_session().ok_or_else(|| Error::new(ErrorCode::Forbidden, "only a login can log out"))?;
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    auth_sessions::revoke(tx.accounts(), id, now).await?;
    let entry = Entry::new(AuditAction::Logout, "Logged out").detail("authSession", id.to_string());
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await
}

/// Ends one login: the caller's own, or anybody's for an admin. To end one that is ended already changes nothing.
pub async fn revoke(actor: Actor<'_>, id: AuthSessionId) -> Result<AuthSession> {
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let session = auth_sessions::find(&mut tx, id).await?.filter(|session| actor.may_manage(session.user_id));
    let session = session.ok_or_else(|| Error::new(ErrorCode::NotFound, "there is no such login"))?;
    if !auth_sessions::revoke(tx.accounts(), id, now).await? {
        return Ok(session);
    }
    let owner = users::find_within(&mut tx, session.user_id).await?;
    let mut entry = Entry::new(AuditAction::TokenRevoked, "Ended a login").detail("authSession", id.to_string());
    if let Some(owner) = owner {
        entry = entry.about(&owner);
    }
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok(AuthSession { revoked_at: Some(now), ..session })
}

/// Ends all logins of a user: the caller's own, this one included, or anybody's for an admin. How many there were.
pub async fn revoke_all(actor: Actor<'_>, user: UserId) -> Result<u64> {
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let owner = users::find_within(&mut tx, user).await?.filter(|user| actor.may_manage(user.id));
    let owner = owner.ok_or_else(|| Error::new(ErrorCode::NotFound, "there is no such user"))?;
    let count = auth_sessions::revoke_all(tx.accounts(), user, None, now).await?;
    let entry = Entry::new(AuditAction::TokenRevoked, format!("Ended all logins of {}", owner.username))
        .about(&owner)
        .detail("authSessions", count);
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok(count)
}

impl Actor<'_> {
    /// Whether the caller may end what belongs to this user.
    pub(super) fn may_manage(&self, owner: UserId) -> bool {
        self.principal.user.id == owner || self.principal.user.role >= Role::Admin
    }
}
