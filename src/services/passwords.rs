//! Changing passwords: a user's own, and resets by an admin or by an operator on the command line.

use secrecy::{ExposeSecret, SecretString};

use super::{
    Actor,
    audit_entry::{Attribution, AuditEntry, Operator},
    login_throttle::{self, LoginAttempt},
    server_secrets,
    users::{begin, find, find_by_login, time_of_change},
};
use crate::{
    auth::{self, KeyedHasher, PasswordHasher, PasswordPolicy},
    clock::Clock,
    db::{Db, Tx, api_tokens, auth_sessions, users},
    error::{Error, ErrorCode, Result},
    model::{AuditAction, Timestamp, User, UserId},
};

/// Changes the actor's own password. A wrong current password counts as a failed login. All other login sessions of the
/// actor end.
pub async fn change(actor: Actor<'_>, current: SecretString, new: SecretString) -> Result<User> {
    let auth_session = actor.principal.auth_session().ok_or_else(|| {
        Error::new(
            ErrorCode::Forbidden,
            "an API token cannot do this: sign in and use the access token of that login session",
        )
    })?;
    let (services, user) = (actor.services, &actor.principal.user);
    let policy = PasswordPolicy::of(user, services.limits.accounts.password_min_length, "newPassword");
    policy.check_length(&new)?;
    if current.expose_secret().len() > auth::MAX_PASSWORD_BYTES {
        return Err(Error::bad_input(
            "currentPassword",
            format!("a password has at most {} bytes", auth::MAX_PASSWORD_BYTES),
        ));
    }
    if auth::is_same_password(&current, &new) {
        return Err(Error::bad_input("newPassword", "the new password is the current one: choose another one"));
    }
    let found = users::find_credentials_by_id(actor.db, user.id).await?.ok_or_else(Error::unauthenticated)?;
    let permit = services.password_hasher.acquire().await?;
    let attempt = LoginAttempt::begin(services, actor.db, actor.client, &user.username, Some(user)).await?;
    let hash = (!attempt.refused).then(|| found.hashed_password.clone());
    if !permit.verify(current, hash).await? {
        drop(permit);
        let now = actor.now();
        let mut tx = actor.db.begin().await?;
        let entry =
            AuditEntry::new(AuditAction::PasswordChanged, "Change of the password refused: wrong current password");
        actor.record(&mut tx, entry.failed().about(user), now).await?;
        tx.commit().await?;
        return Err(Error::bad_input("currentPassword", "the current password is wrong"));
    }
    let hash = permit.hash_if(new, move |password| policy.check_strength(password)).await;
    drop(permit);
    let hash = match hash {
        Ok(hash) => hash,
        Err(error) => {
            attempt.withdraw(actor.db).await?;
            return Err(error);
        }
    };

    let now = actor.now();
    let mut tx = begin(actor, Some(user.id)).await?;
    let before = find(&mut tx, user.id).await?;
    if !users::has_password_hash(&mut tx, user.id, &found.hashed_password).await? {
        return Err(Error::new(ErrorCode::Conflict, "the password was changed concurrently: try again"));
    }
    let after = User { updated_at: time_of_change(&before, now), ..before };
    users::set_password(tx.accounts(), after.id, &hash, false, after.updated_at).await?;
    attempt.succeeded(&mut tx).await?;
    let ended = auth_sessions::revoke_all(tx.accounts(), after.id, Some(auth_session), now).await?;
    let entry = AuditEntry::new(AuditAction::PasswordChanged, "Changed own password").about(&after);
    actor.record(&mut tx, entry.detail("authSessions", ended), now).await?;
    tx.commit().await?;
    Ok(after)
}

/// Sets the password of another user, who must change it after the next login. All login sessions and API tokens of the user
/// end: an attacker with the old password may have created some.
pub async fn reset(actor: Actor<'_>, id: UserId, new: SecretString) -> Result<User> {
    if id == actor.principal.user.id {
        return Err(Error::bad_input("userId", "use changePassword for your own password"));
    }
    let user = users::find(actor.db, id).await?;
    let user = user.ok_or_else(|| Error::new(ErrorCode::NotFound, "there is no such user"))?;
    let services = actor.services;
    let policy = PasswordPolicy::of(&user, services.limits.accounts.password_min_length, "newPassword");
    let hash = hash_of(&services.password_hasher, policy, new).await?;
    let mut tx = begin(actor, None).await?;
    // The user may have been deleted since.
    let before = find(&mut tx, id).await?;
    let attribution = Attribution::principal(actor.principal, actor.client);
    reset_within(tx, &services.keyed_hasher, before, &hash, attribution, actor.now()).await.map(|reset| reset.user)
}

/// The result of a reset.
#[derive(Debug)]
pub struct Reset {
    pub user: User,
    /// The number of API tokens that were revoked.
    pub api_tokens: u64,
}

/// As [`reset`], by an operator, for the user with this name or e-mail address.
pub async fn reset_as_operator(
    db: &Db,
    hasher: &PasswordHasher,
    clock: Clock,
    login: &str,
    new: SecretString,
    min_length: usize,
    operator: Option<&Operator>,
) -> Result<Reset> {
    let user = find_by_login(db, login).await?;
    let hash = hash_of(hasher, PasswordPolicy::of(&user, min_length, "newPassword"), new).await?;
    let keyed_hasher = server_secrets::keyed_hasher(db, clock).await?;
    let mut tx = db.begin().await?;
    users::lock(&mut tx).await?;
    let before = find(&mut tx, user.id).await?;
    reset_within(tx, &keyed_hasher, before, &hash, Attribution::command(operator), clock.now()).await
}

async fn hash_of(hasher: &PasswordHasher, policy: PasswordPolicy, new: SecretString) -> Result<SecretString> {
    policy.check_length(&new)?;
    hasher.acquire().await?.hash_if(new, move |password| policy.check_strength(password)).await
}

async fn reset_within(
    mut tx: Tx,
    keyed_hasher: &KeyedHasher,
    before: User,
    hash: &SecretString,
    attribution: Attribution<'_>,
    now: Timestamp,
) -> Result<Reset> {
    let after = User { updated_at: time_of_change(&before, now), ..before };
    // The user first: a concurrent login either sees the new hash, or its session is ended below.
    users::set_password(tx.accounts(), after.id, hash, true, after.updated_at).await?;
    login_throttle::unlock(&mut tx, keyed_hasher, &after).await?;
    let ended = auth_sessions::revoke_all(tx.accounts(), after.id, None, now).await?;
    let api_tokens = api_tokens::revoke_all(tx.accounts(), after.id, now).await?;
    AuditEntry::new(AuditAction::PasswordChanged, format!("Reset the password of {}", after.username))
        .about(&after)
        .detail("authSessions", ended)
        .detail("apiTokens", api_tokens)
        .record(&mut tx, attribution, now)
        .await?;
    tx.commit().await?;
    Ok(Reset { user: after, api_tokens })
}
