//! Managing users: creating, changing, deactivating, unlocking and deleting them. Whoever does it waits for those who do
//! the same, and is then looked at again: rules over several users hold under a race too.

use secrecy::SecretString;

use super::{
    Actor, Patch,
    audit::{By, Changes, Entry, Operator},
    conflicts, names,
    server_secrets::keyed_hasher,
    throttle,
};
use crate::{
    auth::{KeyedHasher, PasswordPolicy},
    clock::Clock,
    db::{Db, Tx, api_tokens, audit_logs, auth_sessions, users},
    error::{Error, ErrorCode, Result},
    model::{AuditAction, Credentials, Role, Timestamp, User, UserId},
};

/// Who is to be created.
#[derive(Debug)]
pub struct NewUser {
    pub username: String,
    pub email: String,
    pub password: SecretString,
    pub role: Role,
    pub full_name: Option<String>,
}

/// What is to be changed of a profile; what is absent stays.
#[derive(Debug, Default)]
pub struct Profile {
    pub username: Option<String>,
    pub email: Option<String>,
    pub full_name: Patch<Option<String>>,
}

/// Creates a user with a password that is to be changed, as the admin who chose it knows it.
pub async fn create(actor: Actor<'_>, new: NewUser) -> Result<User> {
    names::check_username(&new.username)?;
    names::check_email(&new.email)?;
    new.full_name.as_deref().map_or(Ok(()), names::check_full_name)?;
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
    let turn = actor.services.password_hasher.acquire().await?;
    let hashed_password = turn.hash_if(new.password, move |password| policy.check_strength(password)).await?;
    let credentials = Credentials { user, hashed_password, password_change_required: true };

    let mut tx = begin(actor, None).await?;
    let user = &credentials.user;
    if let Err(error) = check_unique(&mut tx, user, true, true).await {
        let entry = Entry::new(AuditAction::UserCreated, "Creation of a user refused: the name or address is taken");
        return Err(conflicts::record(actor, tx, entry, error).await?);
    }
    // Only a program that does not wait for others can have come between.
    if !users::insert(&mut tx, &credentials).await? {
        return Err(Error::conflict("username", "another user has this user name or e-mail address"));
    }
    let changes = Changes::default()
        .field("username", None::<String>, user.username.as_str())
        .field("email", None::<String>, user.email.as_str())
        .field("role", None::<String>, word(user.role))
        .field("fullName", None::<String>, user.full_name.clone());
    let entry = Entry::new(AuditAction::UserCreated, format!("Created the user {}", user.username));
    actor.record(&mut tx, entry.about(user).changes(changes), now).await?;
    tx.commit().await?;
    Ok(credentials.user)
}

/// Changes the profile of the caller, or for an admin anybody's.
pub async fn update(actor: Actor<'_>, id: UserId, profile: Profile, expected: Option<Timestamp>) -> Result<User> {
    profile.username.as_deref().map_or(Ok(()), names::check_username)?;
    profile.email.as_deref().map_or(Ok(()), names::check_email)?;
    if let Patch::Set(Some(name)) = &profile.full_name {
        names::check_full_name(name)?;
    }
    let mut tx = begin(actor, Some(id)).await?;
    let before = find(&mut tx, id).await?;
    let after = User {
        username: profile.username.unwrap_or_else(|| before.username.clone()),
        email: profile.email.unwrap_or_else(|| before.email.clone()),
        full_name: profile.full_name.or(&before.full_name),
        ..before.clone()
    };
    check_unchanged(&before, expected)?;
    store(actor, tx, &before, after, format!("Changed the profile of {}", before.username)).await
}

/// Gives a user another role. Only an admin comes here, whose own role cannot rise.
pub async fn set_role(actor: Actor<'_>, id: UserId, role: Role, expected: Option<Timestamp>) -> Result<User> {
    let mut tx = begin(actor, None).await?;
    let before = find(&mut tx, id).await?;
    check_unchanged(&before, expected)?;
    let description = format!("Changed the role of {} from {} to {}", before.username, word(before.role), word(role));
    store(actor, tx, &before, User { role, ..before.clone() }, description).await
}

/// Keeps a user out, at once and by whatever login or token, or lets the user log in again. The logins and API tokens that
/// ended do not come back.
pub async fn set_active(actor: Actor<'_>, id: UserId, is_active: bool) -> Result<User> {
    let mut tx = begin(actor, None).await?;
    let before = find(&mut tx, id).await?;
    if is_active && before.role == Role::Admin && actor.principal.auth_session().is_none() {
        let message = "an API token cannot reactivate an ADMIN: sign in and use the access token of that login session";
        return Err(Error::new(ErrorCode::Forbidden, message));
    }
    let done = if is_active { "Reactivated" } else { "Deactivated" };
    let description = format!("{done} the user {}", before.username);
    store(actor, tx, &before, User { is_active, ..before.clone() }, description).await
}

/// Forgets the failed logins that keep a user waiting.
pub async fn unlock(actor: Actor<'_>, id: UserId) -> Result<User> {
    let mut tx = begin(actor, None).await?;
    let user = find(&mut tx, id).await?;
    unlock_within(tx, &actor.services.keyed_hasher, &user, By::principal(actor.principal, actor.client), actor.now())
        .await?;
    Ok(user)
}

