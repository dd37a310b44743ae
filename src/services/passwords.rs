//! Choosing another password: one's own by the current one, somebody else's as an admin or as whoever runs the program.

use secrecy::{ExposeSecret, SecretString};

use super::{
    Actor,
    audit::{By, Entry, Operator},
    server_secrets::keyed_hasher,
    throttle,
    users::{begin, find, find_by_login, time_of_change},
};
use crate::{
    auth::{self, KeyedHasher, PasswordHasher, PasswordPolicy},
    clock::Clock,
    db::{Db, Tx, api_tokens, auth_sessions, users},
    error::{Error, ErrorCode, Result},
    model::{AuditAction, Timestamp, User, UserId},
};

/// Changes the caller's own password. A wrong current one counts as a failed login. All other logins of the caller end.
pub async fn change(actor: Actor<'_>, current: SecretString, new: SecretString) -> Result<User> {
    let login = actor.principal.auth_session();
    let login = login.ok_or_else(|| {
        Error::new(
            ErrorCode::Forbidden,
            "an API token cannot do this: sign in and use the access token of that login session",
        )
    })?;
    let (services, user) = (actor.services, &actor.principal.user);
    let policy = PasswordPolicy::of(user, services.limits.accounts.password_min_length, "newPassword");
    policy.check_length(&new)?;
    if current.expose_secret().len() > auth::MAX_PASSWORD_BYTES {
        return Err(Error::bad_input("currentPassword", format!("at most {} bytes", auth::MAX_PASSWORD_BYTES)));
    }
    if auth::is_same_password(&current, &new) {
        return Err(Error::bad_input("newPassword", "it is the current password: choose another one"));
    }
    let found = users::find_credentials_of(actor.db, user.id).await?.ok_or_else(Error::unauthenticated)?;
    let turn = services.password_hasher.acquire().await?;
    let attempt = throttle::Attempt::begin(services, actor.db, actor.client, &user.username, Some(user)).await?;
    let hash = (!attempt.refused).then(|| found.hashed_password.clone());
    if !turn.verify(current, hash).await? {
        drop(turn);
        let now = actor.now();
        let mut tx = actor.db.begin().await?;
        let entry =
            Entry::new(AuditAction::PasswordChanged, "Change of the password refused: the current one is wrong");
        actor.record(&mut tx, entry.failed().about(user), now).await?;
        tx.commit().await?;
        return Err(Error::bad_input("currentPassword", "this is not the current password"));
    }
    let hash = turn.hash_if(new, move |password| policy.check_strength(password)).await;
    drop(turn);
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
    if !users::has_hash(&mut tx, user.id, &found.hashed_password).await? {
        return Err(Error::new(ErrorCode::Conflict, "the password was changed meanwhile: try again"));
    }
    let after = User { updated_at: time_of_change(&before, now), ..before };
    users::set_password(tx.accounts(), after.id, &hash, false, after.updated_at).await?;
    attempt.succeeded(&mut tx).await?;
    let ended = auth_sessions::revoke_all(tx.accounts(), after.id, Some(login), now).await?;
    let entry = Entry::new(AuditAction::PasswordChanged, "Changed the own password").about(&after);
    actor.record(&mut tx, entry.detail("authSessions", ended), now).await?;
    tx.commit().await?;
    Ok(after)
}

/// Gives another user a password, which is to be changed after the next login. All logins and API tokens of the user end:
/// whoever had the old password may have made some.
pub async fn reset(actor: Actor<'_>, id: UserId, new: SecretString) -> Result<User> {
    if id == actor.principal.user.id {
        return Err(Error::bad_input("userId", "one's own password is changed by changePassword"));
    }
    let user = users::find(actor.db, id).await?;
    let user = user.ok_or_else(|| Error::new(ErrorCode::NotFound, "there is no such user"))?;
    let services = actor.services;
    let policy = PasswordPolicy::of(&user, services.limits.accounts.password_min_length, "newPassword");
    let hash = hash_of(&services.password_hasher, policy, new).await?;
    let mut tx = begin(actor, None).await?;
    // It may have been deleted meanwhile.
    let before = find(&mut tx, id).await?;
    let by = By::principal(actor.principal, actor.client);
    reset_within(tx, &services.keyed_hasher, before, &hash, by, actor.now()).await.map(|reset| reset.user)
}

/// A user with another password.
#[derive(Debug)]
pub struct Reset {
    pub user: User,
    /// How many API tokens of the user were revoked.
    pub api_tokens: u64,
}

/// The same by whoever runs the program, for the user of this name or address.
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
    let names = keyed_hasher(db, clock).await?;
    let mut tx = db.begin().await?;
    users::lock(&mut tx).await?;
    let before = find(&mut tx, user.id).await?;
    reset_within(tx, &names, before, &hash, By::command(operator), clock.now()).await
}

async fn hash_of(hasher: &PasswordHasher, policy: PasswordPolicy, new: SecretString) -> Result<SecretString> {
    policy.check_length(&new)?;
    hasher.acquire().await?.hash_if(new, move |password| policy.check_strength(password)).await
}

async fn reset_within(
    mut tx: Tx,
    names: &KeyedHasher,
    before: User,
    hash: &SecretString,
    by: By<'_>,
    now: Timestamp,
) -> Result<Reset> {
    let after = User { updated_at: time_of_change(&before, now), ..before };
    // First the user: a login under way either sees this, or is among those that are ended.
    users::set_password(tx.accounts(), after.id, hash, true, after.updated_at).await?;
    throttle::unlock(&mut tx, names, &after).await?;
    let ended = auth_sessions::revoke_all(tx.accounts(), after.id, None, now).await?;
    let api_tokens = api_tokens::revoke_all(tx.accounts(), after.id, now).await?;
    Entry::new(AuditAction::PasswordChanged, format!("Reset the password of {}", after.username))
        .about(&after)
        .detail("authSessions", ended)
        .detail("apiTokens", api_tokens)
        .record(&mut tx, by, now)
        .await?;
    tx.commit().await?;
    Ok(Reset { user: after, api_tokens })
}
