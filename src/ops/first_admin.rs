//! The admin that a new database starts with, and the passwords that everybody knows.

use secrecy::{ExposeSecret, SecretString};

use crate::{
    auth::{PasswordHasher, PasswordPolicy},
    clock::Clock,
    db::{Db, users},
    error::{Error, ErrorCode, Result},
    model::{AuditAction, Credentials, Role, Timestamp, User, UserId},
    services::{
        Client,
        audit::{By, Entry, Operator},
    },
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

/// The password that somebody chose for the first admin, and the rule that it has to follow.
#[derive(Debug)]
pub struct Chosen {
    pub password: SecretString,
    /// Characters that a password has at least.
    pub min_length: usize,
}

/// Creates the first admin when there is no user at all: with the given password, or else with `admin`, which has to
/// be changed. A password that is given later replaces one that is still the default, and never any other. Where it is
/// used, it follows the rules of all passwords.
pub async fn ensure(
    db: &Db,
    hasher: &PasswordHasher,
    clock: Clock,
    chosen: Option<Chosen>,
    operator: Option<&Operator>,
) -> Result<FirstAdmin> {
    let by = By::command(operator);
    if chosen.as_ref().is_some_and(|chosen| chosen.password.expose_secret().is_empty()) {
        return Err(Error::bad_input("GUARDIANEYE_ADMIN_PASSWORD", "the first admin's password is empty"));
    }
    if users::count(db, None).await? == 0 {
        let user = new_admin(clock.now());
        let hashed_password = match chosen {
            Some(chosen) => hash(hasher, &user, chosen).await?,
            None => hasher.hash(SecretString::from(USERNAME)).await?,
        };
        return create(db, user, hashed_password, by).await;
    }
    let Some(chosen) = chosen else { return Ok(FirstAdmin::Untouched) };
    match with_default_password_by_name(db, hasher, USERNAME).await? {
        Some(admin) => {
            let hashed_password = hash(hasher, &admin, chosen).await?;
            replace_password(db, clock.now(), &admin, &hashed_password, by).await
        }
        None => Ok(FirstAdmin::Untouched),
    }
}

/// The hash of a chosen password, unless that is too short or easy to guess.
async fn hash(hasher: &PasswordHasher, admin: &User, chosen: Chosen) -> Result<SecretString> {
    let policy = PasswordPolicy::of(admin, chosen.min_length, "GUARDIANEYE_ADMIN_PASSWORD");
    let outcome = match policy.check_length(&chosen.password) {
        Ok(()) => {
            hasher.acquire().await?.hash_if(chosen.password, move |password| policy.check_strength(password)).await
        }
        Err(error) => Err(error),
    };
    outcome.map_err(|error| match error.code() {
        ErrorCode::BadUserInput => {
            let message =
                format!("GUARDIANEYE_ADMIN_PASSWORD is refused as the first admin's password: {}", error.message());
            error.with_message(message)
        }
        _ => error,
    })
}

fn new_admin(now: Timestamp) -> User {
    User {
        id: UserId::new(now),
        username: USERNAME.to_owned(),
        email: "admin@guardianeye.local".to_owned(),
        role: Role::Admin,
        is_active: true,
        full_name: Some("System Administrator".to_owned()),
        created_at: now,
        updated_at: now,
        last_login: None,
    }
}

async fn create(db: &Db, user: User, hashed_password: SecretString, by: By<'_>) -> Result<FirstAdmin> {
    let now = user.created_at;
    let credentials = Credentials { user, hashed_password, password_change_required: false };
    let mut tx = db.begin().await?;
    // Another instance may be doing the same: the unique user name lets one of them win.
    if !users::insert(&mut tx, &credentials).await? {
        return Ok(FirstAdmin::Untouched);
    }
    let entry = Entry::new(AuditAction::UserCreated, "Created the first admin").about(&credentials.user);
    entry.record(&mut tx, by, now).await?;
    tx.commit().await?;
    Ok(FirstAdmin::Created(credentials.user))
}

async fn replace_password(
    db: &Db,
    now: Timestamp,
    admin: &User,
    hashed_password: &SecretString,
    by: By<'_>,
) -> Result<FirstAdmin> {
    let mut tx = db.begin().await?;
    users::set_password(tx.accounts(), admin.id, hashed_password, false, now).await?;
    Entry::new(AuditAction::PasswordChanged, "Replaced the first admin's default password by a setting")
        .about(admin)
        .record(&mut tx, by, now)
        .await?;
    tx.commit().await?;
    Ok(FirstAdmin::PasswordReplaced)
}

/// Whether a start would create the first admin.
pub async fn is_missing(db: &Db) -> Result<bool> {
    Ok(users::count(db, None).await? == 0)
}

/// The default accounts whose password is still the default one.
pub async fn with_default_password(db: &Db, hasher: &PasswordHasher) -> Result<Vec<&'static str>> {
    let mut found = Vec::new();
    for name in DEFAULT_ACCOUNTS {
        if with_default_password_by_name(db, hasher, name).await?.is_some() {
            found.push(name);
        }
    }
    Ok(found)
}

/// The user of this name, who can log in with the name as the password.
async fn with_default_password_by_name(db: &Db, hasher: &PasswordHasher, name: &str) -> Result<Option<User>> {
    let found = users::find_credentials(db, name).await?;
    let Some(found) = found.filter(|found| found.user.is_active && found.user.username == name) else {
        return Ok(None);
    };
    let fits = hasher.verify(SecretString::from(name), Some(found.hashed_password)).await?;
    Ok(fits.then_some(found.user))
}

/// Whether this is the password that a default account is made with.
#[must_use]
pub fn is_default(username: &str, password: &SecretString) -> bool {
    DEFAULT_ACCOUNTS.contains(&username) && password.expose_secret() == username
}

/// Whether a default password, which everybody knows, was sent by a client that may not be on this machine.
#[must_use]
pub fn is_default_of_stranger(client: &Client, user: Option<&User>, password: &SecretString) -> bool {
    let refused = client.through_untrusted_proxy && user.is_some_and(|user| is_default(&user.username, password));
    if refused {
        tracing::warn!(
            "refused a default password that came through a proxy on this machine that is not named in \
             GUARDIANEYE_TRUSTED_PROXIES: change the password, and name the proxy there"
        );
    }
    refused
}
