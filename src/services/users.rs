//! User management: creating, updating, deactivating, unlocking and deleting users. These transactions run one after the
//! other and read the actor again, so that rules over several users also hold for concurrent requests.

use secrecy::SecretString;

use super::{
    Actor, Patch,
    audit_entry::{Attribution, AuditEntry, FieldChanges, Operator},
    login_throttle, profile_conflicts, server_secrets, validation,
};
use crate::{
    auth::{KeyedHasher, PasswordPolicy},
    clock::Clock,
    db::{Db, Tx, api_tokens, audit_logs, auth_sessions, users},
    error::{Error, ErrorCode, Result},
    model::{AuditAction, Credentials, Role, Timestamp, User, UserId},
};

/// A user to create.
#[derive(Debug)]
pub struct NewUser {
    pub username: String,
    pub email: String,
    pub password: SecretString,
    pub role: Role,
    pub full_name: Option<String>,
}

/// An update of a profile; `None` keeps a field.
#[derive(Debug, Default)]
pub struct ProfileUpdate {
    pub username: Option<String>,
    pub email: Option<String>,
    pub full_name: Patch<Option<String>>,
}

/// Creates a user. The password must be changed after the first login, as the admin who chose it knows it.
pub async fn create(actor: Actor<'_>, new: NewUser) -> Result<User> {
    validation::check_username(&new.username)?;
    validation::check_email(&new.email)?;
    new.full_name.as_deref().map_or(Ok(()), validation::check_full_name)?;
    let now = actor.now();
    let user = User {
        id: UserId::new(now),
        username: new.username,
        email: new.email,
        role: new.role,
        is_active: true,
        full_name: new.full_name,
        created_at: now,
        updated_at: now,
        last_login: None,
    };
    let policy = PasswordPolicy::of(&user, actor.services.limits.accounts.password_min_length, "password");
    policy.check_length(&new.password)?;
    let permit = actor.services.password_hasher.acquire().await?;
    let hashed_password = permit.hash_if(new.password, move |password| policy.check_strength(password)).await?;
    let credentials = Credentials { user, hashed_password, password_change_required: true };

    let mut tx = begin(actor, None).await?;
    let user = &credentials.user;
    if let Err(error) = check_unique(&mut tx, user, true, true).await {
        let entry =
            AuditEntry::new(AuditAction::UserCreated, "Creation of a user refused: name or e-mail address in use");
        return Err(profile_conflicts::record(actor, tx, entry, error).await?);
    }
    // Only a program that does not take the lock can have inserted the user since.
    if !users::insert(&mut tx, &credentials).await? {
        return Err(Error::conflict("username", "another user has this user name or e-mail address"));
    }
    let changes = FieldChanges::default()
        .field("username", None::<String>, user.username.as_str())
        .field("email", None::<String>, user.email.as_str())
        .field("role", None::<String>, enum_value(user.role))
        .field("fullName", None::<String>, user.full_name.clone());
    let entry = AuditEntry::new(AuditAction::UserCreated, format!("Created the user {}", user.username));
    actor.record(&mut tx, entry.about(user).changes(changes), now).await?;
    tx.commit().await?;
    Ok(credentials.user)
}

/// Updates the profile of the actor; an admin updates any profile.
pub async fn update(actor: Actor<'_>, id: UserId, profile: ProfileUpdate, expected: Option<Timestamp>) -> Result<User> {
    profile.username.as_deref().map_or(Ok(()), validation::check_username)?;
    profile.email.as_deref().map_or(Ok(()), validation::check_email)?;
    if let Patch::Set(Some(name)) = &profile.full_name {
        validation::check_full_name(name)?;
    }
    let mut tx = begin(actor, Some(id)).await?;
    let before = find(&mut tx, id).await?;
    let after = User {
        username: profile.username.unwrap_or_else(|| before.username.clone()),
        email: profile.email.unwrap_or_else(|| before.email.clone()),
        full_name: profile.full_name.apply(&before.full_name),
        ..before.clone()
    };
    check_unchanged(&before, expected)?;
    store(actor, tx, &before, after, format!("Changed the profile of {}", before.username)).await
}

