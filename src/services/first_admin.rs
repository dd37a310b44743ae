//! The admin that a new database starts with, and the passwords that everybody knows.

use secrecy::{ExposeSecret, SecretString};

use crate::{
    auth::Hasher,
    clock::Clock,
    db::{Db, audit_logs, users},
    error::{Error, Result},
    model::{AuditAction, AuditLog, AuditLogId, Credentials, Role, User, UserId},
};

/// The accounts that `db init` and `db seed` make with the user name as the password.
pub const DEFAULT_ACCOUNTS: [&str; 3] = ["admin", "analyst", "viewer"];

/// Creates the first admin when there is no user at all; `None` when there is one already.
/// Without a password it is `admin`, which has to be changed.
pub async fn create(db: &Db, hasher: &Hasher, clock: Clock, password: Option<SecretString>) -> Result<Option<User>> {
    if users::count(db).await? > 0 {
        return Ok(None);
    }
    if password.as_ref().is_some_and(|password| password.expose_secret().is_empty()) {
        return Err(Error::bad_input("GUARDIANEYE_ADMIN_PASSWORD", "the first admin's password is empty"));
    }
    let password = password.unwrap_or_else(|| SecretString::from("admin"));
    let now = clock.now();
    let user = User {
        id: UserId::new(now),
        username: "admin".to_owned(),
        email: "admin@guardianeye.local".to_owned(),
        role: Role::Admin,
        is_active: true,
        full_name: Some("System Administrator".to_owned()),
        created_at: now,
        updated_at: now,
        last_login: None,
    };
    let credentials = Credentials { user, hashed_password: hasher.hash(password).await? };
    let mut tx = db.begin().await?;
    // Another instance may be doing the same: the unique user name lets one of them win.
    if !users::insert(&mut tx, &credentials).await? {
        return Ok(None);
    }
    let entry = AuditLog {
        id: AuditLogId::new(now),
        user_id: None,
        action: AuditAction::UserCreated,
        details: None,
        description: Some("Created the first admin".to_owned()),
        ip_address: None,
        user_agent: None,
        success: true,
        timestamp: now,
    };
    audit_logs::insert(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(Some(credentials.user))
}

/// The default accounts whose password is still the default one.
pub async fn with_default_password(db: &Db, hasher: &Hasher) -> Result<Vec<&'static str>> {
    let mut found = Vec::new();
    for name in DEFAULT_ACCOUNTS {
        if let Some(credentials) = users::find_credentials(db, name).await?
            && credentials.user.is_active
            && hasher.verify(SecretString::from(name), Some(credentials.hashed_password)).await?
        {
            found.push(name);
        }
    }
    Ok(found)
}

/// Whether this is the password that a default account is made with.
#[must_use]
pub fn is_default(username: &str, password: &SecretString) -> bool {
    DEFAULT_ACCOUNTS.contains(&username) && password.expose_secret() == username
}
