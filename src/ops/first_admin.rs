//! The first admin of a new database.

use secrecy::{ExposeSecret, SecretString};

use crate::{
    auth::{PasswordHasher, PasswordPolicy},
    clock::Clock,
    db::{Db, list, users},
    error::{Error, ErrorCode, Result},
    model::{AuditAction, Credentials, Role, Timestamp, User, UserId},
    services::{
        audit_entry::{Attribution, AuditEntry, Operator},
        default_accounts::find_with_default_password,
    },
};

/// The first admin's user name.
const USERNAME: &str = "admin";

/// The result of [`ensure`].
#[derive(Debug)]
pub enum FirstAdmin {
    /// There were no users; the admin was created.
    Created(User),
    /// The admin had the default password; it was replaced by the given one.
    PasswordReplaced,
    /// Nothing had to be done.
    Unchanged,
}

/// The configured password of the first admin, and its minimum length.
#[derive(Debug)]
pub struct ChosenPassword {
    pub password: SecretString,
    /// In characters.
    pub min_length: usize,
}

/// Creates the first admin if there are no users: with the given password, or with `admin`, which must be changed. A password
/// that is given later replaces the default password, and no other. It must comply with the password policy.
pub async fn ensure(
    db: &Db,
    hasher: &PasswordHasher,
    clock: Clock,
    chosen: Option<ChosenPassword>,
    operator: Option<&Operator>,
) -> Result<FirstAdmin> {
    let attribution = Attribution::command(operator);
    if chosen.as_ref().is_some_and(|chosen| chosen.password.expose_secret().is_empty()) {
        return Err(Error::bad_input("GUARDIANEYE_ADMIN_PASSWORD", "the first admin's password is empty"));
    }
    if list::count::<User>(db, None).await? == 0 {
        let user = new_admin(clock.now());
        let hashed_password = match chosen {
            Some(chosen) => hash(hasher, &user, chosen).await?,
            None => hasher.hash(SecretString::from(USERNAME)).await?,
        };
        return create(db, user, hashed_password, attribution).await;
    }
    let Some(chosen) = chosen else { return Ok(FirstAdmin::Unchanged) };
    match find_with_default_password(db, hasher, USERNAME).await? {
        Some(admin) => {
            let hashed_password = hash(hasher, &admin, chosen).await?;
            replace_password(db, clock.now(), &admin, &hashed_password, attribution).await
        }
        None => Ok(FirstAdmin::Unchanged),
    }
}

/// The hash of a password that complies with the policy.
async fn hash(hasher: &PasswordHasher, admin: &User, chosen: ChosenPassword) -> Result<SecretString> {
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
                format!("GUARDIANEYE_ADMIN_PASSWORD does not comply with the password policy: {}", error.message());
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

async fn create(
    db: &Db,
    user: User,
    hashed_password: SecretString,
    attribution: Attribution<'_>,
) -> Result<FirstAdmin> {
    let now = user.created_at;
    let credentials = Credentials { user, hashed_password, password_change_required: false };
    let mut tx = db.begin().await?;
    // Another instance may do the same concurrently: the user name is unique, so that one of them succeeds.
    if !users::insert(&mut tx, &credentials).await? {
        return Ok(FirstAdmin::Unchanged);
    }
    let entry = AuditEntry::new(AuditAction::UserCreated, "Created the first admin").about(&credentials.user);
    entry.record(&mut tx, attribution, now).await?;
    tx.commit().await?;
    Ok(FirstAdmin::Created(credentials.user))
}

async fn replace_password(
    db: &Db,
    now: Timestamp,
    admin: &User,
    hashed_password: &SecretString,
    attribution: Attribution<'_>,
) -> Result<FirstAdmin> {
    let mut tx = db.begin().await?;
    users::set_password(tx.accounts(), admin.id, hashed_password, false, now).await?;
    AuditEntry::new(AuditAction::PasswordChanged, "Replaced the first admin's default password by a setting")
        .about(admin)
        .record(&mut tx, attribution, now)
        .await?;
    tx.commit().await?;
    Ok(FirstAdmin::PasswordReplaced)
}

/// Returns true if [`ensure`] would create the first admin.
pub async fn is_missing(db: &Db) -> Result<bool> {
    Ok(list::count::<User>(db, None).await? == 0)
}