/// Sets the role of a user. Only admins may, and theirs is the highest role, so that no user can raise the own role.
pub async fn set_role(actor: Actor<'_>, id: UserId, role: Role, expected: Option<Timestamp>) -> Result<User> {
    let mut tx = begin(actor, None).await?;
    let before = find(&mut tx, id).await?;
    check_unchanged(&before, expected)?;
    let description =
        format!("Changed the role of {} from {} to {}", before.username, enum_value(before.role), enum_value(role));
    store(actor, tx, &before, User { role, ..before.clone() }, description).await
}

/// Deactivates or reactivates a user. Deactivation ends all login sessions and API tokens immediately; they stay ended after
/// a reactivation.
pub async fn set_active(actor: Actor<'_>, id: UserId, is_active: bool) -> Result<User> {
    let mut tx = begin(actor, None).await?;
    let before = find(&mut tx, id).await?;
    if is_active && before.role == Role::Admin && actor.principal.auth_session().is_none() {
        let message = "an API token cannot reactivate an ADMIN: sign in and use the access token of that login session";
        return Err(Error::new(ErrorCode::Forbidden, message));
    }
    let verb = if is_active { "Reactivated" } else { "Deactivated" };
    let description = format!("{verb} the user {}", before.username);
    store(actor, tx, &before, User { is_active, ..before.clone() }, description).await
}

/// Clears the failed logins that throttle or lock a user.
pub async fn unlock(actor: Actor<'_>, id: UserId) -> Result<User> {
    let mut tx = begin(actor, None).await?;
    let user = find(&mut tx, id).await?;
    unlock_within(
        tx,
        &actor.services.keyed_hasher,
        &user,
        Attribution::principal(actor.principal, actor.client),
        actor.now(),
    )
    .await?;
    Ok(user)
}

/// As [`unlock`], by an operator, for the user with this name or e-mail address. Returns the user, and true if there were
/// failed logins.
pub async fn unlock_as_operator(
    db: &Db,
    clock: Clock,
    login: &str,
    operator: Option<&Operator>,
) -> Result<(User, bool)> {
    let user = find_by_login(db, login).await?;
    let keyed_hasher = server_secrets::keyed_hasher(db, clock).await?;
    let was_throttled =
        unlock_within(db.begin().await?, &keyed_hasher, &user, Attribution::command(operator), clock.now()).await?;
    Ok((user, was_throttled))
}

