//! The demo data: the three default accounts with some sessions and audit log entries.

use std::time::Duration;

use secrecy::SecretString;

use super::{
    random::{Kind, RowRandom},
    report::Filled,
    samples::{ACCOUNTS, AUDIT_LOGS, SESSIONS},
    schema::ensure_migrated,
};
use crate::{
    auth::PasswordHasher,
    db::{Db, audit_logs, sessions, users},
    error::{Error, ErrorCode, Result},
    model::{Credentials, Timestamp, User, UserId},
    services::default_accounts,
};

/// The result of seeding the demo data.
#[derive(Clone, Debug)]
pub struct Demo {
    /// The three tables.
    pub tables: Vec<Filled>,
    /// The accounts that have their default password, new or not.
    pub known_passwords: Vec<&'static str>,
}

/// Adds the missing rows of the demo data in one transaction. Existing accounts stay unchanged. With the same `until`, the
/// latest time in the data, all rows are the same in every database, except for the salts of the passwords.
pub async fn demo(db: &Db, hasher: &PasswordHasher, until: Timestamp) -> Result<Demo> {
    ensure_migrated(db).await?;
    let mut owners = [UserId(uuid::Uuid::nil()); ACCOUNTS.len()];
    let mut new_users = Vec::new();
    for (at, account) in ACCOUNTS.iter().enumerate() {
        let found = users::find_credentials(db, account.username).await?.map(|found| found.user);
        owners[at] = if let Some(user) = found.filter(|user| user.username == account.username) {
            user.id
        } else {
            let user = account.user(id(Kind::DemoUser, at).into(), until);
            let hashed_password = hasher.hash(SecretString::from(account.username)).await?;
            let id = user.id;
            new_users.push(Credentials { user, hashed_password, password_change_required: false });
            id
        };
    }
    let [mut user_count, mut session_count, mut log_count] = [0; 3];
    let mut tx = db.begin().await?;
    for credentials in &new_users {
        if !users::insert(&mut tx, credentials).await? {
            let User { username, email, .. } = &credentials.user;
            return Err(Error::new(
                ErrorCode::Conflict,
                format!(
                    "cannot add the user {username}: another user has the e-mail address {email} or the id. Nothing was changed"
                ),
            ));
        }
        user_count += 1;
    }
    for (at, sample) in SESSIONS.iter().enumerate() {
        let session = sample.session(id(Kind::DemoSession, at).into(), owners[sample.owner], until);
        session_count += u64::from(sessions::insert(&mut tx, &session).await?);
    }
    for (at, sample) in AUDIT_LOGS.iter().enumerate() {
        let entry = sample.entry(id(Kind::DemoAuditLog, at).into(), owners[sample.owner], until);
        log_count += u64::from(audit_logs::insert(&mut tx, &entry).await?);
    }
    tx.commit().await?;
    let filled = |table, rows: usize, added| Filled { table, found: rows as u64 - added, added, took: Duration::ZERO };
    Ok(Demo {
        tables: vec![
            filled("users", ACCOUNTS.len(), user_count),
            filled("sessions", SESSIONS.len(), session_count),
            filled("audit_logs", AUDIT_LOGS.len(), log_count),
        ],
        known_passwords: default_accounts::with_default_password(db, hasher).await?,
    })
}

fn id(kind: Kind, at: usize) -> uuid::Uuid {
    RowRandom::of(kind, at as u64).uuid()
}