/// The same by whoever runs the program, for the user of this name or address. Whether there was anything to forget.
pub async fn unlock_as_operator(
    db: &Db,
    clock: Clock,
    login: &str,
    operator: Option<&Operator>,
) -> Result<(User, bool)> {
    let user = find_by_login(db, login).await?;
    let names = keyed_hasher(db, clock).await?;
    let done = unlock_within(db.begin().await?, &names, &user, By::command(operator), clock.now()).await?;
    Ok((user, done))
}

async fn unlock_within(mut tx: Tx, names: &KeyedHasher, user: &User, by: By<'_>, now: Timestamp) -> Result<bool> {
    if !throttle::unlock(&mut tx, names, user).await? {
        return Ok(false);
    }
    let entry = Entry::new(AuditAction::UserUpdated, format!("Unlocked the user {}", user.username)).about(user);
    entry.record(&mut tx, by, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Deletes a user with the conversations, logins and tokens; what the user did stays in the audit log, under the name.
pub async fn delete(actor: Actor<'_>, id: UserId) -> Result<UserId> {
    let mut tx = begin(actor, None).await?;
    let user = find(&mut tx, id).await?;
    check_admin_is_left(&mut tx, &user).await?;
    audit_logs::keep_username(&mut tx, id, &user.username).await?;
    throttle::unlock(&mut tx, &actor.services.keyed_hasher, &user).await?;
    // Before the user is gone, who may be the caller.
    let entry = Entry::new(AuditAction::UserDeleted, format!("Deleted the user {}", user.username)).about(&user);
    actor.record(&mut tx, entry, actor.now()).await?;
    users::delete(tx.accounts(), id).await?;
    tx.commit().await?;
    Ok(id)
}

/// The user of this name or address, for whoever runs the program.
pub(super) async fn find_by_login(db: &Db, login: &str) -> Result<User> {
    let found = users::find_credentials(db, login).await?;
    found.map(|found| found.user).ok_or_else(not_found)
}

/// A transaction in which nobody else manages users. The user, who may have had to wait, still has to be an admin, or
/// be the user whom it is about.
pub(super) async fn begin(actor: Actor<'_>, about: Option<UserId>) -> Result<Tx> {
    let mut tx = actor.db.begin().await?;
    users::lock(&mut tx).await?;
    let user = users::find_within(&mut tx, actor.principal.user.id).await?.filter(|user| user.is_active);
    let user = user.ok_or_else(Error::unauthenticated)?;
    if user.role < Role::Admin && about != Some(user.id) {
        return Err(Error::new(ErrorCode::Forbidden, "this needs the role ADMIN"));
    }
    Ok(tx)
}

pub(super) async fn find(tx: &mut Tx, id: UserId) -> Result<User> {
    users::find_within(tx, id).await?.ok_or_else(not_found)
}

/// When a change of the user is said to have happened: later than the one before, even if the clock stands still.
pub(super) fn time_of_change(user: &User, now: Timestamp) -> Timestamp {
    now.max(user.updated_at.plus_micros(1))
}

/// Stores a change with its audit entry, unless there is none.
async fn store(actor: Actor<'_>, mut tx: Tx, before: &User, mut after: User, description: String) -> Result<User> {
    let changes = Changes::default()
        .field("username", before.username.as_str(), after.username.as_str())
        .field("email", before.email.as_str(), after.email.as_str())
        .field("fullName", before.full_name.clone(), after.full_name.clone())
        .field("role", word(before.role), word(after.role))
        .field("isActive", before.is_active, after.is_active);
    if changes.is_empty() {
        return Ok(after);
    }
    let (username, email) = (before.username != after.username, before.email != after.email);
    if username || email {
        conflicts::check(actor, &mut tx).await?;
    }
    if let Err(error) = check_unique(&mut tx, &after, username, email).await {
        let description = format!("Change of the profile of {} refused: the name or address is taken", before.username);
        let entry = Entry::new(AuditAction::UserUpdated, description).about(before);
        return Err(conflicts::record(actor, tx, entry, error).await?);
    }
    if !is_acting_admin(&after) {
        check_admin_is_left(&mut tx, before).await?;
    }
    let now = actor.now();
    after.updated_at = time_of_change(before, now);
    // First the user: a login under way either sees this, or is among those that are ended.
    users::update(tx.accounts(), &after).await?;
    let mut entry = Entry::new(AuditAction::UserUpdated, description).about(&after).changes(changes);
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
    Err(Error::conflict("expectedUpdatedAt", "somebody else has changed this user meanwhile: read it again"))
}

/// No two users log in by the same name or address, however it is written.
async fn check_unique(tx: &mut Tx, user: &User, username: bool, email: bool) -> Result<()> {
    if username && users::names_another(tx, &user.username, user.id).await? {
        return Err(Error::conflict("username", "another user has this user name"));
    }
    if email && users::names_another(tx, &user.email, user.id).await? {
        return Err(Error::conflict("email", "another user has this e-mail address"));
    }
    Ok(())
}

/// Whether somebody would be left to manage users without this one.
async fn check_admin_is_left(tx: &mut Tx, user: &User) -> Result<()> {
    if !is_acting_admin(user) || users::has_admin_besides(tx, user.id).await? {
        return Ok(());
    }
    Err(Error::new(ErrorCode::Conflict, "this is the last active admin: make another one first"))
}

fn is_acting_admin(user: &User) -> bool {
    user.is_active && user.role == Role::Admin
}

/// The role as the API writes it.
fn word(role: Role) -> String {
    role.as_str().to_uppercase()
}

fn not_found() -> Error {
    Error::new(ErrorCode::NotFound, "there is no such user")
}