async fn unlock_within(
    mut tx: Tx,
    keyed_hasher: &KeyedHasher,
    user: &User,
    attribution: Attribution<'_>,
    now: Timestamp,
) -> Result<bool> {
    if !login_throttle::unlock(&mut tx, keyed_hasher, user).await? {
        return Ok(false);
    }
    let entry = AuditEntry::new(AuditAction::UserUpdated, format!("Unlocked the user {}", user.username)).about(user);
    entry.record(&mut tx, attribution, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Deletes a user with all sessions, login sessions and API tokens. The audit log entries of the user stay, with the name.
pub async fn delete(actor: Actor<'_>, id: UserId) -> Result<UserId> {
    let mut tx = begin(actor, None).await?;
    let user = find(&mut tx, id).await?;
    check_admin_remains(&mut tx, &user).await?;
    audit_logs::store_username(&mut tx, id, &user.username).await?;
    login_throttle::unlock(&mut tx, &actor.services.keyed_hasher, &user).await?;
    // Before the delete, as the user may be the actor.
    let entry = AuditEntry::new(AuditAction::UserDeleted, format!("Deleted the user {}", user.username)).about(&user);
    actor.record(&mut tx, entry, actor.now()).await?;
    users::delete(tx.accounts(), id).await?;
    tx.commit().await?;
    Ok(id)
}

/// The user with this name or e-mail address, for an operator.
pub(super) async fn find_by_login(db: &Db, login: &str) -> Result<User> {
    let found = users::find_credentials(db, login).await?;
    found.map(|found| found.user).ok_or_else(not_found)
}

/// Begins a transaction with the lock on user management. After the wait for the lock, the actor must still be an admin, or
/// be the user whose data changes.
pub(super) async fn begin(actor: Actor<'_>, subject: Option<UserId>) -> Result<Tx> {
    let mut tx = actor.db.begin().await?;
    users::lock(&mut tx).await?;
    let user = users::find_within(&mut tx, actor.principal.user.id).await?.filter(|user| user.is_active);
    let user = user.ok_or_else(Error::unauthenticated)?;
    if user.role < Role::Admin && subject != Some(user.id) {
        return Err(Error::new(ErrorCode::Forbidden, "this requires the role ADMIN"));
    }
    Ok(tx)
}

pub(super) async fn find(tx: &mut Tx, id: UserId) -> Result<User> {
    users::find_within(tx, id).await?.ok_or_else(not_found)
}

/// The time of a change of the user: later than the previous one, even if the clock stands still.
pub(super) fn time_of_change(user: &User, now: Timestamp) -> Timestamp {
    now.max(user.updated_at.plus_micros(1))
}

/// Stores a change with its audit log entry, unless nothing changed.
async fn store(actor: Actor<'_>, mut tx: Tx, before: &User, mut after: User, description: String) -> Result<User> {
    let changes = FieldChanges::default()
        .field("username", before.username.as_str(), after.username.as_str())
        .field("email", before.email.as_str(), after.email.as_str())
        .field("fullName", before.full_name.clone(), after.full_name.clone())
        .field("role", enum_value(before.role), enum_value(after.role))
        .field("isActive", before.is_active, after.is_active);
    if changes.is_empty() {
        return Ok(after);
    }
    let (username, email) = (before.username != after.username, before.email != after.email);
    if username || email {
        profile_conflicts::check(actor, &mut tx).await?;
    }
    if let Err(error) = check_unique(&mut tx, &after, username, email).await {
        let description =
            format!("Change of the profile of {} refused: name or e-mail address in use", before.username);
        let entry = AuditEntry::new(AuditAction::UserUpdated, description).about(before);
        return Err(profile_conflicts::record(actor, tx, entry, error).await?);
    }
    if !is_active_admin(&after) {
        check_admin_remains(&mut tx, before).await?;
    }
    let now = actor.now();
    after.updated_at = time_of_change(before, now);
    // The user first: a concurrent login either sees this change, or its session is ended below.
    users::update(tx.accounts(), &after).await?;
    let mut entry = AuditEntry::new(AuditAction::UserUpdated, description).about(&after).changes(changes);
    if before.is_active && !after.is_active {
        entry = entry
            .detail("authSessions", auth_sessions::revoke_all(tx.accounts(), after.id, None, now).await?)
            .detail("apiTokens", api_tokens::revoke_all(tx.accounts(), after.id, now).await?);
    }
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok(after)
}

fn check_unchanged(user: &User, expected: Option<Timestamp>) -> Result<()> {
    if expected.is_none_or(|expected| expected == user.updated_at) {
        return Ok(());
    }
    Err(Error::conflict("expectedUpdatedAt", "the user was changed concurrently: read it again"))
}

/// Checks that no other user logs in with the same name or e-mail address, ignoring case.
async fn check_unique(tx: &mut Tx, user: &User, username: bool, email: bool) -> Result<()> {
    if username && users::is_name_of_another(tx, &user.username, user.id).await? {
        return Err(Error::conflict("username", "another user has this user name"));
    }
    if email && users::is_name_of_another(tx, &user.email, user.id).await? {
        return Err(Error::conflict("email", "another user has this e-mail address"));
    }
    Ok(())
}

/// Checks that an active admin remains without this user.
async fn check_admin_remains(tx: &mut Tx, user: &User) -> Result<()> {
    if !is_active_admin(user) || users::has_other_admin(tx, user.id).await? {
        return Ok(());
    }
    Err(Error::new(ErrorCode::Conflict, "this is the last active admin: create another one first"))
}

fn is_active_admin(user: &User) -> bool {
    user.is_active && user.role == Role::Admin
}

/// The role as a value of the GraphQL enum.
fn enum_value(role: Role) -> String {
    role.as_str().to_uppercase()
}

fn not_found() -> Error {
    Error::new(ErrorCode::NotFound, "there is no such user")
}
