//! The admin that a new database starts with, and the passwords that everybody knows.

use secrecy::{ExposeSecret, SecretString};

use crate::{
    auth::Hasher,
    clock::Clock,
    db::{Db, audit_logs, users},
    error::{Error, Result},
    model::{AuditAction, AuditLog, AuditLogId, Credentials, Role, Timestamp, User, UserId},
};

/// The first admin's user name.
const USERNAME: &str = "admin";

/// The accounts that `db init` and `db seed` make with the user name as the password.
pub const DEFAULT_ACCOUNTS: [&str; 3] = ["admin", "analyst", "viewer"];

/// What [`ensure`] did.
#[derive(Debug)]
pub enum FirstAdmin {
    /// There was no user; now there is the admin.
    Created(User),
    /// The admin had the default password; now it has the one that was given.
    PasswordReplaced,
    /// Nothing had to be done.
    Untouched,
}

/// Creates the first admin when there is no user at all: with the given password, or else with `admin`, which has to
/// be changed. A password that is given later replaces one that is still the default, and never any other.
pub async fn ensure(db: &Db, hasher: &Hasher, clock: Clock, password: Option<SecretString>) -> Result<FirstAdmin> {
    if password.as_ref().is_some_and(|password| password.expose_secret().is_empty()) {
        return Err(Error::bad_input("GUARDIANEYE_ADMIN_PASSWORD", "the first admin's password is empty"));
    }
    if users::count(db, None).await? == 0 {
        let password = password.unwrap_or_else(|| SecretString::from(USERNAME));
        return create(db, clock.now(), hasher.hash(password).await?).await;
    }
    match password {
        Some(password) if has_default_password(db, hasher, USERNAME).await? => {
            replace_password(db, clock.now(), hasher.hash(password).await?).await
        }
        _ => Ok(FirstAdmin::Untouched),
    }
}

async fn create(db: &Db, now: Timestamp, hashed_password: SecretString) -> Result<FirstAdmin> {
    let user = User {
        id: UserId::new(now),
        username: USERNAME.to_owned(),
        email: "admin@guardianeye.local".to_owned(),
        role: Role::Admin,
        is_active: true,
        full_name: Some("System Administrator".to_owned()),
        created_at: now,
        updated_at: now,
        last_login: None,
    };
    let credentials = Credentials { user, hashed_password };
    let mut tx = db.begin().await?;
    // Another instance may be doing the same: the unique user name lets one of them win.
    if !users::insert(&mut tx, &credentials).await? {
        return Ok(FirstAdmin::Untouched);
    }
    audit_logs::insert(&mut tx, &entry(AuditAction::UserCreated, "Created the first admin", now)).await?;
    tx.commit().await?;
    Ok(FirstAdmin::Created(credentials.user))
}

async fn replace_password(db: &Db, now: Timestamp, hashed_password: SecretString) -> Result<FirstAdmin> {
    let mut tx = db.begin().await?;
    users::set_password(&mut tx, USERNAME, &hashed_password, now).await?;
    let text = "Replaced the first admin's default password by a setting";
    audit_logs::insert(&mut tx, &entry(AuditAction::UserUpdated, text, now)).await?;
    tx.commit().await?;
    Ok(FirstAdmin::PasswordReplaced)
}

fn entry(action: AuditAction, description: &str, now: Timestamp) -> AuditLog {
    AuditLog {
        id: AuditLogId::new(now),
        user_id: None,
        action,
        details: None,
        description: Some(description.to_owned()),
        ip_address: None,
        user_agent: None,
        success: true,
        timestamp: now,
    }
}

/// Whether a start would create the first admin.
pub async fn is_missing(db: &Db) -> Result<bool> {
    Ok(users::count(db, None).await? == 0)
}

/// The default accounts whose password is still the default one.
pub async fn with_default_password(db: &Db, hasher: &Hasher) -> Result<Vec<&'static str>> {
    let mut found = Vec::new();
    for name in DEFAULT_ACCOUNTS {
        if has_default_password(db, hasher, name).await? {
            found.push(name);
        }
    }
    Ok(found)
}

async fn has_default_password(db: &Db, hasher: &Hasher, name: &str) -> Result<bool> {
    match users::find_credentials(db, name).await? {
        Some(found) if found.user.is_active => {
            hasher.verify(SecretString::from(name), Some(found.hashed_password)).await
        }
        _ => Ok(false),
    }
}

/// Whether this is the password that a default account is made with.
#[must_use]
pub fn is_default(username: &str, password: &SecretString) -> bool {
    DEFAULT_ACCOUNTS.contains(&username) && password.expose_secret() == username
}
